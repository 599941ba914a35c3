"""A multiplier with the registers that an FPGA's own has inside."""

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.families import GENERIC

__all__ = ["MULTIPLIER_BITS", "Multiplier"]

MULTIPLIER_BITS = 18
"""Widest operand: an ECP5's and a Gowin's multipliers are 18 x 18; an iCE40's are 16 x 16."""


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
        """Build the gates."""
        m = Module()
        if self._own:
            m.submodules.multiplier = self._ecp5()
            return m
        a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
        inside, product = (Signal.like(self.product, reset_less=True) for _ in range(2))
        m.d.sync += [a.eq(self.a), b.eq(self.b), inside.eq(a * b), product.eq(inside)]
        m.d.comb += self.product.eq(product)
        return m

    def _ecp5(self) -> Instance:
        """Return the device's own, with registers at its inputs, inside and at its output."""
        pins: dict[str, object] = {}
        for place in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT"):
            for what in ("CLK", "CE", "RST"):
                pins[f"p_REG_{place}_{what}"] = f"{what}0"
        for k in range(4):
            pins |= {f"i_CLK{k}": ClockSignal() if k == 0 else 0, f"i_CE{k}": 1, f"i_RST{k}": 0}
        for name, value in (("A", self.a), ("B", self.b), ("C", Const(0, 1))):
            for k in range(MULTIPLIER_BITS):
                pins[f"i_{name}{k}"] = value[k] if k < len(value) else 0
        for k, bit in enumerate(self.product):
            pins[f"o_P{k}"] = bit
        for name in ("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB"):
            pins[f"i_{name}"] = 0
        return Instance("MULT18X18D", p_GSR="DISABLED", p_RESETMODE="SYNC", **pins)
