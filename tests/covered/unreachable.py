"""Whether a point of generated Verilog can be reached at all, whatever comes in.

Of what no frame reached it is proved that nothing does: with any inputs in any clock, resets among
them. What is constant ABC finds by induction over signals that are equal, and the rest by
property-directed reachability, as `mutants.equal` has it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mutants.netlists import run_yosys
from proofs.harness import run_abc

from .verilated import NAME, Point

EACH, LIMIT = 20, 400
"""Seconds that the proof of one point may take, and that of all points of a core."""

_FLAT = f"""
read_verilog {NAME}.v
hierarchy -check -top {NAME}
proc
flatten
write_rtlil flat.il
"""
_TO_AIGER = f"""
read_verilog reached.v
read_rtlil joined.il
hierarchy -check -top {NAME}
proc
flatten
zinit -all
setattr -unset init w:*
zinit -all
memory_nordff
memory_map
opt -full
dffunmap
techmap
zinit -all
opt_expr
aigmap
opt_clean
write_aiger -zinit reached.aig
"""
_TOGGLE = re.compile(r"(?P<signal>[^[:]+)(?:\[(?P<bit>\d+)\])?:(?P<edge>0->1|1->0)")
_TERM = re.compile(r"(?P<signal>[^\s[(=]+)(?:\[(?P<bit>\d+)\])?==(?P<value>[01])")
_CONDITION = re.compile(r"(?:= |if \()\\?(?P<signal>[^\s()[]+) ?(?:\) begin$| \? )")
_ROW = re.compile(r"(?P<memory>\w+)\[\d+\]\[(?P<bit>\d+)\]:(?:0->1|1->0)")
_WRITE = r"if \({name}\)\s+{memory}\[{name}\] <= (?:{{ )?([^{{}}]+?)(?: }})?;"
_NAME = r"\\?(\S+?) ?"
_WIRE = re.compile(r"^  wire (?:width (\d+) )?.*\\(\S+)$", re.MULTILINE)
_CODED = re.compile(r"__0([0-9A-Fa-f]{2})")


class Bit(NamedTuple):
    """A bit of a signal, by its path, that is `value`; `turns` to that where it was not before."""

    signal: str
    place: int
    value: int
    turns: bool = False


def needs(point: Point, verilog: str, widths: Mapping[str, int]) -> list[Bit] | None:
    """Return what has to come together for a point to be reached, or None where nobody can say.

    Signals of the Verilog are so wide.
    """
    if found := _ROW.fullmatch(point.what):  # which starts as 0
        return _written(point, verilog, widths, found["memory"], int(found["bit"]))
    if point.kind == "toggle":
        found = _TOGGLE.fullmatch(point.what)
        assert found is not None, point
        # what Verilator has no letters for it writes as a number
        signal = _CODED.sub(lambda code: chr(int(code[1], 16)), found["signal"])
        value = int(found["edge"][-1])
        return [Bit(_path(point, signal), int(found["bit"] or 0), value, True)]
    if point.kind == "expr":
        terms = point.what.partition(" => ")[0]
        return [
            Bit(_path(point, term["signal"]), int(term["bit"] or 0), int(term["value"]))
            for term in _TERM.finditer(terms)
        ]
    if condition := _CONDITION.search(point.text):
        value = int(not point.what.endswith("else"))
        return [Bit(_path(point, condition["signal"]), 0, value)]
    return None


def _written(
    point: Point, verilog: str, widths: Mapping[str, int], memory: str, bit: int
) -> list[Bit] | None:
    """Return what has to come together for a 1 to be written to a bit of any row."""
    _, _, module = verilog.partition(f"\nmodule \\{NAME}.{point.path} (")
    body, _, _ = module.partition("\nendmodule")
    found = re.search(_WRITE.format(name=_NAME, memory=memory), body)
    if found is None:
        return None
    enable, _, word = found.groups()
    for part in reversed(word.split(",")):  # the lowest comes last
        signal = _path(point, part.strip().removeprefix("\\"))
        if bit < widths.get(signal, 0):
            return [Bit(_path(point, enable), 0, 1), Bit(signal, bit, 1)]
        bit -= widths.get(signal, 0)
    return None


def _path(point: Point, signal: str) -> str:
    return ".".join(filter(None, (point.path, signal)))


def proved(points: Iterable[Point], folder: Path) -> list[Point]:
    """Return those of the points that nothing reaches; `folder` has the Verilog."""
    run_yosys(_FLAT, folder)
    verilog = (folder / f"{NAME}.v").read_text("utf-8")
    flat = (folder / "flat.il").read_text("utf-8")
    widths = {path: int(width or 1) for width, path in _WIRE.findall(flat)}
    asked = [
        (point, bits)
        for point in points
        if (bits := needs(point, verilog, widths)) and all(bit.signal in widths for bit in bits)
    ]
    if not asked:
        return []
    every = list(dict.fromkeys(bit for _, bits in asked for bit in bits))
    (folder / "reached.v").write_text(_reached(every, [bits for _, bits in asked]), "utf-8")
    head, top, rest = flat.partition(f"module \\{NAME}\n")
    body, end, rest = rest.partition("\nend\n")
    ends = "".join(f" \\{bit.signal} [{bit.place}]" for bit in reversed(every))
    joined = [
        f"  wire width {len(asked)} output 1000 \\reached",
        "  cell \\reached \\claims",
        "    connect \\clk \\aclk",
        f"    connect \\bits {{{ends} }}",
        "    connect \\reached \\reached",
        "  end",
    ]
    # nothing is asked of what the core itself gives
    body = re.sub(r"^(  wire .*)output \d+ ", r"\1", body, flags=re.MULTILINE)
    text = head + top + "\n".join([body, *joined]) + end + rest
    (folder / "joined.il").write_text(text, encoding="utf-8")
    run_yosys(_TO_AIGER, folder)
    never = _never(len(asked), folder)
    return [asked[number][0] for number in never]


def _reached(every: Sequence[Bit], claims: Iterable[Sequence[Bit]]) -> str:
    """Return Verilog that says, from bits of a core, which points are reached in a clock."""
    lines = []
    for number, bits in enumerate(claims):
        terms = []
        for bit in bits:
            at = every.index(bit)
            terms.append(f"{'' if bit.value else '~'}bits[{at}]")
            if bit.turns:
                terms.append(f"{'~' if bit.value else ''}before[{at}] & started")
        lines.append(f"  assign reached[{number}] = {' & '.join(terms)};")
    body = "\n".join(lines)
    return f"""
module reached(input clk, input [{len(every) - 1}:0] bits, output [{len(lines) - 1}:0] reached);
  reg started = 0;
  reg [{len(every) - 1}:0] before = 0;
  always @(posedge clk) begin
    started <= 1;
    before <= bits;
  end
{body}
endmodule
"""


def _never(count: int, folder: Path) -> list[int]:
    """Return which outputs of the AIG are never high."""
    script = f"read_aiger reached.aig; strash; scorr; pdr -a -H {1000 * EACH} -T {LIMIT}"
    said = run_abc(script, folder, 2 * LIMIT) or ""
    seen = {int(n) for n in re.findall(r"Output +(\d+) was asserted", said)}
    if re.search(r"Undecided = 0\.", said):
        return [number for number in range(count) if number not in seen]
    return sorted({int(n) for n in re.findall(r"Proved output +(\d+) in", said)} - seen)
