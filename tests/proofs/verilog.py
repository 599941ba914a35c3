"""The generated Verilog keeps to AXI4-Stream's rules: the monitors of axis_rules.py, proved.

A core as `write_verilog` writes it stands between the monitors of its two sides. Of its input
nothing is asked, and every rule is claimed of its output:

- What stays until the transfer, and reset, by induction over clocks. Of the inside only this is
  told, and is proved with it: each FIFO's pointers are as far apart as its level, and it offers a
  beat where that is not 0. The induction is as deep as work is under way to a FIFO at most, so
  that it follows by itself that none overflows.
- The marks of packets, and ``frame_error`` as docs/integration.md has it, by property directed
  reachability (Een, Mishchenko and Brayton, "Efficient implementation of property directed
  reachability", 2011), which finds by itself what it needs of the inside.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import axis_rules
from axis_rules import Stream
from streampool_golden import Job, PoolJob, PoolSpec
from streampool_hw.datapath.fifo import PipelineFifo
from streampool_hw.export.verilog import write_verilog

from .harness import CLAIM, Verdict, prove, run_abc, run_yosys

DEPTH = PipelineFifo.IN_FLIGHT + 2
NAME = "core"

_READ = """
read_verilog -formal top.v
hierarchy -check -top top
proc
flatten
"""
_TO_AIGER = """
chformal -lower
async2sync
memory_nordff
memory_map
dffunmap
setundef -undriven -anyseq
techmap
opt_expr
opt_merge
dffunmap
simplemap
opt_clean
aigmap
opt_clean
write_aiger -zinit top.aig
"""
_FIFO = re.compile(r"^module \\(\S+\.fifo\S*) (.*?)^endmodule", re.MULTILINE | re.DOTALL)
_INSIDE = re.compile(r"(\w+);  // is (\S+)$", re.MULTILINE)
_POINTER = re.compile(r"^  reg \[3:0\] (\\?(?:read|write)_port__addr\S*) ?;", re.MULTILINE)


@dataclass(frozen=True)
class KeepsRules:
    """A theorem: a job's generated Verilog keeps to some rules, whatever comes and goes."""

    name: str
    job: Job = field(compare=False)
    options: Mapping[str, Any] = field(compare=False)
    marks: bool
    group: str = "verilog"

    @property
    def depth(self) -> int | str:
        """Clocks of the induction, or any."""
        return "any" if self.marks else DEPTH

    def text(self) -> str:
        """Return the Verilog of the core between its monitors."""
        with TemporaryDirectory() as folder:
            written = write_verilog(self.job, folder, NAME, **self.options)
            core = written.verilog.read_text(encoding="utf-8")
        return between(core, self.job, self.options, marks=self.marks)

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Prove a text's claims in a folder."""
        start = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "top.v").write_text(text, encoding="utf-8")
        if not self.marks:
            inside = [f"connect -set {name} {of}" for name, of in _INSIDE.findall(text)]
            run_yosys("\n".join((_READ, *inside, "write_rtlil flat.il\n")), folder, "flat")
            flat = (folder / "flat.il").read_text(encoding="utf-8")
            return prove(flat, folder, depth=DEPTH, limit=limit)
        run_yosys(f"{_READ}{_TO_AIGER}", folder, "aiger")
        how = "lcorr; scorr; write_aiger less.aig; print_stats"
        said = run_abc(f"read_aiger top.aig; {how}", folder, limit)
        solve = "dprove" if said and re.search(r"lat =\s+0 ", said) else "pdr"
        left = limit - (time.monotonic() - start)
        failed = _failed(said and run_abc(f"read_aiger less.aig; {solve}", folder, left))
        return Verdict(not failed, failed)


def between(core: str, job: Job, options: Mapping[str, Any], *, marks: bool) -> str:
    """Return a core's Verilog with monitors at its ports, and claims of what they see."""
    more = {name: bool(options.get(name)) for name in ("tkeep", "tuser")}
    both = axis_rules.sides(job, lines=options.get("tlast") == "line", **more)
    inputs, wires, pins = ["aclk", "aresetn"], [], [".aclk(aclk)", ".aresetn(aresetn)"]
    for side, stream in both.items():
        for port, bits in {"tvalid": 1, "tready": 1, **stream.ports}.items():
            name = f"{side}_{port}"
            pins.append(f".{name}({name})")
            declared = f"[{bits - 1}:0] {name}"
            (inputs if stream.output == (port == "tready") else wires).append(declared)
    claims = _marks(both["m_axis"]) if marks else _stays(both["m_axis"], core)
    return "\n".join(
        (
            "module top(",
            ",\n".join(f"  input {each}" for each in inputs),
            ");",
            *(f"  wire {each};" for each in (*wires, "frame_error")),
            f"  {NAME} dut ({', '.join((*pins, '.frame_error(frame_error)'))});",
            *axis_rules.watch(both),
            *claims,
            "endmodule",
            axis_rules.monitors(both),
            core,
        )
    )


def _claim(name: str, what: str) -> str:
    return f"  wire {CLAIM}{name} = {what};\n  always @* assert ({CLAIM}{name});"


def _stays(output: Stream, core: str) -> Iterator[str]:
    """Yield the claims of what stays, and of reset; with what is told of the FIFOs."""
    for k, rule in enumerate(output.rules):
        if not rule.mark and not rule.output:
            yield _claim(rule.name, f"~m_axis_broken[{k}]")
    for number, (module, body) in enumerate(_FIFO.findall(core)):
        inside = "dut." + module.removeprefix(f"{NAME}.")
        seen = {f"level_{number}": "level", f"valid_{number}": "o__valid"}
        claims = [_claim(f"offers_{number}", f"valid_{number} == (level_{number} != 0)")]
        pointers = [name.strip().removeprefix("\\") for name in _POINTER.findall(body)]
        reads, writes = ([p for p in pointers if p.startswith(way)] for way in ("read", "write"))
        for bank, (at, to) in enumerate(zip(reads, writes, strict=True)):
            kind = f"{number}_{bank}"
            seen |= {f"at_{kind}": at, f"to_{kind}": to}
            claims.append(f"  wire [3:0] apart_{kind} = to_{kind} - at_{kind};")
            claims.append(_claim(f"apart_{kind}", f"apart_{kind} == level_{number}"))
        for name, of in seen.items():
            yield f"  wire {'' if of == 'o__valid' else '[3:0] '}{name};  // is {inside}.{of}"
        yield from claims


def _marks(output: Stream) -> Iterator[str]:
    """Yield the claim of marks at the output, and of what is said of those at the input."""
    marks = [k for k, rule in enumerate(output.rules) if rule.mark or rule.output]
    broken = " | ".join(("flag_broken", *(f"m_axis_broken[{k}]" for k in marks)))
    yield _claim("marks", f"~({broken})")


def _failed(said: str | None) -> tuple[str, ...]:
    """Return what is not proved, by what ABC said."""
    if said is None:
        return ("time",)
    if re.search(r"^Property proved|^UNSATISFIABLE|^Networks are equivalent", said, re.MULTILINE):
        return ()
    return ("marks",) if re.search(r"asserted|^SATISFIABLE|not equivalent", said, re.M) else ("?",)


EVERY: Mapping[str, Any] = {"tkeep": True, "tuser": True}
"""Ports that are optional."""

JOBS: dict[str, PoolJob] = {
    "max": PoolJob(PoolSpec("max", 2, ndim=1, dtype="int2"), (1, 4), 1),
    "max, a spare lane": PoolJob(PoolSpec("max", 2, ndim=1, dtype="uint1"), (3, 4), 2),
    "columns": PoolJob(PoolSpec("max", 2, dtype="uint1", ndim=1), (2, 6), 2, 4),
    "columns, averages": PoolJob(PoolSpec("avg", 2, dtype="uint2", ndim=1), (3, 6), 2, 2),
    "columns, indices": PoolJob(
        PoolSpec("max", 2, indices="flat", dtype="uint1", ndim=1), (3, 6), 2, 4
    ),
    "no stage": PoolJob(PoolSpec("max", 1, dtype="uint3"), (3, 2, 2), 2),
}
"""Small cores of which all rules are proved."""

LARGER: dict[str, PoolJob] = {
    "averages": PoolJob(
        PoolSpec("avg", 3, 2, 1, ndim=1, dtype="int2", count_include_pad=False), (1, 4), 1
    ),
    "indices": PoolJob(PoolSpec("max", 2, indices="flat", dtype="uint1"), (1, 2, 4), 1),
    "grows": PoolJob(PoolSpec("max", 2, 1, 1, ndim=1, dtype="uint1"), (1, 3), 1),
    "two axes": PoolJob(PoolSpec("max", 3, 2, 1, dtype="int8"), (3, 5, 5), 2),
}
"""Cores whose marks' proof does not end in minutes: what stays is proved, and reset."""


def cases() -> Iterator[KeepsRules]:
    """Yield what is proved of each core."""
    for name, job in (JOBS | LARGER).items():
        yield KeepsRules(f"stays: {name}", job, EVERY, False)
    lines = PoolJob(PoolSpec("max", 2, dtype="uint1"), (1, 4, 4), 1)
    yield KeepsRules("stays: lines", lines, {**EVERY, "tlast": "line"}, False)
    for name, job in JOBS.items():
        yield KeepsRules(f"marks: {name}", job, EVERY, True)
