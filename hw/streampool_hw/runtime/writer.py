"""A host without a processor: what writes jobs to a run-time core, one after the other."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .core import RuntimePoolCore
from .job import RuntimeJob
from .registers import ADDRESS_BITS


class JobWriter(wiring.Component):
    """Write the next of some jobs each time it is asked to, over and over; their words are a ROM.

    After reset the first job is written unasked. A job is written in two clocks per word, and not
    before the core is done with the one before.

    Parameters
    ----------
    jobs : sequence of RuntimeJob
        The jobs, in turn.

    Members
    -------
    next : In(1)
        Whether the next job is to be written; high for one clock, and not before `settled`.
    settled : Out(1)
        Whether a frame that begins now is of the job asked for last. It falls in the clock after
        `next`.
    busy : In(1)
        As the core says it.
    write, address, data : Out
        The write port's.
    """

    next: Signal
    settled: Signal
    busy: Signal
    write: Signal
    address: Signal
    data: Signal

    def __init__(self, jobs: Sequence[RuntimeJob]):
        self._jobs = tuple(jobs)
        super().__init__(
            {
                **{"next": In(1), "settled": Out(1), "busy": In(1)},
                **{"write": Out(1), "address": Out(ADDRESS_BITS), "data": Out(32)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        word = data.StructLayout({"data": 32, "address": ADDRESS_BITS, "arms": 1})
        rows: list[Any] = [
            {"address": address, "data": value, "arms": int(place == len(job.writes) - 1)}
            for job in self._jobs
            for place, (address, value) in enumerate(job.writes)
        ]
        # of LUTs: in simulation an ECP5's block RAM has nothing in it to begin with
        m.submodules.rom = rom = memory.Memory(
            shape=word, depth=len(rows), init=rows, attrs={"ram_style": "logic"}
        )
        read = rom.read_port(domain="comb")
        at, asked = Signal(range(len(rows))), Signal(init=1)
        told = Signal(word)
        m.d.comb += [
            *(read.addr.eq(at), self.address.eq(told.address), self.data.eq(told.data)),
        ]
        m.d.sync += told.eq(read.data)
        waits = Signal(range(RuntimePoolCore.TAKE_OVER + 1))
        with m.If(self.next):
            m.d.sync += [asked.eq(1), self.settled.eq(0)]
        with m.FSM():
            with m.State("wait"), m.If(asked & ~self.busy):
                m.next = "fetch"
            with m.State("fetch"):
                m.next = "write"
            with m.State("write"):
                m.d.comb += self.write.eq(1)
                m.d.sync += at.eq(at + 1)
                m.next = "fetch"
                with m.If(at == len(rows) - 1):
                    m.d.sync += at.eq(0)
                with m.If(told.arms):
                    m.d.sync += [asked.eq(0), waits.eq(RuntimePoolCore.TAKE_OVER)]
                    m.next = "arm"
            with m.State("arm"):  # `busy` is seen by then, too
                m.d.sync += waits.eq(waits - 1)
                with m.If(waits == 0):
                    m.d.sync += self.settled.eq(1)
                    m.next = "wait"
        return m
