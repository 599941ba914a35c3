"""A synthesized core made of cells that can be simulated."""

import tempfile
from pathlib import Path

from ..core import PoolCore
from ..export import yosys
from ..vendor.cell_models import ecp5_models
from . import tools
from .devices import Device
from .flow import synthesize
from .tools import ToolError

__all__ = ["netlist_rtlil"]

_CELLS = {"ecp5": "+/ecp5/cells_sim.v", "ice40": "+/ice40/cells_sim.v"}
"""Yosys' own models, by family."""


def netlist_rtlil(core: PoolCore, device: Device) -> str:
    """Synthesize a core and put a model in the place of every cell.

    Parameters
    ----------
    core : PoolCore
        Of the device's family.
    device : Device
        An ECP5 or an iCE40.

    Returns
    -------
    str
        RTLIL of one module ``top`` with the core's ports, made of what its cells do.

    Raises
    ------
    ToolError
        If Yosys is missing or fails, or there are no models of the family's cells.
    """
    if device.family not in _CELLS:
        raise ToolError(
            f"there are no models of the cells of {device.name}; a device of the families"
            f" {' and '.join(_CELLS)} would do."
        )
    with tempfile.TemporaryDirectory(prefix="streampool-") as folder:
        path = Path(folder)
        synthesize(yosys.to_rtlil(core, "top"), device, path)
        (path / "models.v").write_text(ecp5_models() if device.family == "ecp5" else "")
        script = (
            "read_json design.json",
            "delete t:$scopeinfo",
            "select -module top; write_rtlil -selected netlist.il; select -clear",
            "design -reset",
            "read_rtlil netlist.il",
            "read_verilog models.v",  # ours first: what is there already is not read again
            # what is not instantiated is not looked at: a large RAM alone would take a minute
            f"read_verilog -nooverwrite -defer {_CELLS[device.family]}",
            "hierarchy -check -top top",
            "proc",
            "flatten",
            "opt -fast -mux_undef",  # the models' own parameters are constants
            "memory_collect",
            "splitnets",
            "opt_clean",
            "delete t:$scopeinfo",
            "write_rtlil models.il",
        )
        done = tools.run(tools.SYNTHESIZER, ["-q", "-p", "; ".join(script)], path)
        if done.returncode:
            said = tools.last_words(done)
            raise ToolError(f"Yosys could not put models in the netlist of {device.name}: {said}.")
        return (path / "models.il").read_text(encoding="utf-8")
