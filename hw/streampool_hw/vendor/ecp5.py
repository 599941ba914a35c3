"""Cells of an ECP5 that no synthesizer infers: block RAM and multiplier with their registers."""

from typing import ClassVar

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value

from ..datapath.store import RamStore
from ..schedule.settings import CONSTANTS, Settings

MULTIPLIER_BITS = 18
"""Widest operand of the multiplier, and of a Gowin's too; an iCE40's are 16 x 16."""


class Ecp5Store(RamStore):
    """A store in the block RAM of an ECP5, with its output register, which no synthesizer infers.

    A block holds a power of two of rows. Both pointers go round all of them, the write pointer
    `depth` rows ahead, so that neither has to be compared with anything. Where the store restarts,
    both go back to where they began.
    """

    ROWS: ClassVar = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
    """Bits of a block's word by its number of rows (Lattice FPGA-TN-02204, table 2.1)."""

    GROUP = 6
    """Blocks that a pair of pointers drives."""

    def elaborate(self, platform):
        m = Module()
        assert self.depth <= max(self.ROWS), "more than a block is deep"
        rows = next(rows for rows in self.ROWS if rows >= self.depth)
        bits = self.ROWS[rows]
        words = [range(self.width)[low : low + bits] for low in range(0, self.width, bits)]
        # Where there are more rows than words, the write pointer stands at a row that nobody
        # reads before it is written, so many blocks far apart may write in every clock.
        spare = self.depth < rows and not self._restarts
        write = Const(1, 1) if len(words) > self.GROUP and spare else self.write_en
        for group, first in enumerate(range(0, len(words), self.GROUP)):
            # each group starts elsewhere, or synthesis would find the pointers equal
            start = group % rows
            ahead = start if self._restarts else (group + self.depth) % rows
            read_at = Signal(range(rows), name=f"read_at_{group}", init=start)
            write_at = Signal(range(rows), name=f"write_at_{group}", init=ahead)
            with m.If(self.read_en):
                m.d.sync += read_at.eq(read_at + 1)
            with m.If(self.write_en):
                m.d.sync += write_at.eq(write_at + 1)
            if self._restarts:  # a reset of the counter, not a choice in front of it
                with m.If(self.read_en & self.read_last):
                    m.d.sync += read_at.eq(start)
                with m.If(self.write_en & self.write_last):
                    m.d.sync += write_at.eq(start)
            for number, word in enumerate(words[first : first + self.GROUP], first):
                part, old = slice(word.start, word.stop), Signal(bits, name=f"old_{number}")
                new = self.write_data[part]
                block = _block(bits, read_at, write_at, write, new, old)
                m.submodules[f"block_{number}"] = block
                m.d.comb += self.read_data[part].eq(old)
        return m


def _block(
    bits: int, read_at: Signal, write_at: Signal, write: Value, new: Value, old: Signal
) -> Instance:
    """Return a block of words of `bits`; the widest have a cell of their own."""
    unused = Const(0, 14 - len(read_at))
    if bits == 36:
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
            **_pins("i_ADW", write_at),
            **_pins("i_ADR", Cat(unused, read_at)),
            **_pins("i_DI", Cat(new, Const(0, bits - len(new)))),
            **_pins("o_DO", old),
        )
    # the lowest pins of a wide port's write address are its byte enables
    enables = Cat(Const(-1, 2), unused[2:]) if bits == 18 else unused
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
        **_pins("i_ADA", Cat(enables, write_at)),
        **_pins("i_ADB", Cat(unused, read_at)),
        **_pins("i_DIA", Cat(new, Const(0, 18 - len(new)))),
        **_pins("i_DIB", Const(0, 18)),
        **_pins("o_DOB", old),
    )


def _pins(name: str, value: Value) -> dict[str, Value]:
    """Return the arguments of an instance that has a pin for each bit."""
    return {f"{name}{k}": bit for k, bit in enumerate(value)}


LUT_WORDS = 16
"""Words of a LUT RAM of an ECP5, of four bits each; more take a multiplexer for each bit."""


def ram_store(
    width: int,
    depth: int,
    family: str,
    settings: Settings = CONSTANTS,
    *,
    block_from: int = 0,
    restarts: bool = False,
) -> RamStore:
    """Return the RAM that serves a family best: a block RAM from so many words on."""
    own = family == "ecp5" and block_from <= depth <= max(Ecp5Store.ROWS)
    return (Ecp5Store if own else RamStore)(width, depth, settings, restarts=restarts)


def multiplier_instance(a: Value, b: Value, product: Value) -> Instance:
    """Return a multiplier of unsigned factors of `MULTIPLIER_BITS` at most.

    It has registers at its inputs, inside and at its output: the product comes three clocks later.
    """
    pins: dict[str, object] = {}
    for place in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT"):
        for what in ("CLK", "CE", "RST"):
            pins[f"p_REG_{place}_{what}"] = f"{what}0"
    for k in range(4):
        pins |= {f"i_CLK{k}": ClockSignal() if k == 0 else 0, f"i_CE{k}": 1, f"i_RST{k}": 0}
    for name, value in (("A", a), ("B", b), ("C", Const(0, 1))):
        pins |= _pins(f"i_{name}", Cat(value, Const(0, MULTIPLIER_BITS - len(value))))
    pins |= _pins("o_P", product)
    for name in ("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB"):
        pins[f"i_{name}"] = 0
    return Instance("MULT18X18D", p_GSR="DISABLED", p_RESETMODE="SYNC", **pins)
