"""Cells of an ECP5 that no synthesizer infers: block RAM and multiplier with their registers."""

from typing import ClassVar

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Signal, Value

from .block_store import BlockStore

MULTIPLIER_BITS = 18
"""Widest operand of the multiplier, and of a Gowin's too; an iCE40's are 16 x 16."""


class Ecp5Store(BlockStore):
    """A store in the block RAM of an ECP5 with its output register, which is never inferred."""

    # Lattice FPGA-TN-02204, table 2.1
    ROWS: ClassVar = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}

    def block(self, m, name, read_at, write_at, write, new, old):
        m.submodules[name] = _block(len(old), read_at, write_at, write, new, old)


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
