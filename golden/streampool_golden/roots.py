"""Roots of exact quotients, rounded once."""

from typing import Any

import numpy as np

from .fields import ROUNDINGS, choice


def round_root(num: Any, den: Any = 1, mode: str = "half_away") -> np.ndarray:
    """Return the square root of num / den rounded to integers, exactly.

    Parameters
    ----------
    num, den : array_like of int
        Within int64, broadcast against each other; no `num` below 0, no `den` below 1.
    mode : {"half_away", "half_even", "half_up", "floor", "trunc"}
        Of the exact root: halves up, to even, up; down, down, as no root is below 0.

    Returns
    -------
    numpy.ndarray of int64

    Raises
    ------
    SpecError
        If `mode` is not one of the above.

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
    num, den = np.asarray(num, dtype=np.int64), np.asarray(den, dtype=np.int64)
    root = _isqrt(num // den)
    if mode in ("floor", "trunc"):
        return root
    # num / den >= (root + 1/2)**2, with den * root taken off both sides
    beyond = num - den * root * root - den * root
    quarter, rest = np.divmod(den, 4)
    up = beyond >= quarter + (rest > 0)
    if mode == "half_even":
        up &= (beyond > quarter) | (rest > 0) | (root % 2 == 1)
    return root + up


def _isqrt(values: np.ndarray) -> np.ndarray:
    """Return the largest integers whose squares are not beyond `values`."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)  # off by one at the most
    root -= root * root > values
    return root + (values - root * root > 2 * root)
