"""What keeps the live partials of M interleaved positions between their steps."""

from typing import ClassVar

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value, unsigned
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


class Ecp5Store(RamStore):
    """The same in the block RAM of an ECP5, with its output register, which no synthesizer infers.

    A block holds a power of two of rows. Both pointers go round all of them, the write pointer
    `depth` rows ahead, so that neither has to be compared with anything.
    """

    ROWS: ClassVar = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
    """Bits of a block's word by its number of rows (Lattice FPGA-TN-02204, table 2.1)."""

    GROUP = 6
    """Blocks that a pair of pointers drives."""

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        deepest = max(self.ROWS)
        rows = next((rows for rows in self.ROWS if rows >= self.depth), deepest)
        assert self.depth <= rows, "more than a block is deep"
        bits = self.ROWS[rows]
        block = self._wide if bits == 36 else self._narrow
        words = [range(self.width)[low : low + bits] for low in range(0, self.width, bits)]
        # Where there are more rows than words, the write pointer stands at a row that nobody
        # reads before it is put, so many blocks far apart may write in every clock.
        write = Const(1, 1) if len(words) > self.GROUP and self.depth < rows else self.put
        for group, first in enumerate(range(0, len(words), self.GROUP)):
            # each group starts elsewhere, or synthesis would find the pointers equal
            start, ahead = group % rows, (group + self.depth) % rows
            get_at = Signal(range(rows), name=f"get_at_{group}", init=start)
            put_at = Signal(range(rows), name=f"put_at_{group}", init=ahead)
            with m.If(self.get):
                m.d.sync += get_at.eq(get_at + 1)
            with m.If(self.put):
                m.d.sync += put_at.eq(put_at + 1)
            for number, word in enumerate(words[first : first + self.GROUP], first):
                new, old = self.new[word.start : word.stop], Signal(bits, name=f"old_{number}")
                m.submodules[f"block_{number}"] = block(bits, get_at, put_at, write, new, old)
                m.d.comb += self.old[word.start : word.stop].eq(old)
        return m

    def _wide(
        self, bits: int, get_at: Signal, put_at: Signal, write: Value, new: Value, old: Signal
    ) -> Instance:
        """Return a block of the widest words, which has a cell of its own."""
        return Instance(
            "PDPW16KD",
            p_DATA_WIDTH_W=bits,
            p_DATA_WIDTH_R=bits,
            p_REGMODE="OUTREG",
            p_RESETMODE="SYNC",
            p_GSR="DISABLED",
            p_CSDECODE_W="0b000",
            p_CSDECODE_R="0b000",
            i_CLKW=ClockSignal(),
            i_CLKR=ClockSignal(),
            i_CEW=write,
            i_CER=1,
            i_OCER=1,
            i_RST=0,
            **_pins("i_BE", Const(-1, 4)),
            **_pins("i_CSW", Const(0, 3)),
            **_pins("i_CSR", Const(0, 3)),
            **_pins("i_ADW", put_at),
            **_pins("i_ADR", Cat(Const(0, 14 - len(get_at)), get_at)),
            **_pins("i_DI", Cat(new, Const(0, bits - len(new)))),
            **_pins("o_DO", old),
        )

    def _narrow(
        self, bits: int, get_at: Signal, put_at: Signal, write: Value, new: Value, old: Signal
    ) -> Instance:
        """Return a block of any other width."""
        unused = 14 - len(get_at)
        # the lowest pins of a wide port's write address are its byte enables
        enables = Cat(Const(-1, 2), Const(0, unused - 2)) if bits == 18 else Const(0, unused)
        return Instance(
            "DP16KD",
            p_DATA_WIDTH_A=bits,
            p_DATA_WIDTH_B=bits,
            p_REGMODE_A="NOREG",
            p_REGMODE_B="OUTREG",
            p_RESETMODE="SYNC",
            p_GSR="DISABLED",
            p_CSDECODE_A="0b000",
            p_CSDECODE_B="0b000",
            p_WRITEMODE_A="NORMAL",
            p_WRITEMODE_B="NORMAL",
            i_CLKA=ClockSignal(),
            i_CLKB=ClockSignal(),
            i_CEA=write,
            i_CEB=1,
            i_OCEA=1,
            i_OCEB=1,
            i_WEA=1,
            i_WEB=0,
            i_RSTA=0,
            i_RSTB=0,
            **_pins("i_CSA", Const(0, 3)),
            **_pins("i_CSB", Const(0, 3)),
            **_pins("i_ADA", Cat(enables, put_at)),
            **_pins("i_ADB", Cat(Const(0, unused), get_at)),
            **_pins("i_DIA", Cat(new, Const(0, 18 - len(new)))),
            **_pins("i_DIB", Const(0, 18)),
            **_pins("o_DOB", old),
        )


def _pins(name: str, value: Value) -> dict[str, Value]:
    """Return the arguments of an instance that has a pin for each bit."""
    return {f"{name}{k}": bit for k, bit in enumerate(value)}


def ram_store(width: int, depth: int, family: str) -> RamStore:
    """Return the RAM that serves a family best.

    Parameters
    ----------
    width, depth : int
        As of `Store`.
    family : str
        One of `FAMILIES`.
    """
    if family == "ecp5" and depth <= max(Ecp5Store.ROWS):
        return Ecp5Store(width, depth)
    return RamStore(width, depth)
