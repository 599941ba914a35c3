"""Whether a mutant can be told from its core at all, from outside: for any inputs, without a bound.

The core and the mutant get the same inputs, of which nothing is assumed but that a beat stays
until it is taken. They differ in a clock, no reset being high, in which `ready` or `valid` is
another one, or in which both offer a beat and it is another one. That this never happens is proved
by property-directed reachability (Een, Mishchenko and Brayton, "Efficient implementation of
property directed reachability", FMCAD 2011), which finds the invariants itself; ABC has it.
"""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .netlists import run_yosys

SCRIPT = """
read_rtlil flat.il
rename top right
design -stash right
read_rtlil flat.il
mutate {fault}
rename top other
design -copy-from right -as right right
read_verilog both.v
hierarchy -check -top both
proc
flatten
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
write_aiger -zinit both.aig
"""


class Verdict(NamedTuple):
    """What was found: ``"equal"``, ``"other"`` after so many clocks, or ``"open"``."""

    said: str
    clocks: int = 0


def bench(flat: str) -> str:
    """Return Verilog of a core and a mutant side by side, and of what tells them apart."""
    widths = {
        name: int(width or 1)
        for width, name in re.findall(
            r"wire (?:width (\d+) )?(?:\w+ \d+ )*\\([io]__payload)$", flat, re.MULTILINE
        )
    }
    into, out = widths["i__payload"], widths["o__payload"]
    return f"""
module both(input clk, rst, valid, ready, input [{into - 1}:0] payload, output differs);
  wire take, take_too, offer, offer_too;
  wire [{out - 1}:0] beat, beat_too;
  right right(.clk(clk), .rst(rst), .i__valid(valid), .i__payload(payload), .i__ready(take),
    .o__valid(offer), .o__payload(beat), .o__ready(ready));
  other other(.clk(clk), .rst(rst), .i__valid(valid), .i__payload(payload), .i__ready(take_too),
    .o__valid(offer_too), .o__payload(beat_too), .o__ready(ready));
  reg waits = 0, broken = 0;
  reg [{into - 1}:0] shown = 0;
  wire breaks = broken | waits & (~valid | payload != shown) & ~rst;
  always @(posedge clk) begin
    waits <= valid & ~take & ~rst;
    shown <= payload;
    broken <= breaks;
  end
  assign differs = ~breaks & ~rst
    & (take != take_too | offer != offer_too | offer & beat != beat_too);
endmodule
"""


def compare(flat: str, fault: str, folder: Path, limit: int = 60) -> Verdict:
    """Prove a mutant equal to its core, or find a run that tells them apart, in `limit` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flat.il").write_text(flat, encoding="utf-8")
    (folder / "both.v").write_text(bench(flat), encoding="utf-8")
    run_yosys(SCRIPT.format(fault=fault), folder)
    return _reached(folder, limit)


def _reached(folder: Path, limit: int) -> Verdict:
    spec = find_spec("pyosys")
    assert spec is not None and spec.origin is not None
    abc = Path(spec.origin).parent / "yosys-abc"
    # what is equal inside is merged first, by induction; most mutants are proved by that alone
    steps = f"read_aiger both.aig; strash; scleanup; scorr; dc2; scorr; pdr -T {limit}; sat -I 0"
    try:
        done = subprocess.run(
            [abc, "-c", steps], cwd=folder, capture_output=True, text=True, timeout=3 * limit
        )
    except subprocess.TimeoutExpired:
        return Verdict("open")
    said = done.stdout + done.stderr
    (folder / "abc.log").write_text(said, encoding="utf-8")
    if re.search(r"Property proved|UNSATISFIABLE", said):
        return Verdict("equal")
    if found := re.search(r"was asserted in frame (\d+)", said):
        return Verdict("other", int(found[1]) + 1)
    return Verdict("open")
