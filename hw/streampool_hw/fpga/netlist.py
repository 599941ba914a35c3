"""A synthesized design as gates that can be simulated: two-input logic, registers, memories."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..export.yosys import top_module
from ..vendor.cell_models import cell_models, pin_models
from . import tools
from .devices import Device
from .tools import ToolError

NETLIST = "design.json"
"""What synthesis leaves in its folder."""

_UNKNOWN = re.compile(r"Module `\\?(\w+)' .* is not part of the design")


class ModelMissing(ToolError):
    """A netlist has a cell of which there is no model, so that it cannot be simulated."""


# What leaves by a pin, at the cell between it and the design
_LEAVES = {"SB_IO": "D_OUT_0", "TRELLIS_IO": "I", "TBUF": "I"}


def net_behind(folder: Path, port: str) -> str:
    """Return the name of a net whose lowest bit leaves by a port of the `NETLIST` in a folder."""
    module = top_module(json.loads((folder / NETLIST).read_text(encoding="utf-8")))
    pin = module["ports"][port]["bits"]
    bits = [
        cell["connections"][_LEAVES[cell["type"]]][0]
        for cell in module["cells"].values()
        if cell["type"] in _LEAVES and pin in cell["connections"].values()
    ]
    names = [name for name, net in module["netnames"].items() if net["bits"][:1] == bits]
    if not names:
        raise ToolError(f"the netlist has nothing that leaves by {port}.")
    return names[0]


def netlist_gates(folder: Path, device: Device, keep: Sequence[str] = ()) -> dict[str, Any]:
    """Put models in the place of cells of the `NETLIST` in a folder, then simple gates in theirs.

    The result is Yosys' JSON of one flat module. Its cells are gates of one bit (``$_AND_`` and so
    on), registers without enable or reset (``$_DFF_P_``), and memories that are read without a
    clock (``$mem_v2``). Nets in `keep` stay, though no output needs them.
    """
    design = json.loads((folder / NETLIST).read_text(encoding="utf-8"))
    ours = cell_models(device.family) + pin_models(top_module(design)["cells"].values())
    (folder / "models.v").write_text(ours, encoding="utf-8")
    script = [
        f"read_json {NETLIST}",
        "delete t:$scopeinfo",
        "hierarchy -auto-top; rename -top top",
        "select -module top; write_rtlil -selected netlist.il; select -clear",
        "design -reset",
        "read_rtlil netlist.il",
        "read_verilog models.v",  # ours first: what is there already is not read again
        # Yosys' own; what is not instantiated is not looked at: a large RAM takes a minute
        f"read_verilog -nooverwrite -defer +/{device.family}/cells_sim.v",
        "hierarchy -check -top top",
        "proc",
        "flatten",
        *(f"setattr -set keep 1 w:{name}" for name in keep),
        "opt -fast -mux_undef",  # the models' own parameters are constants
        "memory_collect",
        "async2sync",
        "dffunmap",
        "techmap",
        "simplemap",
        "opt_expr -undriven -fine",
        "opt_merge",
        "opt_clean",
        "delete t:$scopeinfo",
        "write_json gates.json",
    ]
    failed = f"Yosys could not put models in the netlist of {device.name}"
    try:
        tools.run_yosys(script, folder, failed)
    except ToolError as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown is None:
            raise
        raise ModelMissing(f"there is no model of {unknown[1]}, a cell of {device.name}") from None
    return top_module(json.loads((folder / "gates.json").read_text(encoding="utf-8")))
