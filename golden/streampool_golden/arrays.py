"""The arrays that the model takes: their layouts, and whether a type holds their values."""

import re
from typing import Any

import numpy as np

from .dtypes import FLOATS, DType
from .errors import SpecError, shown
from .fields import LAYOUTS, choice
from .spec import MOST_BITS_IN

_SMALL = re.compile(r"u?int[1-7]")


def as_array(field: str, x: Any) -> np.ndarray:
    """Return `x` as an array, or refuse what is none.

    Raises
    ------
    SpecError
        If rows differ in length, or values are masked.
    """
    parts = x if isinstance(x, (list, tuple)) else [x]
    if any(map(np.ma.is_masked, parts)):
        raise SpecError(
            field,
            f"{field} has masked values, which no window leaves out; use {field}.filled(value).",
        )
    try:
        return np.asarray(x)
    except (ValueError, TypeError, RuntimeError):  # a tensor that wants its gradient, too
        raise SpecError(
            field, f"{field} must be an array with rows of one length, not {shown(x)}."
        ) from None


def plain(x: np.ndarray) -> np.ndarray:
    """Return integers of `ml_dtypes` in one of NumPy's types, anything else as it is."""
    return x.astype(np.int8) if _SMALL.fullmatch(x.dtype.name) else x


def channels_at(field: str, x: np.ndarray, layout: str | None, axes: int) -> int | None:
    """Return where channels go from the last axis, None where they are before the spatial ones.

    Raises
    ------
    SpecError
        If `layout` is none for so many spatial `axes`, or `x` has too few.
    """
    first, last = LAYOUTS[axes]
    layout = choice("layout", first if layout is None else layout, (first, last))
    at = x.ndim - axes - (layout == last)
    if at < 0:
        raise SpecError(
            field,
            f"{field} must have at least {axes + (layout == last)} axes in layout {layout},"
            f" not shape {x.shape}.",
        )
    return at if layout == last else None


def checked(dtype: DType, x: Any) -> np.ndarray:
    """Return `x` in the container of a type, or refuse what that does not hold."""
    x = plain(as_array("x", x))
    if dtype.is_float:
        return _checked_floats(dtype, x)
    if x.dtype.kind == "f":
        raise SpecError(
            "x",
            f"x must be of integers, not {x.dtype}; quantise it first, for example with"
            f" np.clip(np.rint(x / scale), {dtype.low}, {dtype.high}).astype(np.{dtype.numpy}),"
            f" or take one of {', '.join(FLOATS)} as dtype.",
        )
    if x.dtype.kind not in "iu":
        raise SpecError("x", f"x must be an array of integers within {dtype}, not of {x.dtype}.")
    if x.size:
        low, high = int(x.min()), int(x.max())
        if not dtype.holds(low, high):
            needed = DType.holding(low, high)
            hint = (
                f"dtype {needed} would hold it" if needed.bits <= MOST_BITS_IN else "scale it first"
            )
            raise SpecError(
                "x",
                f"x must be within {dtype} ({dtype.low} to {dtype.high}), and has"
                f" {low if low < dtype.low else high}; {hint}.",
            )
    return x.astype(dtype.numpy, copy=False)


def _checked_floats(dtype: DType, x: np.ndarray) -> np.ndarray:
    """Return `x` in the specification's type, contiguous, or refuse it."""
    if x.dtype.name not in (*FLOATS, "float64"):
        raise SpecError(
            "x", f"x must be an array of {dtype}, not of {x.dtype}; x.astype would make it one."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        held = np.ascontiguousarray(x, dtype.numpy)
        same = held.dtype == x.dtype or (held.astype(x.dtype) == x) | np.isnan(x)
    if not np.all(same):
        value = x[~same].flat[0]
        raise SpecError(
            "x",
            f"x must be of values that {dtype} holds, and has {value}; round it first, with"
            " x.astype.",
        )
    return held
