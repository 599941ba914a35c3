"""The stream FIFO at the end of a pipeline that runs free, without clock enables."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Outbox"]


class Outbox(wiring.Component):
    """A FIFO of 16 beats whose fill level is a pipeline's whole handshake.

    A pipeline in front of it starts new work while `room` is high and never stops what it has
    started: half of the places are kept for what is in flight. A beat written in one clock is
    at `o` in the next; one beat a clock, in and out at once. It is read without a clock, so
    synthesis puts it into LUT RAM, or into registers where a device has none (iCE40).

    Parameters
    ----------
    widths : sequence of int
        Bits of each bank of the payload. A bank has its own memory and its own pointers, so that
        no pointer drives more than its bank.

    Attributes
    ----------
    CAPACITY : int
        Beats it holds.
    IN_FLIGHT : int
        The most beats that may still come once `room` has gone low, and so the most clocks from
        the decision to start to `write`, both counted.
    SEAMLESS : int
        The most clocks from there to `write` with which a reader that has waited gets a beat each
        clock from then on: as `room` is back, so many beats less one are left.

    Members
    -------
    data : In
        The beat to write, the first bank lowest.
    write : In(banks)
        Whether `data` is one: the same bit for each bank.
    room : Out(1)
        A register: whether new work may start. Independent of ``o.ready`` in the same clock.
    o : Out(stream)
        The beats in order. ``o.valid`` is a register.
    """

    CAPACITY = 16
    IN_FLIGHT = CAPACITY // 2
    SEAMLESS = CAPACITY - IN_FLIGHT - 1

    o: stream.Interface
    data: Signal
    write: Signal
    room: Signal

    def __init__(self, widths: Sequence[int]):
        self._widths = tuple(widths)
        shape = unsigned(sum(widths))
        super().__init__(
            {
                "data": In(shape),
                "write": In(len(self._widths)),
                "room": Out(1),
                "o": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        read = Signal()
        beat = []
        for number, width in enumerate(self._widths):
            # each starts elsewhere, or synthesis would find the banks' pointers equal
            start = number % self.CAPACITY
            mem = memory.Memory(shape=unsigned(width), depth=self.CAPACITY, init=[])
            m.submodules[f"memory_{number}"] = mem
            to, from_ = (Signal(range(self.CAPACITY), init=start) for _ in range(2))
            write_port = mem.write_port()
            read_port = mem.read_port(domain="comb")
            low = sum(self._widths[:number])
            m.d.comb += [
                write_port.addr.eq(to),
                write_port.data.eq(self.data[low : low + width]),
                write_port.en.eq(self.write[number]),
                read_port.addr.eq(from_),
            ]
            beat.append(read_port.data)
            with m.If(self.write[number]):
                m.d.sync += to.eq(to + 1)
            with m.If(read):
                m.d.sync += from_.eq(from_ + 1)

        write = self.write[0]
        level = Signal(range(self.CAPACITY))
        m.d.comb += [
            read.eq(self.o.valid & self.o.ready),
            self.o.payload.eq(Cat(beat)),
            # at most IN_FLIGHT more beats come, so the level stays below CAPACITY
            self.room.eq(~level[-1]),
        ]
        with m.If(write & ~read):
            m.d.sync += level.eq(level + 1)
        with m.If(~write & read):
            m.d.sync += level.eq(level - 1)
        m.d.sync += self.o.valid.eq(write | level[1:].any() | (level[0] & ~read))
        return m
