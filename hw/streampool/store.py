"""What keeps the live partials of M interleaved positions between their steps."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DelayLine", "RamStore"]


class DelayLine(wiring.Component):
    """A store of registers for few positions: what is written comes back `depth` steps later.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words, and steps from in to out.

    Members
    -------
    step : In(1)
        Whether the line moves in this clock.
    old : Out(width)
        The word written `depth` steps ago; a register.
    new : In(width)
        The word to keep in its place.
    """

    step: Signal
    old: Signal
    new: Signal

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        super().__init__({"step": In(1), "old": Out(width), "new": In(width)})

    def elaborate(self, platform):
        m = Module()
        # stale words are never seen, so they need no reset
        line = [
            Signal(self.width, name=f"word_{i}", reset_less=True) for i in range(self.depth)
        ]
        m.d.comb += self.old.eq(line[-1])
        with m.If(self.step):
            for source, target in zip([self.new, *line], line, strict=False):
                m.d.sync += target.eq(source)
        return m


class RamStore(wiring.Component):
    """A store in block or distributed RAM, for at least as many positions as the pipeline is deep.

    Two pointers go round, each at its own steps: the word read at a step is written back a
    fixed number of clocks later, at the same step's `put`.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words; the reader comes back to an address no earlier than `depth` clocks later, and
        must have written it by then.

    Attributes
    ----------
    LATENCY : int
        Clocks from `get` to its word at `old`: the RAM's read and its output register.

    Members
    -------
    get : In(1)
        Whether a word is read in this clock.
    old : Out(width)
        The word read; a register.
    put : In(1)
        Whether `new` is written in this clock.
    new : In(width)
        The word to write.
    """

    LATENCY = 2

    get: Signal
    old: Signal
    put: Signal
    new: Signal

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        super().__init__({"get": In(1), "old": Out(width), "put": In(1), "new": In(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = mem = memory.Memory(
            shape=unsigned(self.width), depth=self.depth, init=[]
        )
        read_port = mem.read_port()
        write_port = mem.write_port()
        for port, go in ((read_port, self.get), (write_port, self.put)):
            wrap = Signal(name="wrap")
            m.d.comb += wrap.eq(port.addr == self.depth - 1)
            with m.If(go):
                m.d.sync += port.addr.eq(port.addr + 1)
                with m.If(wrap):
                    m.d.sync += port.addr.eq(0)
        old = Signal(self.width, reset_less=True)
        m.d.sync += old.eq(read_port.data)
        m.d.comb += [
            self.old.eq(old),
            read_port.en.eq(1),
            write_port.data.eq(self.new),
            write_port.en.eq(self.put),
        ]
        return m
