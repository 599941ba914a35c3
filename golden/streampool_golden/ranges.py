"""The ranges of what an operation makes of a window's inputs."""

import math
from dataclasses import dataclass

from .dtypes import DType, width
from .operations import Operation
from .rounding import round_root

MOST_BITS_EXACT = 63  # so that a sum and its negative fit in NumPy's int64


@dataclass(frozen=True)
class Accumulator:
    """The range of the exact values that pooling holds between input and finishing.

    Attributes
    ----------
    low, high : int
        The lowest and highest; 0 is among them but for maxima and minima.
    signed : bool
        Whether `low` is negative.
    bits : int
        Width in bits, the sign included.
    """

    low: int
    high: int
    signed: bool
    bits: int


def partial_of(operation: Operation, dtype: DType, taps: int) -> Accumulator:
    """Return the range of the exact reduction of up to `taps` inputs.

    Of floats, a sum's is in multiples of the type's smallest value, ``2**unit``; a maximum's is
    that of their bits.
    """
    low, high = dtype.low, dtype.high
    if dtype.is_float and not operation.selects:
        low, high = -dtype.most, dtype.most
    low, high = operation.reduction.range(*operation.term_range(low, high), taps)
    return Accumulator(low, high, low < 0, width(low, high))


def result_range(
    operation: Operation, dtype: DType, taps: int, rounding: str = "half_away"
) -> tuple[int, int]:
    """Return the lowest and highest result, rounded, of up to `taps` inputs."""
    if operation.mean:
        return dtype.low, dtype.high
    exact = partial_of(operation, dtype, taps)
    if operation.root and exact.bits > MOST_BITS_EXACT:  # no accumulator's, but an answer
        return 0, math.isqrt(exact.high) + 1
    if operation.root:
        return 0, int(round_root(exact.high, 1, rounding))
    return exact.low, exact.high
