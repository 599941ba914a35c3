"""What a core is made of before synthesis, by word: what a cost model predicts cells from.

Counted in the core's RTLIL, which is elaborated for a device's family. So the figures know every
width, bank, FIFO and divider, of operations too that no model has ever seen. Block RAMs and
multipliers are counted there, most of them as instances, and not fitted.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from streampool_golden import PoolJob
from streampool_hw import PoolCore
from streampool_hw.export import yosys

_KINDS = {
    "$dff": "registers",
    "$mux": "choices",
    **dict.fromkeys(("$add", "$sub", "$neg"), "sums"),
    **dict.fromkeys(("$lt", "$le", "$gt", "$ge"), "comparisons"),
    **dict.fromkeys(("$eq", "$ne", "$reduce_or", "$reduce_and", "$reduce_bool"), "tests"),
    **dict.fromkeys(("$and", "$or", "$xor", "$not", "$reduce_xor"), "gates"),
    **dict.fromkeys(("$shr", "$shl", "$sshr", "$shift", "$shiftx"), "shifts"),
    **dict.fromkeys(("\\PDPW16KD", "\\DP16KD", "\\SB_RAM40_4K"), "block_ram"),
    **dict.fromkeys(("\\MULT18X18D", "\\SB_MAC16"), "dsp"),
}
"""Cells by what they are counted as."""

_WIDTHS = {
    **dict.fromkeys(("comparisons", "tests"), "A_WIDTH"),
    **dict.fromkeys(("registers", "choices", "clears"), "WIDTH"),
}
"""The parameter that says how many bits a cell has; ``Y_WIDTH`` of others."""

_CELL = re.compile(r"cell (\S+) ")
_PARAMETER = re.compile(r"parameter \\(\w+) (\d+)$")
_OPERAND = re.compile(r"connect \\([AB]) (.+)$")
_CONSTANT = re.compile(r"\d+'[01]+$")
_MEMORY = re.compile(r"memory width (\d+) size (\d+) ")
_BITS = re.compile(r"\[(\d+)(?::(\d+))?\]")

BLOCKS = {"ice40": ((256, 16), (512, 8), (1024, 4), (2048, 2))}
"""Words and bits that a block RAM may have, by family, where there is no LUT RAM."""

NAMES = (
    *("registers", "choices", "clears", "loads", "resets", "sums", "counts", "comparisons"),
    *("tests", "gates", "shifts", "ram16", "block_ram", "dsp", "adders", "parts"),
    *("widest", "bits_in", "bits_out", "depth", "stages"),
)
"""The features, in order.

Bits of cells of each kind (*clears* and *counts* are choices and sums with a constant on one side,
*loads* and *resets* what a case assigns); LUT RAMs of 16 words of 4 bits; block RAMs; multipliers;
adders and comparisons by number, and parts; bits of the widest adder; bits of a beat in and out;
clocks of latency; stages.
"""

BEAT = ("bits_in", "bits_out")
"""The features that `beat` gives."""


def beat(job: PoolJob) -> tuple[float, ...]:
    """Return what is known of a job before its core is made: by `BEAT`."""
    out = job.layout_out.values * sum(field.port.bits for field in job.fields_out)
    return float(job.layout_in.values * job.input.bits), float(out)


@dataclass(frozen=True)
class Made:
    """A core before synthesis."""

    features: tuple[float, ...]
    """By `NAMES`."""
    cycles: int
    """Of a frame, at most, in the steady state: exact."""
    store_bits: int
    """Of its stores: exact."""


@lru_cache(maxsize=4096)
def made(job: PoolJob, family: str) -> Made:
    """Return what a job's core is made of for a family of devices."""
    core = PoolCore(job, family=family)
    found = counted(yosys.to_rtlil(core, "core"), BLOCKS.get(family, ()))
    found["bits_in"], found["bits_out"] = map(int, beat(job))
    found["depth"] = core.latency
    found["stages"] = len(core.stages)
    values = tuple(float(found[name]) for name in NAMES)
    return Made(values, core.cycles_bound, core.store_bits)


def counted(rtlil: str, blocks: Sequence[tuple[int, int]] = ()) -> Counter[str]:
    """Return the bits of each kind of cell in a design's RTLIL.

    `blocks` are the sizes of a block RAM where synthesis makes one of every memory.
    """
    found: Counter[str] = Counter()
    kind, widths, constant, cased = "", dict[str, int](), False, False
    for line in map(str.strip, rtlil.splitlines()):
        if match := _CELL.match(line):
            kind, widths, constant = match[1], {}, False
            found["parts"] += not kind.startswith("$")
        elif kind:
            if match := _PARAMETER.match(line):
                widths[match[1]] = int(match[2])
            elif match := _OPERAND.match(line):
                constant |= bool(_CONSTANT.match(match[2]))
            elif line == "end":
                _count(found, kind, widths, constant)
                kind = ""
        elif match := _MEMORY.match(line):
            width, words = int(match[1]), int(match[2])
            if blocks:
                found["block_ram"] += min(
                    -(-words // deep) * -(-width // wide) for deep, wide in blocks
                )
            else:
                found["ram16"] += -(-width // 4) * -(-words // 16)
        elif line.startswith("case"):
            cased = True
        elif line.startswith(("process", "switch")):
            cased = cased and line.startswith("switch")
        elif cased and line.startswith("assign "):
            constant = bool(_CONSTANT.match(line.rpartition(" ")[2]))
            found["resets" if constant else "loads"] += _assigned(line)
    return found


def _count(found: Counter[str], kind: str, widths: dict[str, int], constant: bool) -> None:
    """Add one cell; the choice between a value and a constant is a register's clear, mostly."""
    what = _KINDS.get(kind)
    if what is None:
        return
    if constant and what in ("choices", "sums"):
        what = {"choices": "clears", "sums": "counts"}[what]
    if what in ("block_ram", "dsp"):
        found[what] += 1
        return
    width = widths.get(_WIDTHS.get(what, "Y_WIDTH"), 1)
    found[what] += width
    if what in ("sums", "counts", "comparisons"):
        found["adders"] += 1
        found["widest"] = max(found["widest"], width)


def _assigned(line: str) -> int:
    """Return how many bits a line of a case assigns."""
    match = _BITS.search(line)
    if match is None:
        return 1
    high, low = int(match[1]), int(match[2] or match[1])
    return abs(high - low) + 1
