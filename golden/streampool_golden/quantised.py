"""Averages of quantised values: one exact fraction of integers, however scales and zeros are."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import wrong


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

    @classmethod
    def of(
        cls, scale: Fraction, zero_points: tuple[int, int], rounding_about: str
    ) -> "Requantisation | None":
        """Return that of `PoolSpec`'s fields; None where an average is a sum over a divisor."""
        if scale == 1 and zero_points == (0, 0):
            return None
        zero_in, zero_out = zero_points
        ends = (zero_out, 0) if rounding_about == "raw" else (0, zero_out)
        return cls(scale.numerator, scale.denominator, zero_in, *ends)

    def offset(self, divisor: Any, taps: Any) -> Any:
        """Return the offset of a window of that divisor and so many real inputs."""
        return self.before * self.below * divisor - self.factor * self.zero_in * taps


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
