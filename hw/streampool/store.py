"""What keeps the live partials of M interleaved positions between their steps."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DelayLine", "RamStore", "Store", "ram_store"]


class Store(wiring.Component):
    """A store of `depth` words, one a position, visited in turn.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words.

    Attributes
    ----------
    LATENCY : int
        Clocks from `get` to its word at `old`.

    Members
    -------
    get : In(1)
        Whether the next position's word is read in this clock.
    old : Out(width)
        The word read; a register.
    put : In(1)
        Whether `new` takes the place of the word read longest ago and not yet written back.
    new : In(width)
        The word to write.
    """

    LATENCY: int

    get: Signal
    old: Signal
    put: Signal
    new: Signal

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        super().__init__({"get": In(1), "old": Out(width), "put": In(1), "new": In(width)})


class DelayLine(Store):
    """A store of registers for few positions: a word put comes back at `old` `depth` puts later.

    Where a word is put in the clock in which `old` was used, nothing has to be got: `get` has no
    meaning here.
    """

    LATENCY = 0

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        # stale words are never seen, so they need no reset
        line = [Signal(self.width, name=f"word_{i}", reset_less=True) for i in range(self.depth)]
        m.d.comb += self.old.eq(line[-1])
        with m.If(self.put):
            for source, target in zip([self.new, *line], line, strict=False):
                m.d.sync += target.eq(source)
        return m


class RamStore(Store):
    """A store in block or distributed RAM, for at least as many positions as the pipeline is deep.

    Two pointers go round, each at its own pace: a word has to be put before its position is
    read again, at the earliest `depth` clocks after it was got. The latency is the RAM's read
    and its output register.
    """

    LATENCY = 2

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        m.submodules.memory = mem = memory.Memory(
            shape=unsigned(self.width), depth=self.depth, init=[]
        )
        read_port = mem.read_port()
        write_port = mem.write_port()
        for port, go in ((read_port, self.get), (write_port, self.put)):
            with m.If(go):
                m.d.sync += port.addr.eq(port.addr + 1)
                with m.If(port.addr == self.depth - 1):
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


def ram_store(width: int, depth: int, family: str) -> RamStore:
    """Return the RAM that serves a family best.

    Parameters
    ----------
    width, depth : int
        As of `Store`.
    family : str
        One of `FAMILIES`.
    """
    return RamStore(width, depth)
