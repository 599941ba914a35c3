"""What no frame reaches, and no proof shows to be out of reach: each with its reason.

A reason holds for the points whose text, as `Point` writes it, has its pattern in it; of the cores
whose names have the other one.
"""

import re
from math import gcd
from typing import NamedTuple

from streampool_hw.datapath.fifo import PipelineFifo

from .verilated import Point


class Reason(NamedTuple):
    """Why points of a kind are not reached."""

    cores: str
    pattern: str
    why: str

    def holds(self, core: str, point: Point) -> bool:
        """Return whether it is for this point."""
        return bool(re.search(self.cores, core) and re.search(self.pattern, str(point)))


def _ends(core: str, path: str, bit: int, beats: int) -> Reason:
    """Return why `last`, a bit of a FIFO, comes to some of its rows alone."""
    step = gcd(beats, PipelineFifo.CAPACITY)
    rows = "|".join(str(row) for row in range(PipelineFifo.CAPACITY) if (row + 1) % step)
    return Reason(f"^{core}$", rf"{path}: memory_0\[(?:{rows})\]\[{bit}\]:", _LAST)


_LAST = (
    "`last` in rows of a FIFO that no frame ends in: a reset starts both anew, and the beats of a"
    " frame and the 16 rows have a common divisor"
)
_CLAMP = "saturation compares with both ends of the type, of which no value of this core passes one"

LISTED = (
    Reason("", r"process_start", "Yosys' own signal, which starts each process and is never set"),
    Reason("", r": cond_then in `.* = 1'h0 \?", "a choice by a constant bit of the program"),
    Reason("", r": case in `default: ;`", "an index of a table stays below its number of words"),
    _ends("max, registers", r"axis_0\.fifo", 4, 24),
    _ends("max, RAM", r"axis_0\.fifo", 3, 160),
    _ends("average", r"axis_0\.fifo", 10, 12),
    _ends("root", r"axis_0\.fifo", 9, 6),
    _ends("root", r"postprocess\.fifo_[01]", 0, 6),
    Reason("root", r"fifo(?:_\d)?: __0245\[4\]:", "a FIFO's level, which never comes to 16"),
    Reason("root", r"frame: __0242\[5\]:", "a counter of 24 beats, of which none is left below 0"),
    Reason("root", r"preprocess\S*: \S+\[7\]:", "the square of an int4, which is 64 at most"),
    Reason(
        "root",
        r"postprocess: (?:__024(?:22|27|32|36)|remainder__\d+|value__\d+)\[\d\]:",
        "bits of a root's remainders, and of the root of a mean of squares, which is 8 at most",
    ),
    _ends("columns", r"axis_0\.fifo", 12, 10),
    Reason(
        "indices",
        r"axis_1\.fifo: memory_0\[\d+\]\[(?:1|2|9|10)\]:",
        "bits of a place along the columns: each place comes to the same rows of the FIFO, always",
    ),
    Reason(
        "max, RAM",
        r"store_0: __0243\[6\]:0->1",
        "a pointer into a store of 40 words, whose successor needs no seventh bit",
    ),
    Reason("requantised", r"postprocess: .*(?:above|__02415:)", _CLAMP),
)
