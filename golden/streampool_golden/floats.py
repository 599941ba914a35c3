"""Pooling of floats: tap by tap in row-major order, and exact where something is rounded."""

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from .dtypes import DType
from .geometry import Axis

Taps = Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]


def extreme(
    x: np.ndarray, axes: Sequence[Axis], at: int, *, least: bool, nan: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the maximum, or the minimum if `least`, of every window, and where it is.

    Parameters
    ----------
    x : ndarray of float16, bfloat16 or float32
        With the spatial axes from axis `at`.
    axes : sequence of Axis
        The spatial axes.
    at : int
        The first of them in `x`.
    least : bool
        Whether to find the minimum.
    nan : {"propagate", "ignore"}
        As of `PoolSpec`.

    Returns
    -------
    values : ndarray of `x`'s type
        Bit for bit one of the window's values, of equal ones (zeros of either sign are) the
        first in row-major order; of NaNs the last, as torch has it, or what `PoolSpec` says.
    order : ndarray of int64
        The row-major position of each in its plane; of a window of ignored NaNs its first.
    """
    dtype = DType.of(x.dtype)
    infinite = np.array(np.inf if least else -np.inf, np.float32)
    size = x.shape[at : at + len(axes)]
    place = np.arange(math.prod(size)).reshape(*size, *(1,) * (x.ndim - at - len(axes)))
    place = np.broadcast_to(place, x.shape)
    best = np.full(_out_shape(x, axes, at), infinite)
    order = np.full(best.shape, -1)
    numbers = np.zeros(best.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        # float32 holds the 16-bit types, and says the same of two values as they would
        values = x.astype(np.float32)
        for windows, inputs in _taps(axes, at, x.ndim):
            value, old = values[inputs], best[windows]
            better = value < old if least else value > old
            if nan == "propagate":
                better |= np.isnan(value)
            else:  # even an infinity is better than nothing
                better |= ~numbers[windows] & ~np.isnan(value)
            numbers[windows] |= better
            best[windows] = np.where(better, value, old)
            better |= order[windows] < 0
            order[windows] = np.where(better, place[inputs], order[windows])
    bits = x.view(dtype.raw.numpy)
    bits = np.take_along_axis(_flat(bits, axes, at), _flat(order, axes, at), at)
    bits = bits.reshape(order.shape)
    if nan == "ignore":
        nothing = np.nextafter(infinite.astype(x.dtype), np.array(0, x.dtype))
        bits = np.where(numbers, bits, nothing.view(bits.dtype))
    return bits.view(x.dtype), order


def mean(x: np.ndarray, axes: Sequence[Axis], at: int, divisors: np.ndarray) -> np.ndarray:
    """Return every window's exact sum over its divisor, rounded once to nearest, ties to even.

    Parameters
    ----------
    x : ndarray of float16 or bfloat16
        With the spatial axes from axis `at`.
    axes : sequence of Axis
        The spatial axes.
    at : int
        The first of them in `x`.
    divisors : ndarray of int64
        Broadcast against the windows; none is 0.

    Returns
    -------
    ndarray of `x`'s type
        Beyond the largest finite value by half a step or more, an infinity. Zeros alone give the
        sign that IEEE 754 gives their sum: -0 where all are -0, else +0; a sum that cancels is
        +0; a quotient that is rounded to 0 keeps its sign. Of infinities of both signs, or NaN,
        the quiet NaN with nothing else in its fraction and a sign of 0. Padding adds nothing.

    Notes
    -----
    Every finite value is a multiple of the smallest positive one, so the sum is one of integers.
    Those of float16 fit in 64 bits; others are Python's.
    """
    dtype = DType.of(x.dtype)
    shape = _out_shape(x, axes, at)
    most = dtype.most * math.prod(axis.most_taps for axis in axes)
    with np.errstate(invalid="ignore"):  # NaN is what it may be
        units = _units(x, dtype).astype(np.int64 if most < 1 << 63 else object)
        nan, plus, minus = np.isnan(x), x == np.inf, x == -np.inf
        other = (x != 0) | ~np.signbit(x)  # than -0
    total = np.zeros(shape, units.dtype)
    flags = [(each, np.zeros(shape, dtype=bool)) for each in (nan, plus, minus, other)]
    for windows, inputs in _taps(axes, at, x.ndim):
        total[windows] += units[inputs]
        for each, any_ in flags:
            any_[windows] |= each[inputs]
    nan, plus, minus, other = (any_ for _, any_ in flags)
    size = _rounded(total, divisors, dtype)
    size = np.where(plus | minus, np.inf, size)
    negative = minus | (~plus & ((total < 0) | ~other))
    out = np.where(negative ^ (divisors < 0), -size, size)
    with np.errstate(over="ignore", invalid="ignore"):
        out = np.where(nan | (plus & minus), np.nan, out).astype(dtype.numpy)
    # which NaN a conversion makes is nobody's rule
    quiet = ((1 << dtype.exponent) - 1) << dtype.fraction | 1 << (dtype.fraction - 1)
    bits = out.view(dtype.raw.numpy)
    bits[nan | (plus & minus)] = quiet
    return out


def _flat(x: np.ndarray, axes: Sequence[Axis], at: int) -> np.ndarray:
    """Return `x` with its spatial axes as one."""
    end = at + len(axes)
    return x.reshape(*x.shape[:at], math.prod(x.shape[at:end]), *x.shape[end:])


def _out_shape(x: np.ndarray, axes: Sequence[Axis], at: int) -> tuple[int, ...]:
    outputs = tuple(axis.outputs for axis in axes)
    return (*x.shape[:at], *outputs, *x.shape[at + len(axes) :])


def _taps(axes: Sequence[Axis], at: int, ndim: int) -> Taps:
    """Yield the windows that have a tap and the inputs it is, tap by tap in row-major order."""
    before, after = (slice(None),) * at, (slice(None),) * (ndim - at - len(axes))
    for taps in product(*(axis.slices() for axis in axes)):
        windows, inputs = zip(*taps, strict=True)
        yield (*before, *windows, *after), (*before, *inputs, *after)


def _units(x: np.ndarray, dtype: DType) -> np.ndarray:
    """Return `x` in multiples of its type's smallest positive value, 0 for what is not finite."""
    finite = np.where(np.isfinite(x), x, np.array(0, x.dtype)).astype(np.float64)
    if dtype.most < 1 << 63:
        return np.ldexp(finite, -dtype.unit).astype(np.int64)
    whole = 1 << -dtype.unit

    def exact(value: float) -> int:
        top, bottom = value.as_integer_ratio()
        return top * (whole // bottom)

    return np.asarray(np.frompyfunc(exact, 1, 1)(finite))


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
