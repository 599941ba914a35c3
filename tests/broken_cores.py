"""Cores that do what no core may do, to show that the engines notice."""

from typing import Any

from amaranth.hdl import Fragment, Module, Mux, Signal
from amaranth.lib.fifo import SyncFIFOBuffered
from streampool_golden import PoolSpec
from streampool_hw import PoolCore

FAULTS = (
    "none", "stuck", "surplus", "last", "value", "unstable input", "unstable output", "withdrawn",
)  # fmt: skip


class BrokenCore(PoolCore):
    """A core that passes its input on, but for one fault.

    Parameters
    ----------
    fault : str
        One of `FAULTS`. With "unstable input" every lane carries 1 once a beat that was shown
        changed or went away before it was taken, else 0.
    """

    def __init__(self, fault: str, shape: tuple[int, ...] = (2, 3, 4), lanes: int = 2):
        self.fault = fault
        super().__init__(PoolSpec("max", 1, dtype="uint8"), shape, lanes)

    def elaborate(self, platform: Any) -> Module:
        # The real insides are not used, which Amaranth would warn of.
        Fragment.get(super().elaborate(platform), platform)
        m = Module()
        i_payload, o_data = self.i.payload.as_value(), self.o.payload.data.as_value()
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=len(i_payload), depth=4)
        beats = self.job.beats_out
        beat = Signal(range(beats))
        total = Signal(16)
        m.d.comb += [
            fifo.w_data.eq(i_payload),
            fifo.w_en.eq(self.i.valid),
            self.i.ready.eq(fifo.w_rdy),
            o_data.eq(fifo.r_data),
            self.o.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.o.ready),
            self.o.payload.last.eq(beat == beats - 1),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [beat.eq(Mux(beat == beats - 1, 0, beat + 1)), total.eq(total + 1)]

        if self.fault == "stuck":
            m.d.comb += self.o.valid.eq(fifo.r_rdy & (total != beats + 5))
        elif self.fault == "surplus":
            m.d.comb += self.o.valid.eq(fifo.r_rdy | (total == 2 * beats) | (total == 5 * beats))
        elif self.fault == "last":
            m.d.comb += self.o.payload.last.eq(beat == beats - 2)
        elif self.fault == "value":
            m.d.comb += o_data.eq(fifo.r_data ^ (total == beats + 5))
        elif self.fault == "unstable input":
            m.d.comb += o_data.eq(self._unstable(m))
        elif self.fault in ("unstable output", "withdrawn"):
            waited = Signal(range(4))  # clocks that this beat has waited, 3 at most
            with m.If(self.o.valid & ~self.o.ready):
                m.d.sync += waited.eq(waited + (waited != 3))
            with m.Elif(self.o.valid):
                m.d.sync += waited.eq(0)
            if self.fault == "withdrawn":
                with m.If(waited == 2):
                    m.d.sync += waited.eq(0)
                m.d.comb += self.o.valid.eq(fifo.r_rdy & (waited != 2))
            else:
                m.d.comb += o_data.eq(fifo.r_data ^ (waited == 3))
        return m

    def _unstable(self, m: Module):
        shown, seen = Signal(), Signal(self.i.payload.as_value().shape())
        fault = Signal()
        m.d.sync += [
            shown.eq(self.i.valid & ~self.i.ready),
            seen.eq(self.i.payload.as_value()),
        ]
        with m.If(shown & (~self.i.valid | (seen != self.i.payload.as_value()))):
            m.d.sync += fault.eq(1)
        return Mux(fault, 0x0101, 0)
