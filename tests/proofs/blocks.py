"""Block RAM as its vendor describes it, in the place of the cell, with one word of it kept.

Lattice's FPGA-TN-02204 has an ECP5's blocks: words and their pins, the output register, and byte
enables. FPGA-TN-02002 has an iCE40's: the modes, and each mode's words and pins. Neither is taken
to say what a read gives of a word that is written in the same clock: here it is *anything*, and so
is a word that was not written yet. The solver chooses the word that is kept, so that what is proved
of it is proved of each.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Elaboratable, Fragment, Instance, Module, Mux, Signal, Value

from .formal import AnyConst, AnySeq

_APART = {16: 0, 8: 1, 4: 3, 2: 7}
"""Of an iCE40's words, by their bits: pins between two bits that a word does not use."""


@dataclass(frozen=True)
class Port:
    """What a cell's pins say to its memory in a clock, and where a word leaves.

    Parameters
    ----------
    write, read : Value
        Whether a word is written, and read.
    to, at : Value
        Which.
    new : Value
        What is written.
    old : Value
        Where what was read leaves, a clock later.
    through : Value or None
        Whether an output register takes it in: then it leaves a clock after that. None without one.
    """

    write: Value
    to: Value
    new: Value
    read: Value
    at: Value
    old: Value
    through: Value | None


def port_of(cell: Any) -> Port:
    """Return what the pins of a cell say, which has the parameters that cores give it."""
    pins = {name: Value.cast(value) for name, (value, _) in cell.ports.items()}
    told = cell.parameters

    def bus(name: str, bits: range | int) -> Value:
        return Cat(pins[f"{name}{k}"] for k in (range(bits) if isinstance(bits, int) else bits))

    def never(*names: str) -> None:
        for name in names:
            pin = pins[name]
            assert isinstance(pin, Const) and pin.value == 0, name

    if cell.type == "PDPW16KD":
        assert told["DATA_WIDTH_W"] == told["DATA_WIDTH_R"] == 36
        assert told["REGMODE"] == "OUTREG"
        never("RST")
        return Port(
            pins["CEW"] & bus("BE", 4).all() & ~bus("CSW", 3).any(),
            *(bus("ADW", 9), bus("DI", 36)),
            pins["CER"] & ~bus("CSR", 3).any(),
            *(bus("ADR", range(5, 14)), _outputs(pins, "DO", 36), pins["OCER"]),
        )
    if cell.type == "DP16KD":
        bits = told["DATA_WIDTH_B"]
        assert told["DATA_WIDTH_A"] == bits and told["REGMODE_B"] == "OUTREG"
        never("RSTA", "RSTB", "WEB")
        shift = {18: 4, 9: 3, 4: 2, 2: 1, 1: 0}[bits]
        enabled = bus("ADA", 2).all() if bits == 18 else Const(1, 1)
        return Port(
            pins["CEA"] & pins["WEA"] & ~bus("CSA", 3).any() & enabled,
            *(bus("ADA", range(shift, 14)), bus("DIA", bits)),
            pins["CEB"] & ~bus("CSB", 3).any(),
            *(bus("ADB", range(shift, 14)), _outputs(pins, "DOB", bits), pins["OCEB"]),
        )
    assert cell.type == "SB_RAM40_4K" and told["READ_MODE"] == told["WRITE_MODE"]
    bits = 16 >> told["READ_MODE"]
    apart = _APART[bits]
    places = [apart // 2 + k * (apart + 1) for k in range(bits)]
    never("MASK")
    address = range(8 + told["READ_MODE"])
    return Port(
        pins["WE"] & pins["WCLKE"],
        *(pins["WADDR"][: len(address)], Cat(pins["WDATA"][k] for k in places)),
        pins["RE"] & pins["RCLKE"],
        *(pins["RADDR"][: len(address)], Cat(pins["RDATA"][k] for k in places), None),
    )


def _outputs(pins: dict[str, Value], name: str, bits: int) -> Value:
    return Cat(pins[f"{name}{k}"] for k in range(bits) if f"{name}{k}" in pins)


class Block(Elaboratable):
    """A cell as described above; where it `drives` what leaves is free but where it is known.

    Attributes
    ----------
    chosen, kept : Signal
        The word that is kept, and what is in it.
    written : Signal
        Whether it ever was written.
    caught, out : tuple of Signal
        What a read left in the block, and what leaves: a word, and whether it is known.
    """

    def __init__(self, cell: Any, *, drives: bool = True):
        self.port, self._drives = port_of(cell), drives
        bits = len(self.port.new)
        self.chosen = Signal(len(self.port.at), name="chosen")
        self.kept = Signal(bits, name="kept", reset_less=True)
        self.written = Signal(name="written", reset_less=True)
        self.caught = (
            Signal(bits, name="caught", reset_less=True),
            Signal(name="caught_known", reset_less=True),
        )
        self.out = self.caught
        if self.port.through is not None:
            self.out = (
                Signal(bits, name="out", reset_less=True),
                Signal(name="out_known", reset_less=True),
            )

    def elaborate(self, platform: object) -> Module:
        m, port = Module(), self.port
        m.d.comb += self.chosen.eq(AnyConst(len(self.chosen)))
        with m.If(port.write & (port.to == self.chosen)):
            m.d.sync += [self.kept.eq(port.new), self.written.eq(1)]
        word, known = self.caught
        together = port.write & (port.to == port.at)
        with m.If(port.read):
            m.d.sync += word.eq(self.kept)
            m.d.sync += known.eq(self.written & (port.at == self.chosen) & ~together)
        if port.through is not None:
            with m.If(port.through):
                m.d.sync += [
                    each.eq(held) for each, held in zip(self.out, self.caught, strict=True)
                ]
        word, known = self.out
        if self._drives:
            free = AnySeq(len(word))
            m.d.comb += port.old.eq(Mux(known, word, free)[: len(port.old)])
        return m


def described(fragment: Any, platform: object) -> list[Block]:
    """Put a `Block` in the place of each cell of a design; return them in order."""
    found: list[Block] = []
    for number, (part, name, where) in enumerate(fragment.subfragments):
        if isinstance(part, Instance):
            found.append(Block(part))
            fragment.subfragments[number] = (Fragment.get(found[-1], platform), name, where)
        else:
            found += described(part, platform)
    return found
