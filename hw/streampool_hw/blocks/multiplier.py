"""A multiplier with the registers that an FPGA's own has inside, and what squares with it."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..datapath.pipeline import Bundle, Step
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
