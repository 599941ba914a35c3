"""A multiplier with the registers that an FPGA's own has inside."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.ecp5 import MULTIPLIER_BITS, multiplier_instance
from ..vendor.families import GENERIC


class Multiplier(wiring.Component):
    """Multiply two unsigned numbers, one product a clock.

    For an ECP5, whose multiplier alone takes most of a clock, it is instantiated with registers
    inside. Elsewhere they stand around a product, where synthesis may move them into a multiplier
    that has such.

    Parameters
    ----------
    a_bits, b_bits : int
        Widths of the factors.
    family : str, optional
        The family of devices.

    Attributes
    ----------
    LATENCY : int
        Clocks from the factors to their product.

    Members
    -------
    a, b : In
        The factors.
    product : Out
        Their product.
    """

    LATENCY = 3

    a: Signal
    b: Signal
    product: Signal

    def __init__(self, a_bits: int, b_bits: int, family: str = GENERIC):
        self._own = family == "ecp5" and max(a_bits, b_bits) <= MULTIPLIER_BITS
        super().__init__(
            {
                "a": In(unsigned(a_bits)),
                "b": In(unsigned(b_bits)),
                "product": Out(unsigned(a_bits + b_bits)),
            }
        )

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
