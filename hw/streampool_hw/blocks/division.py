"""How an exact sum is divided, worked out in plain Python before any gate.

**A quotient by a product** (Granlund and Montgomery, "Division by invariant integers using
multiplication", 1994). Let ``d >= 1``, ``c = ceil(2**k / d)`` and ``e = c d - 2**k``, so that
``0 <= e < d``. If ``0 <= u <= largest`` and ``largest * e < 2**k``, then
``(u c) >> k == u // d``; and the k bits shifted out are below ``c`` just where d divides u.

*Proof.* Let ``u = q d + r`` with ``0 <= r < d``. As ``c = (2**k + e) / d``,

    u c / 2**k  =  q + (r + f) / d,    where f = u e / 2**k and 0 <= f < 1.

``r + f < d``, so the quotient rounded down is ``q``. The bits shifted out are
``x = (r 2**k + u e) / d``, a whole number. If r is 0, ``x = u e / d < 2**k / d <= c``. Otherwise
``x >= 2**k / d``, and being whole, ``x >= ceil(2**k / d) = c``.

A k is always found: as ``e < d``, one with ``2**k >= d * largest`` serves.

**A rounding by an offset.** Rounded down is ``s // n`` for a number s and a divisor n > 0. With
``h = n // 2`` and for whole numbers, ``floor((s + n / 2) / n) == (s + h) // n``, since nothing is
between ``s + h`` and ``s + n / 2`` but a half; and ``ceil(s / n) == (s + n - 1) // n``. So, of
``x = s / n``:

- half up, ``floor(x + 1/2)``, is ``(s + h) // n``;
- half away from 0 is that for x >= 0, and ``ceil(x - 1/2) == (s - h + n - 1) // n`` below;
- toward 0 is ``s // n`` for x >= 0, and ``(s + n - 1) // n`` below;
- half to even is half up, less one at a tie whose result is odd. A tie is where n is even and
  divides ``s + h``.

A multiple ``E n`` added to s adds E to the quotient. With ``E >= -low`` what is divided is not
negative, as ``s >= low n``; and with E even the quotient's parity stays.

tests/proofs/exact.py checks all that is said here on the numbers that cores have.
"""

from dataclasses import dataclass, replace

from ..vendor.ecp5 import MULTIPLIER_BITS


def reciprocal(divisors: tuple[int, ...], largest: int) -> tuple[int, tuple[int, ...]]:
    """Find the constants that turn division into multiplication and shift, exactly.

    Returned are the smallest ``k`` with which the theorem above holds for all divisors, which are
    positive, up to `largest`, and the ``c`` of each.
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

    To a sum, negated if the divisor is negative, `offset` is added: its bias, what the rounding
    asks for, and a multiple of the divisor that makes it positive. Then it is divided with the
    remainder thrown away, and `excess`, what the quotient is too large by, is a power of two. To
    the nearest even, the quotient is one less where the division came out even on a half and the
    quotient odd.

    The divisors are not 0, and all of one sign. No exact quotient is beyond `low` and `high`. For
    each divisor a bias may be added to the sum: ``(sum + bias) / divisor``.
    """

    divisors: tuple[int, ...]
    low: int
    high: int
    rounding: str
    biases: tuple[int, ...] = ()

    @property
    def negative(self) -> bool:
        """Whether the divisors are negative."""
        return self.divisors[0] < 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """The divisors without their sign."""
        return tuple(abs(d) for d in self.divisors)

    @property
    def excess(self) -> int:
        """What every quotient is too large by: 0, or an even power of two."""
        return 1 << max(1, (-self.low - 1).bit_length()) if self.low < 0 else 0

    def offset(self, negative: bool) -> tuple[int, ...]:
        """Return what is added to the sum, for each divisor.

        `negative` says whether the exact quotient is below 0; where it is 0, either serves.
        """
        rule = {
            "half_away": lambda n: n - 1 - n // 2 if negative else n // 2,
            "half_even": lambda n: n // 2,
            "half_up": lambda n: n // 2,
            "floor": lambda n: 0,
            "trunc": lambda n: n - 1 if negative else 0,
        }[self.rounding]
        sign = -1 if self.negative else 1
        return tuple(
            rule(n) + self.excess * n + sign * bias
            for n, bias in zip(self.sizes, self.biases or (0,) * len(self.sizes), strict=True)
        )

    @property
    def largest(self) -> int:
        """The largest number to be divided."""
        unbiased = replace(self, biases=())
        offsets = zip(self.sizes, unbiased.offset(True), unbiased.offset(False), strict=True)
        return max(self.high * n + max(both) for n, *both in offsets)

    @property
    def quotient_bits(self) -> int:
        """Bits that hold every quotient with its excess."""
        return max(1, (self.high + self.excess).bit_length())

    @property
    def multiplies(self) -> bool:
        """Whether multiplication and shift do it within a device's multiplier."""
        _, multipliers = reciprocal(self.sizes, self.largest)
        return max(self.largest, *multipliers).bit_length() <= MULTIPLIER_BITS
