"""The FIFO at the end of a free-running pipeline, which has no clock enables."""

from collections.abc import Sequence
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..schedule.shifts import shifted


class PipelineFifo(wiring.Component):
    """A FIFO of 16 beats that gives the pipeline in front of it credit.

    The pipeline starts new work while `credit` is high and never stops what it has started: half
    of the places are kept for beats in flight. A beat written in one clock is at `o` in the next.
    Throughput: one beat per clock, in and out at once. The memory is read without a clock, so
    synthesis puts it into LUT RAM, or into registers where a device has none (iCE40).

    The payload stands in banks of the bits in `widths`. A bank has its own memory and its own
    pointers, so that no pointer drives more than its bank.

    Members
    -------
    i : In
        The beat to write, the first bank lowest.
    write : In(banks)
        Whether `i` is one: the same bit for each bank.
    credit : Out(1)
        A register: whether new work may start. Independent of ``o.ready`` in the same clock.
    o : Out(stream)
        The beats in order. ``o.valid`` is a register.
    """

    CAPACITY = 16
    IN_FLIGHT = CAPACITY // 2
    """The most beats that may still come once `credit` has gone low, and so the most clocks from
    the decision to start to `write`, both counted."""
    SEAMLESS = CAPACITY - IN_FLIGHT - 1
    """The most clocks from there to `write` with which a reader that has waited gets a beat each
    clock from then on: when `credit` comes back, so many beats less one are left."""

    i: Signal
    write: Signal
    credit: Signal
    o: stream.Interface

    def __init__(self, widths: Sequence[int]):
        self._widths = tuple(widths)
        shape = unsigned(sum(widths))
        o = Out(stream.Signature(shape))
        super().__init__({"i": In(shape), "write": In(len(widths)), "credit": Out(1), "o": o})

    def credit_at(self, m: Module, *, far: bool) -> Value:
        """Return the credit where it is used: `far` away it is a register, a clock late.

        That is one of the clocks that a beat may be in flight.
        """
        if not far:
            return self.credit
        credit = Signal(init=1, name="credit")
        m.d.sync += credit.eq(self.credit)
        return credit

    def elaborate(self, platform):
        m = Module()
        read = Signal()
        beat = []
        for number, width in enumerate(self._widths):
            # each starts elsewhere, or synthesis would find the banks' pointers equal
            start = number % self.CAPACITY
            mem = memory.Memory(shape=unsigned(width), depth=self.CAPACITY, init=[])
            m.submodules[f"memory_{number}"] = mem
            write_at, read_at = (Signal(range(self.CAPACITY), init=start) for _ in range(2))
            write_port = mem.write_port()
            read_port = mem.read_port(domain="comb")
            low = sum(self._widths[:number])
            m.d.comb += [
                write_port.addr.eq(write_at),
                write_port.data.eq(self.i[low : low + width]),
                write_port.en.eq(self.write[number]),
                read_port.addr.eq(read_at),
            ]
            beat.append(read_port.data)
            with m.If(self.write[number]):
                m.d.sync += write_at.eq(write_at + 1)
            with m.If(read):
                m.d.sync += read_at.eq(read_at + 1)

        write = self.write[0]
        level = Signal(range(self.CAPACITY))
        m.d.comb += [
            read.eq(self.o.valid & self.o.ready),
            self.o.payload.eq(Cat(beat)),
            # at most IN_FLIGHT more beats come, so the level stays below CAPACITY
            self.credit.eq(~level[-1]),
        ]
        with m.If(write & ~read):
            m.d.sync += level.eq(level + 1)
        with m.If(~write & read):
            m.d.sync += level.eq(level - 1)
        m.d.sync += self.o.valid.eq(write | level[1:].any() | (level[0] & ~read))
        return m


class Credit(wiring.Component):
    """Credit that counts a FIFO's beats from where they start, for a pipeline that is longer.

    What starts and what leaves is counted a clock later, since both are known late. A reader that
    has waited still gets a beat each clock from then on.

    Members
    -------
    starts : In(1)
        Whether a beat starts in this clock that will be written.
    leaves : In(1)
        Whether one is taken from the FIFO.
    credit : Out(1)
        A register: whether one may start.
    """

    IN_FLIGHT = PipelineFifo.CAPACITY - 4
    """The most clocks from a beat's start to its write, both counted."""

    starts: Signal
    leaves: Signal
    credit: Signal

    def __init__(self):
        super().__init__({"starts": In(1), "leaves": In(1), "credit": Out(1)})

    def elaborate(self, platform):
        m = Module()
        # besides the beats one place that stays free, and one for what starts before it is known
        # that nothing may
        taken = Signal(range(PipelineFifo.CAPACITY + 2), init=2)
        started = Signal()
        left = Signal()
        m.d.comb += self.credit.eq(~taken[-1])
        m.d.sync += [started.eq(self.starts), left.eq(self.leaves)]
        with m.If(started & ~left):
            m.d.sync += taken.eq(taken + 1)
        with m.If(~started & left):
            m.d.sync += taken.eq(taken - 1)
        return m


class ShiftFifo(PipelineFifo):
    """The same, clock for clock, where carry chains are slow: pointers are shift registers."""

    MEMORY: ClassVar[type[memory.Memory]] = memory.Memory

    def elaborate(self, platform):
        m = Module()
        write, read = self.write[0], Signal()
        many = Signal()  # whether there are two beats or more
        level = Signal(range(self.CAPACITY))
        m.d.comb += [
            read.eq(self.o.valid & self.o.ready),
            many.eq(level[1:].any()),
            self.credit.eq(~level[-1]),
        ]
        with m.If(write ^ read):
            m.d.sync += level.eq(_up_or_down(level, write))
        m.d.sync += self.o.valid.eq(write | many | (self.o.valid & ~self.o.ready))
        soon = write & ~many & (~self.o.valid | self.o.ready)
        beat, low = [], 0
        for number, width in enumerate(self._widths):
            part, row = self.i[low : low + width], 0
            for _ in range(number % self.CAPACITY):  # as in `PipelineFifo`
                row = _row_after(row)
            mem = self.MEMORY(shape=unsigned(width), depth=self.CAPACITY, init=[])
            m.submodules[f"memory_{number}"] = mem
            write_port = mem.write_port()
            write_at = Signal(range(self.CAPACITY), name=f"write_at_{number}", init=row)
            read_at = Signal.like(write_at, name=f"read_at_{number}")
            m.d.comb += [
                write_port.addr.eq(write_at),
                write_port.data.eq(part),
                write_port.en.eq(self.write[number]),
            ]
            with m.If(self.write[number]):
                m.d.sync += write_at.eq(_row_after(write_at))
            beat.append(self._first(m, number, mem, read_at, read, soon))
            low += width
        m.d.comb += self.o.payload.eq(Cat(beat))
        return m

    def _first(
        self,
        m: Module,
        number: int,
        mem: memory.Memory,
        read_at: Signal,
        read: Value,
        soon: Value,
    ) -> Value:
        """Return a bank's part of the first beat, and move on to the next one's row.

        `soon` says that the beat of the next clock is one that is written in this.
        """
        with m.If(read):
            m.d.sync += read_at.eq(_row_after(read_at))
        port = mem.read_port(domain="comb")
        m.d.comb += port.addr.eq(read_at)
        return port.data


class BlockFifo(ShiftFifo):
    """The same in block RAM, where there is no LUT RAM.

    A block RAM gives a row a clock after its address. So what is addressed is the row of the beat
    that will be the first in the next clock. If that beat is written only now, it comes from a
    register beside the RAM; what is read of a row that is written in the same clock does not
    matter.
    """

    def _first(
        self,
        m: Module,
        number: int,
        mem: memory.Memory,
        read_at: Signal,
        read: Value,
        soon: Value,
    ) -> Value:
        port, [write_port] = mem.read_port(), mem.write_ports
        after = Signal.like(read_at, name=f"after_{number}", init=_row_after(read_at.init))
        beside = Signal(len(write_port.data), name=f"beside_{number}", reset_less=True)
        fresh = Signal(name=f"fresh_{number}")
        m.d.comb += [port.addr.eq(Mux(read, after, read_at)), port.en.eq(1)]
        m.d.sync += [beside.eq(write_port.data), fresh.eq(soon)]
        with m.If(read):
            m.d.sync += [read_at.eq(after), after.eq(_row_after(after))]
        return Mux(fresh, beside, port.data)


def _row_after(row: Any) -> Any:
    return shifted(row, 4, whole=True)


def _up_or_down(level: Signal, up: Value) -> Value:
    """Return `level` with 1 more or less, without a chain of carries."""
    bits: list[Value] = []
    turns: Value = Const(1, 1)
    for bit in level:
        bits.append(bit ^ turns)
        turns = turns & ~(bit ^ up)
    return Cat(bits)
