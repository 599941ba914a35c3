"""Exact quotients, their roots and averages of quantised values, rounded once."""

from dataclasses import dataclass
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


def round_root(num: Any, den: Any = 1, mode: str = "half_away") -> np.ndarray:
    """Return the square root of num / den rounded to integers, exactly, in int64.

    Parameters
    ----------
    num, den : array_like of int
        Broadcast against each other; no `num` below 0 or beyond int64, no `den` below 1 or
        beyond what three axes' kernels have.
    mode : {"half_away", "half_even", "half_up", "floor", "trunc"}
        Of the exact root: halves up, to even, up; down, down, as no root is below 0.

    Raises
    ------
    SpecError
        If `mode` is not one of the above, or a `num` or `den` is out of range or no integer.
    ZeroDivisionError
        If a `den` is 0.

    Notes
    -----
    To the nearest it is ``(isqrt(floor(4 num / den)) + 1) >> 1``, here compared so that nothing
    needs more bits; a tie is there only where ``4 num == (2 root + 1)**2 den``.

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
    root = _isqrt(np.asarray(num // den))
    if mode in ("floor", "trunc"):
        return root
    # num / den >= (root + 1/2)**2, with den * root taken off both sides
    beyond = num - den * root * root - den * root
    quarter, rest = den // 4, den % 4
    up = np.asarray(beyond >= quarter + (rest > 0))
    if mode == "half_even":
        up &= (beyond > quarter) | (rest > 0) | (root % 2 == 1)
    return root + up


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


def _isqrt(values: np.ndarray) -> np.ndarray:
    """Return the largest integers whose squares are not beyond `values`."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)  # off by one at the most
    root -= root * root > values
    return root + (values - root * root > 2 * root)
