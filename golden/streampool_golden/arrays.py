"""The arrays that the model takes: their layouts, and whether a type holds their values."""

import math
import re
from dataclasses import dataclass
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


@dataclass(frozen=True)
class FrameAxes:
    """How arrays of one shape become frames, channels first, and frames become such arrays.

    Frames are counted through all of the axes in `lead`. Where the arrays are `bare` there is no
    axis of channels, which makes it one channel. The arrays' last axis goes to `moved`.
    """

    lead: tuple[int, ...]
    shape: tuple[int, ...]
    bare: bool
    moved: int

    @classmethod
    def of(cls, axes: int, layout: str | None, arrays: dict[str, Any]) -> "FrameAxes":
        """Return those of arrays by name, all of one shape, of so many spatial axes."""
        (field, x), *others = ((name, as_array(name, array)) for name, array in arrays.items())
        for name, other in others:
            if other.shape != x.shape:
                raise SpecError(
                    name, f"{name} must have the shape of {field}, {x.shape}, not {other.shape}."
                )
        first, last = LAYOUTS[axes]
        layout = choice("layout", first if layout is None else layout, (first, last))
        least = axes + (layout == last)
        if x.ndim < least:
            raise SpecError(
                field,
                f"{field} must have at least {least} axes in layout {layout}, not shape {x.shape}.",
            )
        moved = x.ndim - 1 - (axes if layout == last else 0)
        lengths = list(x.shape)
        lengths.insert(moved, lengths.pop())
        lead, frame = tuple(lengths[: -axes - 1]), tuple(lengths[-axes - 1 :])
        bare = x.ndim == axes
        return cls(lead, (1, *frame) if bare else frame, bare, moved)

    def frames(self, array: Any) -> np.ndarray:
        """Return an array as frames, ``(frames, C, *size)``."""
        array = np.moveaxis(np.asarray(array), -1, self.moved)
        return array.reshape(math.prod(self.lead), *self.shape)

    def back(self, frames: np.ndarray) -> np.ndarray:
        """Return frames, of any spatial lengths, with the axes that the arrays had."""
        array = frames.reshape(*self.lead, *frames.shape[1 + self.bare :])
        return np.ascontiguousarray(np.moveaxis(array, self.moved, -1))


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
