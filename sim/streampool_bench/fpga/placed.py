"""The cores that were placed, and what they take of their devices."""

from functools import cache
from typing import Any

from streampool_hw.fpga.devices import DEVICES

from .table import known, known_apart

GROWING = (
    *("TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW", "DP16KD", "MULT18X18D"),
    *("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
    *("LUT4", "ALU", "DFF", "RAM16SDP4", "BSRAM", "MULT9X9", "MULT18X18"),
)
"""Cells that a wider core takes more of, as the placers call them; not pins, nor clock trees."""

BLOCK_RAMS = ("DP16KD", "ICESTORM_RAM", "BSRAM")
"""Block RAMs, as the placers call them."""

BLOCK_BITS = {"ecp5": 18_432, "ice40": 4_096, "gowin": 18_432}
"""Bits of a block RAM by family: Lattice FPGA-TN-02204 and FPGA-TN-02002, Gowin UG285."""


@cache
def placements() -> tuple[dict[str, Any], ...]:
    """Return the placements that came about, of designs as they are now."""
    return tuple(row for row in known() if row["placed"] and not row.get("stale"))


@cache
def wide() -> tuple[dict[str, Any], ...]:
    """Return the placements of cores of slices that came about, of designs as they are now."""
    return tuple(row for row in known_apart("wide") if row["placed"] and not row["stale"])


def devices() -> list[str]:
    """Return the devices that something was placed on, in the order of the table."""
    return list(dict.fromkeys(row["device"] for row in placements()))


def lanes_on(device: str, channels: int) -> list[int]:
    """Return the lanes that were placed on a device, or all channels where these are fewer."""
    placed = sorted({row["lanes"] for row in placements() if row["device"] == device})
    return sorted({min(lanes, channels) for lanes in placed})


def _available(device: str) -> dict[str, int]:
    """Return how many cells of each kind a device has, as its placer counted them."""
    found: dict[str, int] = {}
    for row in placements():
        if row["device"] == device:
            found |= row["placer_available"]
    return {kind: number for kind, number in found.items() if kind in GROWING}


def _blocks(store_bits: int, device: str) -> int:
    """Return how many block RAMs hold so many bits, at least."""
    return -(-store_bits // BLOCK_BITS[DEVICES[device].family])


def holds(store_bits: int, device: str) -> bool:
    """Return whether a device's block RAMs hold stores at all, were there nothing else."""
    there = [number for kind, number in _available(device).items() if kind in BLOCK_RAMS]
    return _blocks(store_bits, device) <= max(there, default=0)


def shares(row: dict[str, Any], lanes: int | None = None) -> dict[str, float]:
    """Return the share of a device's cells that a core takes, by kind; none at an assumed clock.

    They are as the placer counted them for the job that gives a row of `hardware.rows` its clock,
    with the registers that it was placed between, in proportion to the lanes; of block RAMs at
    least what the stores take.
    """
    device, times = row["device"], (lanes or row["lanes"]) / row["lanes"]
    named = [each for each in (*placements(), *wide()) if (each["job"], each["device"])
             == (row["placed_job"], device)]  # fmt: skip
    if not named:
        return {}
    used = named[0]["placer_cells"]
    found = {}
    for kind, there in _available(device).items():
        needed = used.get(kind, 0)
        if kind in BLOCK_RAMS:
            needed = max(needed, _blocks(row["store_bits"], device))
        found[kind] = needed * times / there
    return found
