"""A core between registers, with hardly a pin."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..core import PoolCore


class BetweenRegisters(wiring.Component):
    """Keep pins out of a core's paths: all that it has is fed and read by shift registers.

    Its figures are of no use but for the clock: what it does with the core makes no sense. The
    core is a submodule called ``core``.

    Members
    -------
    pin_in : In(1)
    pin_out : Out(1)
    """

    PORTS = ("clk", "rst", "pin_in", "pin_out")
    """Its ports, clock and reset with them."""

    pin_in: Signal
    pin_out: Signal

    def __init__(self, core: PoolCore):
        self._core = core
        super().__init__({"pin_in": In(1), "pin_out": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        inputs = Cat(core.i.valid, core.o.ready, core.i.payload.as_value())
        outputs = Cat(core.o.valid, core.i.ready, core.o.payload.as_value())
        shifted = Signal(len(inputs))
        before = Signal(len(inputs))  # the registers in front of the core
        behind = Signal(len(outputs))
        out = Signal(len(outputs))
        m.d.sync += [
            shifted.eq(Cat(self.pin_in, shifted)),
            before.eq(shifted),
            behind.eq(outputs),
            out.eq(Mux(self.pin_in, behind, out >> 1)),
            self.pin_out.eq(out[0]),
        ]
        m.d.comb += inputs.eq(before)
        return m
