"""How an exact sum is divided, worked out in plain Python before any gate."""

from dataclasses import dataclass

__all__ = ["Division", "reciprocal"]

MULTIPLIER_BITS = 18
"""Operand width of the multipliers that FPGAs have: 18 x 18 on most."""


def reciprocal(divisors: tuple[int, ...], largest: int) -> tuple[int, tuple[int, ...]]:
    """Find the constants that turn division into multiplication and shift, exactly.

    With ``c = ceil(2**k / d)`` and ``e = c * d - 2**k``, ``(u * c) >> k == u // d`` for every
    ``0 <= u <= largest`` as soon as ``u * e < 2**k`` (Granlund and Montgomery, "Division by
    invariant integers using multiplication", 1994).

    Parameters
    ----------
    divisors : tuple of int
        Positive.
    largest : int
        The largest number to be divided.

    Returns
    -------
    shift : int
        The smallest ``k`` that serves all divisors.
    multipliers : tuple of int
        ``c`` of each.
    """
    shift = 0
    while True:
        multipliers = tuple(-(-(1 << shift) // d) for d in divisors)
        errors = (c * d - (1 << shift) for c, d in zip(multipliers, divisors, strict=True))
        if all(error * largest < 1 << shift for error in errors):
            return shift, multipliers
        shift += 1


@dataclass(frozen=True)
class Division:
    """Division of sums by one of a few divisors, with one rounding.

    A sum is split into sign and magnitude; the magnitude, with a bias that depends on sign and
    rounding, is divided with the remainder thrown away. To the nearest even, the quotient is
    one less where the division came out even on a half and the quotient odd.

    Parameters
    ----------
    divisors : tuple of int
        Distinct, not 0; all of one sign.
    magnitude : int
        The largest magnitude of a sum.
    rounding : str
        As ``PoolSpec.rounding``.
    """

    divisors: tuple[int, ...]
    magnitude: int
    rounding: str

    @property
    def negative(self) -> bool:
        """Whether the divisors are negative."""
        return self.divisors[0] < 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """The divisors without their sign."""
        return tuple(abs(d) for d in self.divisors)

    def bias(self, negative: bool) -> tuple[int, ...]:
        """Return what is added to the magnitude, for each divisor.

        Parameters
        ----------
        negative : bool
            Whether the quotient is below 0.
        """
        rule = {
            "half_away": lambda n: n // 2,
            "half_even": lambda n: n // 2,
            "half_up": lambda n: (n - 1) // 2 if negative else n // 2,
            "floor": lambda n: n - 1 if negative else 0,
            "trunc": lambda n: 0,
        }[self.rounding]
        return tuple(rule(n) for n in self.sizes)

    @property
    def largest(self) -> int:
        """The largest biased magnitude."""
        return self.magnitude + max(self.bias(True) + self.bias(False))

    @property
    def quotient_bits(self) -> int:
        """Bits that hold every quotient's magnitude."""
        return max(1, (self.largest // min(self.sizes)).bit_length())

    @property
    def multiplies(self) -> bool:
        """Whether multiplication and shift do it within a device's multiplier."""
        _, multipliers = reciprocal(self.sizes, self.largest)
        return max(self.largest, *multipliers).bit_length() <= MULTIPLIER_BITS
