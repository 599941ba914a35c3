"""Pooling of floats: keys whose order is theirs, and means that are exact until rounded once."""

import math
from collections.abc import Sequence

import numpy as np

from .dtypes import DType
from .geometry import Axis, reduced

_BEYOND = 1 << 31  # above the magnitude of any float
_NAN_MAY_BE = np.errstate(invalid="ignore")  # NumPy warns of one that signals


@_NAN_MAY_BE
def keys(x: np.ndarray, axes: int, *, least: bool, nan: str) -> np.ndarray:
    """Return int64 of which the largest is the value that leaves, the first of equal ones.

    Zeros of either sign are equal. Of NaNs that propagate the last in row-major order is the
    largest, as torch has it; those that are ignored are less than any number. With `least` the
    order of numbers is turned around. The last `axes` of `x` are spatial.
    """
    dtype = DType.of(x.dtype)
    bits = x.view(dtype.raw.numpy).astype(np.int64)
    magnitude = bits & (dtype.high >> 1)
    key = np.where((bits > magnitude) ^ least, -magnitude, magnitude)
    size = x.shape[x.ndim - axes :]
    last = _BEYOND + np.arange(math.prod(size)).reshape(size)
    return np.where(np.isnan(x), last if nan == "propagate" else -_BEYOND, key)


@_NAN_MAY_BE
def chosen(x: np.ndarray, order: np.ndarray, axes: int, *, least: bool, nan: str) -> np.ndarray:
    """Return the values at row-major positions of each plane, bit for bit.

    Where NaNs are ignored, one stands for a window of nothing else: the lowest finite value
    leaves there, or the highest for a minimum.
    """
    bits, at = x.view(DType.of(x.dtype).raw.numpy), x.ndim - axes
    flat, places = (a.reshape(*a.shape[:at], math.prod(a.shape[at:])) for a in (bits, order))
    values = np.take_along_axis(flat, places, at).reshape(order.shape).view(x.dtype)
    if nan == "propagate":
        return values
    infinite, zero = np.array([np.inf if least else -np.inf, 0], x.dtype)
    return np.where(np.isnan(values), np.nextafter(infinite, zero), values)


@_NAN_MAY_BE
def mean(x: np.ndarray, axes: Sequence[Axis], divisors: np.ndarray) -> np.ndarray:
    """Return every window's exact sum over its divisor, rounded once to nearest, ties to even.

    Beyond the largest finite value by half a step or more it is an infinity. Zeros alone give the
    sign that IEEE 754 gives their sum: -0 where all are -0, else +0; a sum that cancels is
    +0; a quotient that is rounded to 0 keeps its sign. Of infinities of both signs, or NaN,
    it is the quiet NaN with nothing else in its fraction and a sign of 0. Padding adds nothing.

    Every finite value is a multiple of the smallest positive one, so the sum is one of integers.
    Those of float16 fit in 64 bits; others are Python's.
    """
    dtype = DType.of(x.dtype)
    most = dtype.most * math.prod(axis.most_taps for axis in axes)
    other = (x != 0) | ~np.signbit(x)  # than -0
    flags = np.stack([np.isnan(x), x == np.inf, x == -np.inf, other])
    units = _units(x, dtype, np.dtype(np.int64 if most < 1 << 63 else object))
    total = reduced(np.add, units, axes, np.zeros((), units.dtype))
    nan, plus, minus, other = reduced(np.logical_or, flags, axes, np.array(False))
    nan |= plus & minus
    size = np.where(plus | minus, np.inf, _rounded(total, divisors, dtype))
    negative = minus | (~plus & ((total < 0) | ~other))
    out = np.where(negative ^ (divisors < 0), -size, size)
    with np.errstate(over="ignore"):
        out = np.where(nan, np.nan, out).astype(dtype.numpy)
    # which NaN a conversion makes is nobody's rule
    quiet = ((1 << dtype.exponent) - 1) << dtype.fraction | 1 << (dtype.fraction - 1)
    out.view(dtype.raw.numpy)[nan] = quiet
    return out


@_NAN_MAY_BE
def clamped(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return `x` with what is below `low`, or above `high`, replaced by it.

    NaN is neither, and leaves as it came, as a zero of either sign does where 0 is a bound: what
    torch and onnxruntime do.
    """
    lowest, highest = np.array([low, high], x.dtype)
    return np.where(x < lowest, lowest, np.where(x > highest, highest, x))


def _units(x: np.ndarray, dtype: DType, integers: np.dtype) -> np.ndarray:
    """Return `x` in multiples of its type's smallest positive value, 0 for what is not finite."""
    bits = x.view(dtype.raw.numpy).astype(integers)
    exponent = (bits >> dtype.fraction) & ((1 << dtype.exponent) - 1)
    leading = np.minimum(exponent, 1) << dtype.fraction  # of a subnormal none
    significand = leading | (bits & ((1 << dtype.fraction) - 1))
    units = np.where(np.isfinite(x), significand << np.maximum(exponent - 1, 0), 0)
    return np.where(np.signbit(x), -units, units)


def _rounded(total: np.ndarray, divisors: np.ndarray, dtype: DType) -> np.ndarray:
    """Return the absolute quotients, rounded to the type's significand, as float64."""

    def quotient(total: int, divisor: int) -> float:
        total, divisor = abs(total), abs(divisor)
        # so many bits of the quotient are below the significand
        below = max(0, (total // divisor).bit_length() - (dtype.fraction + 1))
        whole, rest = divmod(total, divisor << below)
        twice, step = 2 * rest, divisor << below
        whole += twice > step or (twice == step and whole & 1)
        return math.ldexp(whole, below + dtype.unit)

    return np.asarray(np.frompyfunc(quotient, 2, 1)(total, divisors), np.float64)
