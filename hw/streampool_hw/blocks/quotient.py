"""A positive number over one of a few divisors, rounded down: digit by digit, or by a product."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from amaranth.hdl import Cat, Const, Module, Mux, Value, unsigned

from ..datapath.pipeline import Bundle, Nothing, Step
from .block import Block
from .division import reciprocal
from .multiplier import Multiplier


@dataclass(frozen=True)
class Dividend(Bundle):
    """A number to be divided, and what goes beside it."""

    rest: Value
    beside: Bundle = field(default_factory=Nothing)


@dataclass(frozen=True)
class Quotient(Bundle):
    """A quotient rounded down, whether it is exact, and what went beside the dividend."""

    beside: Bundle
    quotient: Value
    exact: Value


@dataclass(frozen=True)
class _Dividing(Bundle):
    beside: Bundle
    remainder: Value
    digits: Value


@dataclass(frozen=True)
class _Product(Bundle):
    product: Value


class _HasDivisor(Protocol):
    """What the lanes of a beat share: among others the divisor, or its reciprocal."""

    @property
    def by(self) -> Value: ...


@dataclass(frozen=True)
class _By(Bundle):
    by: Value


class RestoringDivider(Block):
    """Divide by restoring division, one bit a clock. Latency: ``bits + 1`` clocks.

    Parameters
    ----------
    bits : int
        Of the quotient, which has to fit.
    divisors : tuple of int
        Positive; a beat shares its own as `by`.
    """

    TAKES: ClassVar = Dividend

    def __init__(self, bits: int, divisors: tuple[int, ...]):
        self.table = divisors
        self._bits, self._most = bits, max(divisors).bit_length()
        steps = [Step(self._first), *[Step(self._digit)] * (bits - 1), Step(self._end)]
        largest = (max(divisors) << bits) - 1
        super().__init__(
            steps,
            {"rest": unsigned(largest.bit_length())},
            {"quotient": unsigned(bits), "exact": 1},
            len(divisors),
        )

    def beat(self, which: Value) -> Bundle:
        return _By(self.look_up("by", self.table, which))

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

    def model(self, rest: int, which: int = 0) -> tuple[int, int]:
        """Return the quotient, and whether it is exact."""
        quotient, left = divmod(rest, self.table[which])
        return quotient, int(left == 0)


class ReciprocalDivider(Block):
    """Divide by multiplying with a reciprocal and shifting, exactly; see `reciprocal`.

    Latency: `Multiplier.LATENCY` clocks and one; one clock where every divisor is a power of two
    and the smallest.

    Parameters
    ----------
    bits : int
        Of the quotient, which has to fit.
    divisors : tuple of int
        Positive; a beat shares its own one's reciprocal as `by`.
    largest : int
        The largest number to be divided.
    family : str
        The family of devices.
    """

    TAKES: ClassVar = Dividend

    def __init__(self, bits: int, divisors: tuple[int, ...], largest: int, family: str):
        self._bits, self._divisors, self._family = bits, divisors, family
        self._shift, self.table = reciprocal(divisors, largest)
        steps = [Step(self._multiply, clocks=Multiplier.LATENCY), Step(self._cut)]
        if set(self.table) == {1}:  # a shift alone
            steps = [Step(self._cut_rest)]
        super().__init__(
            steps,
            {"rest": unsigned(largest.bit_length())},
            {"quotient": unsigned(bits), "exact": 1},
            len(divisors),
        )

    def beat(self, which: Value) -> Bundle:
        return _By(self.look_up("by", self.table, which))

    def _multiply(self, m: Module, lane: Dividend, beat: _HasDivisor) -> _Product:
        m.submodules += (multiplier := Multiplier(len(lane.rest), len(beat.by), self._family))
        m.d.comb += [multiplier.a.eq(lane.rest), multiplier.b.eq(beat.by)]
        return _Product(multiplier.product)

    def _cut_rest(self, m: Module, lane: Dividend, beat: _HasDivisor) -> Quotient:
        return self._cut(m, _Product(lane.rest), beat)

    def _cut(self, m: Module, lane: _Product, beat: _HasDivisor) -> Quotient:
        quotient = (lane.product >> self._shift)[: self._bits]
        # the fraction is below the reciprocal just where the remainder is 0
        exact = (lane.product & ((1 << self._shift) - 1)) < beat.by
        return Quotient(Nothing(), quotient, exact)

    def model(self, rest: int, which: int = 0) -> tuple[int, int]:
        """Return the quotient, and whether it is exact."""
        quotient, left = divmod(rest, self._divisors[which])
        return quotient, int(left == 0)
