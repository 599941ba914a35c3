"""Division by one of a few divisors: rounded down, and once as a specification says.

`RestoringDivider` finds a quotient digit by digit, `ReciprocalDivider` by a product. `Divider`
makes of either one that is rounded as `Division` works out, and `requantiser` multiplies before.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value, unsigned
from streampool_golden import round_div
from streampool_golden.dtypes import width

from ..datapath.pipeline import Bundle, Nothing, Step, range_shape
from .block import Block, Chain, Number, Window
from .division import Division, reciprocal
from .multiplier import Multiplier, Scale
from .root import Radicand


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


class _By(Bundle):
    by: Value


class _Divider(Block):
    """Divide a number, `largest` at most, by one of a few positive divisors; the quotient fits.

    `table` has each divisor, or its reciprocal; a beat shares that of its own one as `by`. Unless
    somebody `wants_exact`, whether a quotient is exact is a constant that says nothing.
    """

    TAKES: ClassVar = Dividend
    wants_exact = True

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

    def _told(self, exact: Value) -> Value:
        return exact if self.wants_exact else Const(0, 1)

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

    def _first(self, m: Module, lane: Dividend, beat: Any) -> _Dividing:
        rest = lane.rest
        return self._digit(m, _Dividing(lane.beside, rest[self._bits :], rest.as_unsigned()), beat)

    def _digit(self, m: Module, lane: _Dividing, beat: Any) -> _Dividing:
        digits = (lane.digits | Const(0, self._bits))[: self._bits]
        trial = Cat(digits[-1], lane.remainder)
        fits = ~(trial < beat.by)
        rest = Mux(fits, trial - beat.by, trial)
        return _Dividing(lane.beside, rest.as_unsigned()[: self._most], Cat(fits, digits[:-1]))

    def _end(self, m: Module, lane: _Dividing, beat: Bundle) -> Quotient:
        return Quotient(lane.beside, lane.digits, self._told(lane.remainder == 0))


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

    def _multiply(self, m: Module, lane: Dividend, beat: Any) -> Dividend:
        m.submodules += (multiplier := Multiplier(len(lane.rest), len(beat.by), self.family))
        m.d.comb += [multiplier.a.eq(lane.rest), multiplier.b.eq(beat.by)]
        return Dividend(multiplier.product)

    def _cut(self, m: Module, lane: Dividend, beat: Any) -> Quotient:
        product = lane.rest
        # the fraction is below the reciprocal just where the remainder is 0
        exact = (product & ((1 << self._shift) - 1)) < beat.by
        return Quotient(Nothing(), (product >> self._shift)[: self._bits], self._told(exact))


class _Signed(Number):
    minus: Value


class _Held(Number):
    offset: Value


class _Zeroed(Window):
    zero: Value


class _Chosen(Bundle):
    even: Value
    by: Value
    last: Value


class Divider(Block):
    """Divide a number by the divisor of its kind of window, with one rounding.

    An offset makes it positive and says how it is rounded; the quotient is found digit by digit
    or by a product; what it is too large by is taken off. `Division` says why that is exact.

    Latency: that of the quotient's block and 3 clocks, or 5 where the sign of a quotient is not
    the number's.

    The number, of a `shape`, is first shifted left by `shift` places, and `after` is added to the
    quotient. With `exact` leaves beside it whether nothing was rounded down.
    """

    def __init__(
        self,
        division: Division,
        shape: Shape,
        *,
        shift: int = 0,
        after: int = 0,
        exact: bool = False,
    ):
        self.division = division
        self._shift, self._after, self._exact = shift, after, exact
        bits, sizes = division.quotient_bits, division.sizes
        self._quotient = (
            ReciprocalDivider(bits, sizes, division.largest)
            if division.multiplies
            else RestoringDivider(bits, sizes)
        )
        self._quotient.wants_exact = exact or division.rounding == "half_even"
        plus, less = division.offset(False), division.offset(True)
        self._differs = division.low < 0 and plus != less
        both = [each for pair in zip(plus, less, strict=True) for each in pair]
        self._offsets = both if self._differs else [*plus]
        steps = [Step(self._hold, self._look_up), Step(self._add)]
        if self._differs and any(division.biases):
            first = Step(lambda m, lane, beat: lane, self._look_up_zero)
            then = Step(self._compare, lambda beat: Window(beat.last, beat.which))
            steps = [first, then, *steps]
        o = {"value": range_shape(division.low + after, division.high + after)}
        super().__init__(
            [*steps, *self._quotient.steps, Step(self._end)],
            {"value": shape},
            {**o, "exact": 1} if exact else o,
            len(division.divisors),
            [self._quotient],
        )

    def _look_up_zero(self, beat: Window) -> _Zeroed:
        zeros = tuple(-bias for bias in self.division.biases)
        return _Zeroed(beat.last, beat.which, self.look_up("zero", zeros, beat.which))

    def _compare(self, m: Module, lane: Number, beat: _Zeroed) -> _Signed:
        # where a sum is added to, its own sign is not the quotient's
        return _Signed(lane.value, self._minus(lane.value << self._shift < beat.zero))

    def _minus(self, less: Value) -> Value:
        return ~less if self.division.negative else less

    def _look_up(self, beat: Window) -> _Chosen:
        even = tuple(1 - n % 2 for n in self.division.sizes)
        by = self._quotient.by(beat.which)
        return _Chosen(self.look_up("even", even, beat.which), by, beat.last)

    def _hold(self, m: Module, lane: Number | _Signed, beat: Window) -> _Held:
        # the value comes out of a RAM: there is no time to add to it as well
        value = lane.value << self._shift if self._shift else lane.value
        which = beat.which
        if self._differs:
            minus = lane.minus if isinstance(lane, _Signed) else self._minus(value < 0)
            which = Cat(minus, which)
        places = self._open_places()
        row = [sum((each >> k & 1) << n for n, k in enumerate(places)) for each in self._offsets]
        return _Held(value, self.look_up("offset", row, which))

    def _open_places(self) -> list[int]:
        """Return which bits of the offset are not the same in all entries.

        The others are wires: as registers they would be the same in all slices of a core, and
        synthesis would keep one for all.
        """
        row = self._offsets
        if not self._settings.FIXED:
            return [*range(width(min(row), max(row)))]
        changes = reduce(or_, (each ^ row[0] for each in row))
        return [k for k in range(width(min(row), max(row))) if changes >> k & 1]

    def _offset(self, held: Value) -> Value:
        """Return the whole offset, from those bits of it that are held."""
        row = self._offsets
        shape = Shape(width(min(row), max(row)), signed=min(row) < 0)
        places = self._open_places()
        if not places:
            return Const(row[0], shape)
        bits: list[Value] = [Const(row[0] >> k & 1, 1) for k in range(shape.width)]
        for n, k in enumerate(places):
            bits[k] = held[n]
        return Cat(bits).as_signed() if shape.signed else Cat(bits)

    def _add(self, m: Module, lane: _Held, beat: Bundle) -> Dividend:
        value, offset = lane.value, self._offset(lane.offset)
        rest = offset - value if self.division.negative else offset + value
        return Dividend(rest.as_unsigned()[: self.division.largest.bit_length()])

    def _end(self, m: Module, lane: Quotient, beat: _Chosen) -> Number | Radicand:
        whole, lift = lane.quotient, self._after - self.division.excess
        if self.division.rounding == "half_even":
            bits = self.division.quotient_bits
            whole = (whole - (lane.exact & beat.even & whole[0]))[:bits]
        if lift:
            whole = whole + lift if lift > 0 else whole - -lift
        return Radicand(whole, lane.exact) if self._exact else Number(whole)

    def model(self, value: int, which: int = 0) -> tuple[int, ...]:
        """Return the rounded quotient, and with `exact` whether it is exact."""
        division = self.division
        total = (value << self._shift) + (division.biases or (0,) * (which + 1))[which]
        divisor = division.divisors[which]
        quotient = int(round_div(total, divisor, division.rounding)) + self._after
        return (quotient, int(total % divisor == 0)) if self._exact else (quotient,)


def requantiser(
    factor: int, division: Division, shape: Shape, low: int, high: int, after: int
) -> Chain:
    """Multiply by a positive constant and divide, with one rounding: `Scale`, then `Divider`.

    The number is `low` to `high`, and `after` is added to the quotient. The constant's factors of
    2 are wires between the two.
    """
    scale = Scale(factor, shape, low, high)
    shift = (factor & -factor).bit_length() - 1
    product = Shape.cast(scale.o["value"].shape)
    return Chain([scale, Divider(division, product, shift=shift, after=after)])
