"""A multiplier with the registers that an FPGA's own has inside."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.ecp5 import MULTIPLIER_BITS, multiplier_instance


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
