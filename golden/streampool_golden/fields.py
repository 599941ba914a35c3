"""The fields of a specification, one by one: what each takes and its normal form."""

import operator
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any, TypeGuard, cast

import numpy as np

from .dtypes import DType
from .errors import SpecError, shown
from .quantised import float32_ratio

ROUNDINGS = ("half_away", "half_even", "half_up", "floor", "trunc")
NANS = ("propagate", "ignore")
ROUNDING_ABOUT = ("raw", "zero_point")
GLOBAL = "global"
"""A kernel of all positions of a frame, whatever its size."""
NAMED_PADDINGS = ("valid", "same", "same_lower")
MOST_AXES = 3
"""Spatial axes that a specification may have; nothing else knows of the number."""

LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
"""Layouts by the number of spatial axes, channels first before channels last."""

MOST = (1 << 31) - 1
"""The largest kernel, stride, dilation, padding or divisor: products of two fit in 64 bits."""


def integer(field: str, value: object, low: int, high: int = MOST, what: str = "") -> int:
    """Return `value` as an int from `low` to `high`, or refuse it."""
    wanted = what or f"an integer from {low} to {high}"
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(cast(Any, value))
    except TypeError:
        number = None
    if number is None:
        raise SpecError(field, f"{field} must be {wanted}, not {shown(value)}.")
    if not low <= number <= high:
        raise SpecError(field, f"{field} must be {wanted}, not {shown(number)}.")
    return number


def boolean(field: str, value: object) -> bool:
    """Return `value` as a bool, or refuse it."""
    if not isinstance(value, (bool, np.bool_)):
        raise SpecError(field, f"{field} must be True or False, not {shown(value)}.")
    return bool(value)


def choice(field: str, value: object, choices: Iterable[str]) -> str:
    """Return `value` where it is one of `choices`, or refuse it."""
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        raise SpecError(field, f"{field} must be one of {', '.join(choices)}, not {shown(value)}.")
    return str(value)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether `value` is read as one value per axis."""
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def axes_of(given: dict[str, Any], ndim: object) -> int:
    """Return the number of spatial axes that `ndim` and the lengths of tuples agree on.

    2 where nothing says.
    """
    source, axes = "ndim", None
    if ndim is not None:
        axes = integer("ndim", ndim, 1, MOST_AXES)
    for field, value in given.items():
        if not is_sequence(value):
            continue
        hint = ", before and after nested as in ((1, 0), (0, 1))" if field == "padding" else ""
        if not 1 <= len(value) <= MOST_AXES:
            raise SpecError(
                field,
                f"{field} must have one value per axis, for 1 to {MOST_AXES} axes{hint}, not"
                f" {shown(value)}.",
            )
        if axes is None:
            source, axes = field, len(value)
        elif len(value) != axes:
            said = f"{axes} axis" if axes == 1 else f"{axes} axes"
            raise SpecError(
                field,
                f"{field} must have one value per axis, for {said} by {source}{hint}, not"
                f" {shown(value)}.",
            )
    return 2 if axes is None else axes


def adaptive(value: object, axes: int) -> str | tuple[int | None, ...] | None:
    """Return `value` as ``"global"``, as the outputs of each axis or as None."""
    if value is None or (isinstance(value, str) and value == GLOBAL):
        return None if value is None else GLOBAL
    what = f"{GLOBAL!r}, a positive integer up to {MOST}, or None, or a tuple of one per axis"
    values: Any = value if is_sequence(value) else (value,) * axes
    return tuple(None if v is None else integer("adaptive", v, 1, what=what) for v in values)


def per_axis(field: str, value: object, axes: int) -> tuple[int, ...]:
    """Return `value`, a positive integer or one per axis, as a tuple."""
    others = f", {GLOBAL}" if field == "kernel" else ""
    what = f"a positive integer up to {MOST}{others} or a tuple of one per axis"
    values: Any = value if is_sequence(value) else (value,) * axes
    return tuple(integer(field, v, 1, what=what) for v in values)


def padding(value: object, axes: int) -> str | tuple[tuple[int, int], ...]:
    """Return `value` as a name or as a pair of before and after per axis."""
    if isinstance(value, str):
        if value not in NAMED_PADDINGS:
            raise SpecError(
                "padding",
                f"padding must be one of {', '.join(NAMED_PADDINGS)} or integers, not"
                f" {shown(value)}.",
            )
        return str(value)
    what = "an integer, one per axis, or before and after nested per axis as in ((1, 0), (0, 1))"
    values: Any = value if is_sequence(value) else (value,) * axes
    nested = [is_sequence(v) for v in values]
    if any(nested) and (not all(nested) or any(len(v) != 2 for v in values)):
        raise SpecError("padding", f"padding must be {what}, not {shown(value)}.")
    pairs = values if any(nested) else [(v, v) for v in values]
    return tuple(
        (integer("padding", b, -MOST, what=what), integer("padding", a, -MOST, what=what))
        for b, a in pairs
    )


def clamp(value: object) -> tuple[int, int] | None:
    """Return `value` as a pair of integers, low first, or None."""
    if value is None:
        return None
    what = "two integers, (low, high) with low <= high"
    if not is_sequence(value) or len(value) != 2:
        raise SpecError("clamp", f"clamp must be {what}, not {shown(value)}.")
    low, high = (integer("clamp", v, -(1 << 63), (1 << 63) - 1, what) for v in value)
    if low > high:
        raise SpecError("clamp", f"clamp must be {what}, not {shown(value)}.")
    return low, high


def divisor(value: object) -> int | None:
    """Return `value` as an integer other than 0, or None."""
    if value is None:
        return None
    what = f"an integer from {-MOST} to {MOST} other than 0"
    number = integer("divisor_override", value, -MOST, what=what)
    if number == 0:
        raise SpecError("divisor_override", f"divisor_override must be {what}, not 0.")
    return number


MOST_SCALE_BITS = 63
"""Bits of a scale's numerator and denominator: more than two float32 of usual size give."""
MOST_SCALE_DIGITS = 400
"""Digits of a number in a text: more than any float's exact decimal of so many bits has."""


def lengths(field: str, value: object) -> tuple[int, ...]:
    """Return `value` as spatial lengths, or refuse it."""
    what = f"1 to {MOST_AXES} positive integers, one per axis"
    if not is_sequence(value) or not 1 <= len(value) <= MOST_AXES:
        raise SpecError(field, f"{field} must be {what}, not {shown(value)}.")
    return tuple(integer(field, n, 1, what=what) for n in value)


def scale(value: object) -> Fraction:
    """Return `value` as a positive fraction in lowest terms, or refuse it.

    A text is a number, or one over another: with a decimal among them the ratio of what a runtime
    holds as float32, ``"0.02/0.05"``.
    """
    what = (
        "a positive fraction such as Fraction(1, 3) or '1/3', of"
        f" at most {MOST_SCALE_BITS} bits above and below"
    )
    try:
        number = _fraction(value)
    except (ValueError, ZeroDivisionError):
        number = None
    ends = (0, 0) if number is None else (number.numerator, number.denominator)
    if number is None or min(ends) < 1 or max(ends).bit_length() > MOST_SCALE_BITS:
        raise SpecError("scale", f"scale must be {what}, not {shown(value)}.")
    return number


def _fraction(value: object) -> Fraction | None:
    """Return an exact number as a fraction, or a text that is one."""
    if isinstance(value, str):
        ends = value.split("/")
        # what has more digits than that, or a larger exponent, takes long and has too many bits
        digits = [re.fullmatch(r"([^e]*)(?:e([-+]?\d{1,3}))?", end.lower()) for end in ends]
        if not all(match and len(match[1]) <= MOST_SCALE_DIGITS for match in digits):
            return None
        if len(ends) == 2 and not all(end.strip().isdecimal() for end in ends):
            above, below = map(float, ends)
            return float32_ratio(above, below)
        return Fraction(value)
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    return None


def zero_points(value: object, held: Sequence[DType]) -> tuple[int, int]:
    """Return `value` as the zero points of input and output, whose types are `held`."""
    what = f"two integers, the input's within {held[0]} and the output's within {held[1]}"
    if not is_sequence(value) or len(value) != 2:
        raise SpecError("zero_points", f"zero_points must be {what}, not {shown(value)}.")
    zero_in, zero_out = (
        integer("zero_points", v, dtype.low, dtype.high, what)
        for v, dtype in zip(value, held, strict=True)
    )
    return zero_in, zero_out
