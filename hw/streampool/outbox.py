"""The stream FIFO at the end of a pipeline that runs free, without clock enables."""

from amaranth.hdl import Module, Shape, ShapeLike, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Outbox"]


class Outbox(wiring.Component):
    """A FIFO of 16 beats in LUT RAM whose fill level is a pipeline's whole handshake.

    A pipeline in front of it starts new work while `room` is high and never stops what it has
    started: half of the places are kept for what is in flight. A beat written in one clock is
    at `o` in the next; one beat a clock, in and out at once.

    Parameters
    ----------
    shape : ShapeLike
        The payload.

    Attributes
    ----------
    CAPACITY : int
        Beats it holds.
    IN_FLIGHT : int
        The most beats that may still come once `room` has gone low, and so the most clocks from
        the decision to start to `write`, both counted.

    Members
    -------
    data : In(shape)
        The beat to write.
    write : In(1)
        Whether `data` is one.
    room : Out(1)
        A register: whether new work may start. Independent of ``o.ready`` in the same clock.
    o : Out(stream)
        The beats in order. ``o.valid`` is a register.
    """

    CAPACITY = 16
    IN_FLIGHT = CAPACITY // 2

    o: stream.Interface
    data: Signal
    write: Signal
    room: Signal

    def __init__(self, shape: ShapeLike):
        self._shape = shape
        super().__init__(
            {
                "data": In(shape),
                "write": In(1),
                "room": Out(1),
                "o": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        # plain bits in the memory, so that any payload layout will do
        width = Shape.cast(self._shape).width
        m.submodules.memory = mem = memory.Memory(
            shape=unsigned(width), depth=self.CAPACITY, init=[]
        )
        write_port = mem.write_port()
        read_port = mem.read_port(domain="comb")

        level = Signal(range(self.CAPACITY))
        read = Signal()
        m.d.comb += [
            read.eq(self.o.valid & self.o.ready),
            write_port.data.eq(self.data),
            write_port.en.eq(self.write),
            self.o.payload.eq(read_port.data),
            # at most IN_FLIGHT more beats come, so the level stays below CAPACITY
            self.room.eq(~level[-1]),
        ]
        with m.If(self.write):
            m.d.sync += write_port.addr.eq(write_port.addr + 1)
        with m.If(read):
            m.d.sync += read_port.addr.eq(read_port.addr + 1)
        with m.If(self.write & ~read):
            m.d.sync += level.eq(level + 1)
        with m.If(~self.write & read):
            m.d.sync += level.eq(level - 1)
        m.d.sync += self.o.valid.eq(self.write | level[1:].any() | (level[0] & ~read))
        return m
