"""Exact sums over their divisors, rounded once, with what a requantisation brings."""

from functools import partial

from amaranth.hdl import Cat, Module, Shape, Value, signed, unsigned
from streampool_golden import round_div
from streampool_golden.dtypes import width

from ..datapath.pipeline import Bundle, Step
from .block import Block, Chain, Number, Window
from .division import Division, signed_digits
from .quotient import Dividend, Quotient, ReciprocalDivider, RestoringDivider
from .root import Radicand


class _Signed(Bundle):
    value: Value
    minus: Value


class _Held(Bundle):
    value: Value
    offset: Value


class _Zeroed(Bundle):
    last: Value
    which: Value
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
        self._plus, self._less = division.offset(False), division.offset(True)
        self._differs = division.low < 0 and self._plus != self._less
        steps = [Step(self._hold, self._look_up), Step(self._add)]
        if self._differs and any(division.biases):
            first = Step(lambda m, lane, beat: lane, self._look_up_zero)
            then = Step(self._compare, lambda beat: Window(beat.last, beat.which))
            steps = [first, then, *steps]
        o = {"value": Shape.cast(range(division.low + after, division.high + after + 1))}
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
        if not self._differs:
            return _Held(value, self.look_up("offset", self._plus, beat.which))
        minus = lane.minus if isinstance(lane, _Signed) else self._minus(value < 0)
        both = [each for pair in zip(self._plus, self._less, strict=True) for each in pair]
        return _Held(value, self.look_up("offset", both, Cat(minus, beat.which)))

    def _add(self, m: Module, lane: _Held, beat: Bundle) -> Dividend:
        value, offset = lane.value, lane.offset
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


class _Scaling(Bundle):
    value: Value
    product: Value


class Scale(Block):
    """Multiply by the odd part of a constant, one signed digit per clock.

    The number is `low` to `high`.

    Latency: a clock less than `signed_digits` has digits; none for a power of two.
    """

    def __init__(self, factor: int, shape: Shape, low: int, high: int):
        self._odd = odd = factor // (factor & -factor)
        self._bits, self._signed = width(odd * low, odd * high), low < 0
        (_, self._top), *digits = signed_digits(odd)
        steps = [Step(partial(self._digit, *digit)) for digit in digits]
        if digits:
            steps[-1] = Step(partial(self._last, *digits[-1]))
        out = (signed if self._signed else unsigned)(self._bits)
        super().__init__(steps, {"value": shape}, {"value": out})

    def _digit(
        self, sign: int, exponent: int, m: Module, lane: Number | _Scaling, beat: Bundle
    ) -> _Scaling:
        product = lane.product if isinstance(lane, _Scaling) else lane.value << self._top
        part = lane.value << exponent
        product = (product + part if sign > 0 else product - part)[: self._bits]
        return _Scaling(lane.value, product.as_signed() if self._signed else product)

    def _last(
        self, sign: int, exponent: int, m: Module, lane: Number | _Scaling, beat: Bundle
    ) -> Number:
        return Number(self._digit(sign, exponent, m, lane, beat).product)

    def model(self, value: int) -> int:
        """Return the product."""
        return self._odd * value


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
