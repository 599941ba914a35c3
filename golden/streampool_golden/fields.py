"""The fields of a specification, one by one: what each takes and its normal form."""

import math
import operator
import re
from collections.abc import Container, Iterable, Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any, TypeGuard, cast

import numpy as np

from .dtypes import DType
from .errors import SpecError, did_you_mean, shown, wrong

ROUNDINGS = ("half_away", "half_even", "half_up", "floor", "trunc")
BASES = ("plane", "flat", "flat_columns", "channels_last")
"""Index bases: torch's; ONNX's with ``storage_order`` 0 and 1; TensorFlow's.

On C channels of H x W, channel c of row y and column x is, in this order, ``y * W + x``,
``c * H * W + y * W + x``, ``c * H * W + x * H + y`` and ``(y * W + x) * C + c``.
"""

NANS = ("propagate", "ignore")
ROUNDING_ABOUT = ("raw", "zero_point")
CAFFE = "caffe"
"""A ceil mode by Caffe's rule for the last window."""
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
        raise wrong(field, wanted, value)
    if not low <= number <= high:
        raise wrong(field, wanted, number)
    return number


def boolean(field: str, value: object) -> bool:
    """Return `value` as a bool, or refuse it."""
    if not isinstance(value, (bool, np.bool_)):
        raise wrong(field, "True or False", value)
    return bool(value)


def ceil_mode(value: object) -> bool | str:
    """Return `value` as a bool or as ``"caffe"``, or refuse it."""
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, str) and value == CAFFE):
        return CAFFE if isinstance(value, str) else bool(value)
    raise wrong("ceil_mode", f"True, False or {CAFFE!r}", value)


def choice(field: str, value: object, choices: Iterable[str], others: str = "") -> str:
    """Return `value` where it is one of `choices`, or refuse it and offer the nearest."""
    choices = tuple(choices)
    if isinstance(value, str) and value in choices:
        return str(value)
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    raise wrong(field, f"one of {', '.join(choices)}{others}", value, hint)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether `value` is read as one value per axis."""
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def spread(value: Any, axes: int) -> Sequence[Any]:
    """Return the values of each axis, all the same where `value` is one."""
    return value if is_sequence(value) else (value,) * axes


def pair(field: str, value: object, what: str) -> Sequence[Any]:
    """Return `value` where it is two, or refuse it."""
    if not is_sequence(value) or len(value) != 2:
        raise wrong(field, what, value)
    return value


def axes_of(given: dict[str, Any], ndim: object) -> int:
    """Return the number of spatial axes that `ndim` and the lengths of tuples agree on.

    2 where nothing says.
    """
    source, axes = "ndim", None if ndim is None else integer("ndim", ndim, 1, MOST_AXES)
    for field, value in given.items():
        if not is_sequence(value):
            continue
        if len(value) not in (range(1, MOST_AXES + 1) if axes is None else (axes,)):
            many = f"1 to {MOST_AXES} axes" if axes is None else f"{axes} by {source}"
            nested = ", before and after nested as in ((1, 0), (0, 1))"
            raise SpecError(
                field,
                f"{field} must have one value per axis ({many})"
                f"{nested if field == 'padding' else ''}, not {shown(value)}.",
            )
        if axes is None:
            source, axes = field, len(value)
    return 2 if axes is None else axes


def adaptive(value: object, axes: int) -> str | tuple[int | None, ...] | None:
    """Return `value` as ``"global"``, as the outputs of each axis or as None."""
    if value is None or (isinstance(value, str) and value == GLOBAL):
        return None if value is None else GLOBAL
    what = f"{GLOBAL!r}, a positive integer up to {MOST}, or None, or a tuple of one per axis"
    return tuple(
        None if v is None else integer("adaptive", v, 1, what=what) for v in spread(value, axes)
    )


def per_axis(field: str, value: object, axes: int) -> tuple[int, ...]:
    """Return `value`, a positive integer or one per axis, as a tuple."""
    others = f", {GLOBAL}" if field == "kernel" else ""
    what = f"a positive integer up to {MOST}{others} or a tuple of one per axis"
    return tuple(integer(field, v, 1, what=what) for v in spread(value, axes))


def padding(value: object, axes: int) -> str | tuple[tuple[int, int], ...]:
    """Return `value` as a name or as a pair of before and after per axis."""
    if isinstance(value, str):
        return choice("padding", value, NAMED_PADDINGS, " or integers")
    what = (
        f"an integer up to {MOST}, one per axis,"
        " or before and after nested per axis as in ((1, 0), (0, 1))"
    )
    values = spread(value, axes)
    nested = [is_sequence(v) for v in values]
    if any(nested) and (not all(nested) or any(len(v) != 2 for v in values)):
        raise wrong("padding", what, value)
    pairs = values if any(nested) else [(v, v) for v in values]
    return tuple(
        (integer("padding", b, -MOST, what=what), integer("padding", a, -MOST, what=what))
        for b, a in pairs
    )


Clamp = tuple[int, int] | tuple[float, float]
INFINITIES = {"inf": math.inf, "-inf": -math.inf}
"""How JSON has what it has no number for."""


def clamp(value: object, dtype: DType) -> Clamp | None:
    """Return `value` as a pair of integers, or of floats of a type that is one, or None."""
    if value is None:
        return None
    if dtype.is_float:
        return _clamp_of_floats(value, dtype)
    what = "two integers of 64 bits, (low, high) with low <= high"
    ends = pair("clamp", value, what)
    low, high = (integer("clamp", v, -(1 << 63), (1 << 63) - 1, what) for v in ends)
    if low > high:
        raise wrong("clamp", what, value)
    return low, high


def _clamp_of_floats(value: object, dtype: DType) -> tuple[float, float]:
    """Return `value` as a pair of values of a float's type, low first; a zero has no sign."""
    what = f"two values of {dtype}, (low, high) with low <= high, such as (0, inf)"
    ends = []
    for end in pair("clamp", value, what):
        given = INFINITIES.get(end, end) if isinstance(end, str) else end
        try:
            number = math.nan if isinstance(given, (bool, np.bool_, str)) else float(given)
        except (TypeError, ValueError, OverflowError):  # no number, or an integer above any float
            number = math.nan
        if math.isnan(number):
            raise wrong("clamp", what, end)
        with np.errstate(over="ignore"):
            nearest = float(np.array(number).astype(dtype.numpy))
        if nearest != given:
            raise SpecError(
                "clamp",
                f"clamp {shown(given)} is no value of {dtype}; use {nearest!r}, the nearest.",
            )
        ends.append(number + 0.0)  # -0 and 0 bound the same numbers
    low, high = ends
    if low > high:
        raise wrong("clamp", what, value)
    return low, high


def divisor(value: object) -> int | None:
    """Return `value` as an integer other than 0, or None."""
    if value is None:
        return None
    what = f"an integer from {-MOST} to {MOST} other than 0"
    number = integer("divisor_override", value, -MOST, what=what)
    if number == 0:
        raise wrong("divisor_override", what, 0)
    return number


def lengths(
    field: str,
    value: object,
    what: str = f"1 to {MOST_AXES} positive integers up to {MOST}, one per axis",
    counts: Container[int] = range(1, MOST_AXES + 1),
) -> tuple[int, ...]:
    """Return `value` as lengths, as many as one of `counts` says, or refuse it."""
    if not is_sequence(value) or len(value) not in counts:
        raise wrong(field, what, value)
    return tuple(integer(field, n, 1, what=what) for n in value)


MOST_SCALE_BITS = 63
"""Bits of a scale's numerator and denominator: more than two float32 of usual size give."""
MOST_SCALE_DIGITS = 400
"""Digits of a number in a text: more than any float's exact decimal of so many bits has."""


def scale(value: object) -> Fraction:
    """Return `value` as a positive fraction in lowest terms, or refuse it.

    A text is a number, or one over another: with a decimal among them the ratio of what a runtime
    holds as float32, ``"0.02/0.05"``.
    """
    try:
        number = _fraction(value)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    ends = number.numerator, number.denominator
    if min(ends) < 1 or max(ends).bit_length() > MOST_SCALE_BITS:
        what = (
            "a positive fraction such as Fraction(1, 3) or '1/3', of"
            f" at most {MOST_SCALE_BITS} bits above and below"
        )
        raise wrong("scale", what, value)
    return number


def float32_ratio(input_scale: float, output_scale: float) -> Fraction:
    """Return the exact ratio of two positive scales as the runtimes hold them: as float32."""
    exact = []
    for value in (input_scale, output_scale):
        try:
            with np.errstate(over="ignore"):
                number = np.float32(value)
        except (TypeError, ValueError, OverflowError):
            number = np.float32(np.nan)
        if not (np.isfinite(number) and number > 0):
            raise wrong("scale", "of positive numbers", value)
        exact.append(Fraction(float(number)))
    return exact[0] / exact[1]


def _fraction(value: object) -> Fraction:
    """Return an exact number, or a text that is one, as a fraction; 0 where it is none."""
    if isinstance(value, str):
        ends = value.split("/")
        # what has more digits than that, or a larger exponent, takes long and has too many bits
        digits = [re.fullmatch(r"([^e]*)(?:e([-+]?\d{1,3}))?", end.lower()) for end in ends]
        if not all(match and len(match[1]) <= MOST_SCALE_DIGITS for match in digits):
            return Fraction(0)
        if len(ends) == 2 and not all(end.strip().isdecimal() for end in ends):
            above, below = map(float, ends)
            return float32_ratio(above, below)
        return Fraction(value)
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    return Fraction(0)


def zero_points(value: object, held: Sequence[DType]) -> tuple[int, int]:
    """Return `value` as the zero points of input and output, whose types are `held`."""
    what = f"two integers, the input's within {held[0]} and the output's within {held[1]}"
    zero_in, zero_out = (
        integer("zero_points", v, dtype.low, dtype.high, what)
        for v, dtype in zip(pair("zero_points", value, what), held, strict=True)
    )
    return zero_in, zero_out
