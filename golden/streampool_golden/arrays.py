"""The arrays that the model takes: their layouts, and whether a type holds their values."""

import re
from typing import Any

import numpy as np

from .dtypes import FLOATS, DType
from .errors import SpecError, wrong
from .fields import LAYOUTS, choice
from .spec import MOST_BITS_IN

_SMALL = re.compile(r"u?int[1-7]")


def as_array(field: str, x: Any) -> np.ndarray:
    """Return `x` as an array, or refuse what is none: rows of several lengths, masked values."""
    parts = x if isinstance(x, (list, tuple)) else [x]
    if any(map(np.ma.is_masked, parts)):
        raise SpecError(
            field,
            f"{field} has masked values, which no window leaves out; use {field}.filled(value).",
        )
    try:
        return np.asarray(x)
    except (ValueError, TypeError, RuntimeError):  # a tensor that wants its gradient, too
        raise wrong(field, "an array with rows of one length", x) from None


def plain(x: np.ndarray) -> np.ndarray:
    """Return integers of `ml_dtypes` in one of NumPy's types, anything else as it is."""
    return x.astype(np.int8) if _SMALL.fullmatch(x.dtype.name) else x


def channels_at(field: str, x: np.ndarray, layout: str | None, axes: int) -> int:
    """Return where the last axis goes so that the spatial ones are last: where it is, if they are.

    Refuses a `layout` that is none for so many spatial `axes`, and an `x` that has too few.
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
    return at if layout == last else x.ndim - 1


def channels_back(x: np.ndarray, at: int) -> np.ndarray:
    """Return an array whose last axis was moved to `at` with its axes as they were."""
    return np.ascontiguousarray(np.moveaxis(x, at, -1))


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
            f" or use one of {', '.join(FLOATS)} as dtype.",
        )
    if x.dtype.kind not in "iu":
        raise SpecError("x", f"x must be an array of integers within {dtype}, not of {x.dtype}.")
    if x.size:
        low, high = int(x.min()), int(x.max())
        if not dtype.holds(low, high):
            needed = DType.holding(low, high)
            use = f"use dtype {needed}" if needed.bits <= MOST_BITS_IN else "scale it first"
            raise SpecError(
                "x",
                f"x must be within {dtype} ({dtype.low} to {dtype.high}), and has"
                f" {low if low < dtype.low else high}; {use}.",
            )
    return x.astype(dtype.numpy, copy=False)


def _checked_floats(dtype: DType, x: np.ndarray) -> np.ndarray:
    """Return `x` in the specification's type, contiguous, or refuse it."""
    if x.dtype.name not in (*FLOATS, "float64"):
        raise SpecError("x", f"x must be an array of {dtype}, not of {x.dtype}; use x.astype.")
    with np.errstate(over="ignore", invalid="ignore"):
        held = np.ascontiguousarray(x, dtype.numpy)
        same = held.dtype == x.dtype or (held.astype(x.dtype) == x) | np.isnan(x)
    if not np.all(same):
        raise SpecError(
            "x",
            f"x must be of values that {dtype} holds, and has {x[~same].flat[0]};"
            " use x.astype, which rounds them.",
        )
    return held
