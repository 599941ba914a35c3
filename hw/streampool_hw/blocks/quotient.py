"""A positive number over one of a few divisors, rounded down: digit by digit, or by a product."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from amaranth.hdl import Cat, Const, Module, Mux, Value, unsigned

from ..datapath.pipeline import Bundle, Nothing, Step
from .block import Block
from .division import reciprocal
from .multiplier import Multiplier


class Dividend(Bundle):
    """A number to be divided, and the bundle that goes beside it."""

    rest: Value
    beside: Any = Nothing()


class Quotient(Bundle):
    """A quotient rounded down, whether it is exact, and what went beside the dividend."""

    beside: Any
    quotient: Value
    exact: Value


class _Dividing(Bundle):
    beside: Any
    remainder: Value
    digits: Value


class _HasDivisor(Protocol):
    """What the lanes of a beat share: among others the divisor, or its reciprocal."""

    @property
    def by(self) -> Value: ...


class _By(Bundle):
    by: Value


class _Divider(Block):
    """Divide a number, `largest` at most, by one of a few positive divisors; the quotient fits.

    What is used of each divisor is in `table`; a beat shares its own one's as `by`.
    """

    TAKES: ClassVar = Dividend

    def __init__(
        self,
        steps: Sequence[Step],
        divisors: tuple[int, ...],
        table: tuple[int, ...],
        bits: int,
        largest: int,
    ):
        self._divisors, self._table, self._bits = divisors, table, bits
        super().__init__(
            steps,
            {"rest": unsigned(largest.bit_length())},
            {"quotient": unsigned(bits), "exact": 1},
            len(divisors),
        )

    def beat(self, which: Value) -> Bundle:
        return _By(self.by(which))

    def by(self, which: Value) -> Value:
        """Return what a beat has to share as `by`."""
        return self.look_up("by", self._table, which)

    def model(self, rest: int, which: int = 0) -> tuple[int, int]:
        """Return the quotient, and whether it is exact."""
        quotient, left = divmod(rest, self._divisors[which])
        return quotient, int(left == 0)


class RestoringDivider(_Divider):
    """Divide by restoring division, one bit per clock. Latency: ``bits + 1`` clocks."""

    def __init__(self, bits: int, divisors: tuple[int, ...]):
        self._most = max(divisors).bit_length()
        steps = [Step(self._first), *[Step(self._digit)] * (bits - 1), Step(self._end)]
        super().__init__(steps, divisors, divisors, bits, (max(divisors) << bits) - 1)

    def _first(self, m: Module, lane: Dividend, beat: _HasDivisor) -> _Dividing:
        rest = lane.rest
        return self._digit(m, _Dividing(lane.beside, rest[self._bits :], rest.as_unsigned()), beat)

    def _digit(self, m: Module, lane: _Dividing, beat: _HasDivisor) -> _Dividing:
        digits = (lane.digits | Const(0, self._bits))[: self._bits]
        trial = Cat(digits[-1], lane.remainder)
        fits = ~(trial < beat.by)
        rest = Mux(fits, trial - beat.by, trial)
        return _Dividing(lane.beside, rest.as_unsigned()[: self._most], Cat(fits, digits[:-1]))

    def _end(self, m: Module, lane: _Dividing, beat: Bundle) -> Quotient:
        return Quotient(lane.beside, lane.digits, lane.remainder == 0)


class ReciprocalDivider(_Divider):
    """Divide by multiplying with a reciprocal and shifting, exactly; see `reciprocal`.

    Latency: `Multiplier.LATENCY` clocks and one; one clock where every divisor is a power of two
    and the smallest.
    """

    def __init__(self, bits: int, divisors: tuple[int, ...], largest: int):
        self._shift, table = reciprocal(divisors, largest)
        steps = [Step(self._cut)]
        if set(table) != {1}:  # more than a shift
            steps.insert(0, Step(self._multiply, clocks=Multiplier.LATENCY))
        super().__init__(steps, divisors, table, bits, largest)

    def _multiply(self, m: Module, lane: Dividend, beat: _HasDivisor) -> Dividend:
        m.submodules += (multiplier := Multiplier(len(lane.rest), len(beat.by), self.family))
        m.d.comb += [multiplier.a.eq(lane.rest), multiplier.b.eq(beat.by)]
        return Dividend(multiplier.product)

    def _cut(self, m: Module, lane: Dividend, beat: _HasDivisor) -> Quotient:
        product = lane.rest
        # the fraction is below the reciprocal just where the remainder is 0
        exact = (product & ((1 << self._shift) - 1)) < beat.by
        return Quotient(Nothing(), (product >> self._shift)[: self._bits], exact)
