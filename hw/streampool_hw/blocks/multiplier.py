"""Multiplication: of two numbers, of a number with itself, and by a constant."""

from functools import partial

from amaranth.hdl import Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_golden.dtypes import width

from ..datapath.pipeline import Bundle, Step, delay
from ..vendor.ecp5 import MULTIPLIER_BITS, multiplier_instance
from .block import Block, Number


class Multiplier(wiring.Component):
    """Multiply two unsigned numbers, one product per clock.

    For an ECP5, whose multiplier alone takes most of a clock, it is instantiated with registers
    inside. Elsewhere they stand around a product, where synthesis may move them into a multiplier
    that has such.

    Members
    -------
    a, b : In(a_bits), In(b_bits)
        The factors.
    product : Out(a_bits + b_bits)
        Their product, `LATENCY` clocks later.
    """

    LATENCY = 3

    a: Signal
    b: Signal
    product: Signal

    def __init__(self, a_bits: int, b_bits: int, family: str):
        self._own = family == "ecp5" and max(a_bits, b_bits) <= MULTIPLIER_BITS
        super().__init__({"a": In(a_bits), "b": In(b_bits), "product": Out(a_bits + b_bits)})

    def elaborate(self, platform):
        m = Module()
        if self._own:
            m.submodules.multiplier = multiplier_instance(self.a, self.b, self.product)
            return m
        a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
        inside, product = (Signal.like(self.product, reset_less=True) for _ in range(2))
        m.d.sync += [a.eq(self.a), b.eq(self.b), inside.eq(a * b), product.eq(inside)]
        m.d.comb += self.product.eq(product)
        return m


class Square(Block):
    """The square of an unsigned number of `bits`. Latency: `Multiplier.LATENCY` clocks.

    Where the number does not take all its values, `out_bits` may be less than twice its own.
    """

    def __init__(self, bits: int, out_bits: int):
        self._bits = out_bits
        step = Step(self._square, clocks=Multiplier.LATENCY)
        super().__init__([step], {"value": unsigned(bits)}, {"value": unsigned(out_bits)})

    def _square(self, m: Module, lane: Number, beat: Bundle) -> Number:
        value = lane.value
        m.submodules += (multiplier := Multiplier(len(value), len(value), self.family))
        m.d.comb += [multiplier.a.eq(value), multiplier.b.eq(value)]
        return Number(multiplier.product[: self._bits])

    def model(self, value: int) -> int:
        """Return the square."""
        return value * value


class _Squared(Number):
    square: Value


class Cube(Block):
    """The cube of an unsigned number of `bits`. Latency: twice `Multiplier.LATENCY` clocks.

    Where the number does not take all its values, `out_bits` may be less than three times its own.
    """

    def __init__(self, bits: int, out_bits: int):
        self._bits = out_bits
        steps = [
            Step(self._square, clocks=Multiplier.LATENCY),
            Step(self._multiply, clocks=Multiplier.LATENCY),
        ]
        super().__init__(steps, {"value": unsigned(bits)}, {"value": unsigned(out_bits)})

    def _square(self, m: Module, lane: Number, beat: Bundle) -> _Squared:
        value = lane.value
        m.submodules += (multiplier := Multiplier(len(value), len(value), self.family))
        m.d.comb += [multiplier.a.eq(value), multiplier.b.eq(value)]
        late = delay(m, value, Multiplier.LATENCY, name="value")
        return _Squared(late, multiplier.product[: self._bits])

    def _multiply(self, m: Module, lane: _Squared, beat: Bundle) -> Number:
        square, value = lane.square, lane.value
        m.submodules += (multiplier := Multiplier(len(square), len(value), self.family))
        m.d.comb += [multiplier.a.eq(square), multiplier.b.eq(value)]
        return Number(multiplier.product[: self._bits])

    def model(self, value: int) -> int:
        """Return the cube."""
        return value**3


def signed_digits(factor: int) -> list[tuple[int, int]]:
    """Return a positive number as ``[(sign, exponent), ...]``, the largest exponent first.

    The number is the sum of ``sign * 2**exponent``. No two exponents are neighbours, which makes
    the digits the fewest (Reitwiesner, "Binary arithmetic", 1960).
    """
    digits = []
    exponent = 0
    while factor:
        if factor & 1:
            sign = 2 - (factor & 3)
            digits.append((sign, exponent))
            factor -= sign
        factor >>= 1
        exponent += 1
    return digits[::-1]


class _Scaling(Number):
    product: Value


class Scale(Block):
    """Multiply by the odd part of a constant, one signed digit per clock.

    The number is `low` to `high`.

    Latency: one clock less than the digits of `signed_digits`; none for a power of two.
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
