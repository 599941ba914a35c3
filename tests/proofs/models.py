"""The models that simulation has of block RAM, and what the vendor says of it."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, Elaboratable, Fragment, Instance, Module, Signal, Value
from streampool_hw.asked import asked
from streampool_hw.vendor.block_store import BlockStore
from streampool_hw.vendor.cell_models import cell_models

from .blocks import Block
from .formal import Cover
from .harness import NO_YOSYS, SCRIPT, Missing, Verdict, claim, prove, rtlil_of

_CLAIMED = "// what is claimed of it, as RTLIL:\n"
# memories as arrays, as they are too large to be registers
_SCRIPT = SCRIPT.replace("read_rtlil top.il", "read_rtlil top.il\nread_verilog model.v").replace(
    "memory_map -formal\n", "memory_collect\n"
)


class Models(Elaboratable):
    """A cell as a store has it, for a simulation's model of it: with free addresses and words.

    Theorem: where the vendor says which word leaves, the model gives that. In the clock after a
    read of a word that is written in the same clock it may give what it likes, and so it may for a
    word that was never written.

    Invariant: the model's memory has the word that is kept, where it was written.
    """

    def __init__(self, kind: type[BlockStore], depth: int):
        self.platform = None
        rows, self.bits = range(depth), kind.ROWS[depth]
        self.write, self.new = Signal(), Signal(self.bits)
        self.read_at, self.write_at = Signal(rows), Signal(rows)
        self.ports = [self.write, self.new, self.read_at, self.write_at]
        self._built, old = Module(), Signal(self.bits)
        store = asked(kind(self.bits, depth))
        store.block(self._built, "cell", self.read_at, self.write_at, self.write, self.new, old)

    def elaborate(self, platform: object) -> Module:
        m, bits = Module(), self.bits
        fragment: Any = Fragment.get(self._built, platform)
        cell: Any
        [cell] = (each for each, _, _ in fragment.subfragments if isinstance(each, Instance))
        self.cell = cell.type
        m.submodules.block = block = Block(cell, drives=False)
        seen_at, seen = Signal(16, name="seen_at"), Signal(36, name="seen")
        cell.ports |= {"seen_at": (seen_at, "i"), "seen": (seen, "o")}
        m.submodules.part = fragment
        word: Value = seen[:bits]
        m.d.comb += seen_at.eq(block.chosen)
        if cell.type == "SB_RAM40_4K":  # words share rows of 16 bits
            high, step = block.chosen[8:], 16 // bits
            m.d.comb += seen_at.eq(block.chosen[:8])
            word = Cat(seen[k * step : (k + 1) * step].bit_select(high, 1) for k in range(bits))
        claim(m, word == block.kept, "kept", block.written)
        leaves, known = block.out
        claim(m, block.port.old == leaves, "leaves", known)
        m.d.comb += Cover(known)
        return m


def _yosys_model() -> str:
    """Return Yosys' models of an iCE40's cells, which are the ones that simulation has."""
    found = find_spec("pyosys")
    if found is None or found.origin is None:
        raise Missing(NO_YOSYS)
    return (Path(found.origin).parent / "share/ice40/cells_sim.v").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Model:
    """The theorem of `Models`, for the words of a block with so many rows."""

    name: str
    kind: type[BlockStore]
    rows: int
    group: str = "stores"
    depth: int = 2

    def text(self) -> str:
        """Return the model, with a way to look into its memory, and what is claimed, as RTLIL."""
        top = Models(self.kind, self.rows)
        rtlil = rtlil_of(top)
        model = cell_models("ecp5") if top.cell != "SB_RAM40_4K" else _yosys_model()
        [part] = re.findall(rf"^module {top.cell}\s*\(.*?^endmodule\n", model, re.M | re.S)
        (memory,) = re.findall(r"^\s*reg \[.*?\] (\w+) \[", part, re.M)
        look = f"assign seen = {memory}[seen_at];\n"
        seen = part.replace("(", "(input [15:0] seen_at, output [35:0] seen,", 1)
        seen = seen.replace("endmodule", f"{look}endmodule")
        return f"{model.partition('module')[0]}{seen}{_CLAIMED}{rtlil}"

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Prove what a text claims, in a folder."""
        model, _, rtlil = text.partition(_CLAIMED)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.v").write_text(model, encoding="utf-8")
        return prove(rtlil, folder, depth=self.depth, limit=limit, script=_SCRIPT)
