"""What a window can be reduced to: one entry per operation, and the table of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .dtypes import DType, width
from .rounding import floor_root, round_root

MOST_BITS_EXACT = 63  # so that a sum and its negative fit in NumPy's int64


@dataclass(frozen=True)
class Reduction:
    """How two partials become one; associative and commutative.

    Parameters
    ----------
    combine : numpy.ufunc
        What it is on arrays.
    identity : callable
        Given the lowest and highest value of an input, returns what changes no partial.
    range : callable
        Given the lowest and highest value of an input and the most taps of a window, returns the
        lowest and highest partial.
    """

    combine: np.ufunc
    identity: Callable[[int, int], int]
    range: Callable[[int, int, int], tuple[int, int]]


SUM = Reduction(
    np.add,
    lambda low, high: 0,
    lambda low, high, taps: (min(0, taps * low), max(0, taps * high)),
)
MAXIMUM = Reduction(np.maximum, lambda low, high: low, lambda low, high, taps: (low, high))
MINIMUM = Reduction(np.minimum, lambda low, high: high, lambda low, high, taps: (low, high))


@dataclass(frozen=True)
class Accumulator:
    """The range of the exact values that pooling holds between input and finishing.

    0 is within it but for maxima and minima. Its width in `bits` has the sign included.
    """

    low: int
    high: int
    signed: bool
    bits: int


@dataclass(frozen=True)
class Operation:
    """One operation, from input to output.

    Parameters
    ----------
    reduction : Reduction
        What becomes of the taps of a window.
    before : callable, optional
        What becomes of each input first, exactly: takes an int or an array of int64. On either
        side of 0 it has to be monotone.
    terms : str, optional
        What the reduction takes, for a sentence.
    mean : bool, optional
        Whether the reduction is divided by the taps, or by `divisor_override`. A mean is as
        large as an input, saturates to the output's type, and no kernel is too large for it.
    counts_pad : bool, optional
        Whether a mean divides by padding where the specification does not say.
    root : int, optional
        The degree of the root that leaves: 2 for the square root, 0 for none.
    selects : {"largest", "smallest"}, optional
        Which of a window's inputs leaves, where one does: it has an index, and NaN and zero
        points are kept.
    widens : bool, optional
        Whether the output's type is by default the narrowest that always holds it; else it is
        the input's.
    floats : bool, optional
        Whether there is one of floats.
    """

    reduction: Reduction
    before: Callable[[Any], Any] | None = None
    terms: str = "values"
    mean: bool = False
    counts_pad: bool = True
    root: int = 0
    selects: Literal["largest", "smallest"] | None = None
    widens: bool = False
    floats: bool = False

    @property
    def requantises(self) -> bool:
        """Whether scale and zero points have a meaning: of a mean without a root."""
        return self.mean and not self.root

    def term_range(self, low: int, high: int) -> tuple[int, int]:
        """Return the lowest and highest value that the reduction takes."""
        if self.before is None:
            return low, high
        ends = [self.before(x) for x in (low, high, min(max(low, 0), high))]
        return min(ends), max(ends)

    def partial(self, dtype: DType, taps: int) -> Accumulator:
        """Return the range of the exact reduction of up to `taps` inputs.

        Of floats, a sum's is in multiples of the type's smallest value, ``2**unit``; a maximum's
        is that of their bits.
        """
        low, high = dtype.low, dtype.high
        if dtype.is_float and not self.selects:
            low, high = -dtype.most, dtype.most
        low, high = self.reduction.range(*self.term_range(low, high), taps)
        return Accumulator(low, high, low < 0, width(low, high))

    def result(self, dtype: DType, taps: int, rounding: str) -> tuple[int, int]:
        """Return the lowest and highest result, rounded, of up to `taps` inputs."""
        if self.mean:
            return dtype.low, dtype.high
        exact = self.partial(dtype, taps)
        if self.root and exact.bits > MOST_BITS_EXACT:  # no accumulator's, but an answer
            return 0, floor_root(exact.high, self.root) + 1
        if self.root:
            return 0, int(round_root(exact.high, 1, rounding, self.root))
        return exact.low, exact.high


OPERATIONS: dict[str, Operation] = {
    "max": Operation(MAXIMUM, selects="largest", floats=True),
    "min": Operation(MINIMUM, selects="smallest", floats=True),
    "avg": Operation(SUM, mean=True, floats=True),
    "sum": Operation(SUM, widens=True, floats=True),
    # divides by no padding, as in TFLite
    "l2": Operation(SUM, lambda x: x * x, "squares", mean=True, counts_pad=False, root=2),
    "lp1": Operation(SUM, abs, widens=True),
    "lp2": Operation(SUM, lambda x: x * x, "squares", root=2, widens=True),
    "lp3": Operation(SUM, lambda x: abs(x) ** 3, "cubes", root=3, widens=True),
    "lp4": Operation(SUM, lambda x: x**4, "fourth powers", root=4, widens=True),
    # GeM is built on torch's average, which counts padding
    "gem3": Operation(SUM, lambda x: abs(x) ** 3, "cubes", mean=True, root=3),
    "gem4": Operation(SUM, lambda x: x**4, "fourth powers", mean=True, root=4),
}
"""Each operation by the name that `PoolSpec` takes. An entry put here from outside works too."""

OPS = tuple(OPERATIONS)
"""The operations that come with the package."""


def names(**wanted: object) -> str:
    """Return the operations whose entry has `wanted`, for a sentence: ``"max or min"``."""
    found = [
        name
        for name, operation in OPERATIONS.items()
        if all(bool(getattr(operation, field)) == value for field, value in wanted.items())
    ]
    return " or ".join(filter(None, (", ".join(found[:-1]), found[-1])))
