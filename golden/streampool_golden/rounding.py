"""Exact quotients, their roots and averages of quantised values, rounded once."""

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from .fields import MOST, MOST_AXES, ROUNDINGS, choice, integer


def round_div(num: Any, den: Any, mode: str = "half_away") -> np.ndarray:
    """Return num / den rounded to integers, exactly.

    Parameters
    ----------
    num, den : array_like of int
        Broadcast against each other. Integers beyond 64 bits in object arrays stay exact.
        No `den` may be 0.
    mode : {"half_away", "half_even", "half_up", "floor", "trunc"}
        Halves away from zero, to even, up; down; toward zero.

    Returns
    -------
    numpy.ndarray
        Of int64, or of objects where an input is or a value does not fit.

    Raises
    ------
    SpecError
        If `mode` is not one of the above.
    ZeroDivisionError
        If a `den` is 0.

    Notes
    -----
    Half away from zero is ``(num + den / 2) / den`` in C's integers, with the sum's sign
    on ``den / 2``, as TFLite and CMSIS-NN have it.
    """
    choice("rounding", mode, ROUNDINGS)
    num, den = _exact(num), _exact(den)
    shape = np.broadcast_shapes(num.shape, den.shape)
    # Of no axes, an operation on objects would give a bare object.
    num, den = np.atleast_1d(num), np.atleast_1d(den)
    if (den == 0).any():
        raise ZeroDivisionError("round_div by 0")
    if num.dtype != den.dtype:
        num, den = num.astype(object), den.astype(object)
    num, den = np.where(den < 0, -num, num), np.abs(den)
    floor = num // den
    rest = num - floor * den
    # compared so, nothing doubles: no divisor is too large
    beyond, tie = rest > den - rest, rest == den - rest
    up = {
        "floor": np.zeros(rest.shape, dtype=bool),
        "trunc": (num < 0) & (rest != 0),
        "half_up": beyond | tie,
        "half_away": beyond | (tie & (num > 0)),
        "half_even": beyond | (tie & (floor % 2 == 1)),
    }[mode]
    return (floor + up.astype(floor.dtype)).reshape(shape)


def round_root(num: Any, den: Any = 1, mode: str = "half_away", degree: int = 2) -> np.ndarray:
    """Return the root of num / den rounded to integers, exactly, in int64.

    Parameters
    ----------
    num, den : array_like of int
        Broadcast against each other; no `num` below 0 or beyond int64, no `den` below 1 or
        beyond what three axes' kernels have.
    mode : {"half_away", "half_even", "half_up", "floor", "trunc"}
        Of the exact root: halves up, to even, up; down, down, as no root is below 0.
    degree : int, optional
        2 for the square root, 3 for the cube root, up to 8.

    Raises
    ------
    SpecError
        If `mode` is not one of the above, or a `num`, `den` or `degree` is out of range or no
        integer.
    ZeroDivisionError
        If a `den` is 0.

    Notes
    -----
    With degree p it is one up from the root rounded down where ``(2 root + 1)**p den <= 2**p num``,
    and a tie where these are equal. So to the nearest it is also ``(r + 1) >> 1``, where r is the
    root of ``floor(2**p num / den)`` rounded down. Without a `den` there is no tie: an odd number
    would equal an even one.

    Examples
    --------
    >>> round_root([1, 25, 50], 4).tolist(), round_root([1, 25, 50], 4, "half_even").tolist()
    ([1, 3, 4], [0, 2, 4])
    """
    choice("rounding", mode, ROUNDINGS)
    if np.any(np.asarray(den) == 0):
        raise ZeroDivisionError("round_root by 0")
    most = np.iinfo(np.int64).max
    num, den = _within("num", num, 0, most), _within("den", den, 1, MOST**MOST_AXES)
    degree = integer("degree", degree, 2, 8)
    root = _floor_roots(np.asarray(num // den).astype(np.int64), degree)
    if mode in ("floor", "trunc"):
        return root
    # 2 root + 1 is at most 3 times the exact root, or 1
    if max(num.max(initial=0), den.max(initial=0)) > most // 3**degree:
        num, den = num.astype(object), den.astype(object)
    half, whole = (2 * root.astype(num.dtype) + 1) ** degree * den, num << degree
    up = np.asarray(half <= whole)
    if mode == "half_even":
        up &= (half != whole) | (root % 2 == 1)
    return root + up.astype(np.int64)


def floor_root(value: int, degree: int) -> int:
    """Return the largest integer whose power of that degree is not beyond `value`."""
    root = 0
    for bit in reversed(range(-(-value.bit_length() // degree))):
        if (root | 1 << bit) ** degree <= value:
            root |= 1 << bit
    return root


@dataclass(frozen=True)
class Requantisation:
    """What is done to an exact sum besides division, so that it is rounded once.

    What leaves is ``round((factor * sum + offset) / (below * divisor)) + after``, in integers,
    with `offset` and the divisor of each window. With scale ``factor / below``, that is
    ``scale * (sum - taps * zero_in) / divisor + zero_out``: a real 0, which padding stands for,
    is the raw value `zero_in`, so only the real inputs of a window bring it along.

    Attributes
    ----------
    factor, below : int
        The scale's numerator and denominator; positive.
    zero_in : int
        The input's zero point.
    before, after : int
        The output's zero point, as it is added before or after the rounding; the other is 0.
    """

    factor: int
    below: int
    zero_in: int
    before: int
    after: int

    def offset(self, divisor: Any, taps: Any) -> Any:
        """Return the offset of a window of that divisor and so many real inputs."""
        return self.before * self.below * divisor - self.factor * self.zero_in * taps


def _exact(values: Any) -> np.ndarray:
    """Return `values` as int64 where they and their negatives fit, else as objects."""
    array = np.asarray(values)
    if array.dtype != object:
        limit = np.iinfo(np.int64).max
        if not array.size or (int(array.min()) >= -limit and int(array.max()) <= limit):
            return array.astype(np.int64)
    return array.astype(object)


def _within(field: str, values: Any, low: int, most: int) -> np.ndarray:
    """Return integers as int64 where they fit, or refuse what is none, below `low` or too large."""
    array = np.asarray(values)
    integers = array.size > 0 and array.dtype.kind in "iuO"
    for value in (array.min(), array.max()) if integers else array.ravel()[:1]:
        integer(field, value, low, most, what=f"integers from {low} to {most}")
    return _exact(array)


def _floor_roots(values: np.ndarray, degree: int) -> np.ndarray:
    """Return `floor_root` of int64s."""
    root = (values.astype(np.float64) ** (1 / degree)).astype(np.int64)  # off by one at the most
    root = np.minimum(root, floor_root(np.iinfo(np.int64).max, degree))
    root -= root**degree > values
    step = sum(comb(degree, k) * root**k for k in range(degree))  # to the next power
    return root + (values - root**degree >= step)
