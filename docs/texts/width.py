"""What docs/ states of cores that are cut into slices: clocks, cells, what one stream costs."""

import tempfile
from pathlib import Path
from typing import Any

import blocks
from streampool_bench.fpga.jobs import BAR_DEVICE, WIDE_JOBS
from streampool_bench.fpga.table import known_apart
from streampool_bench.fpga.text import each_seed
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import SlicedCore
from streampool_hw.fpga import device_named
from streampool_hw.fpga.flow import Design, synthesize
from streampool_sim.words import describe

_CELLS = ("lut4", "carry", "ff", "lut_ram", "block_ram", "dsp")


def placed() -> str:
    """Return the placements of cores of slices, the widest of each layer last."""
    found = {row["job"]: row for row in known_apart("wide")}
    if not found:
        return "`make fpga-wide` was not run yet.\n"
    placed = [found[name] for name in WIDE_JOBS if name in found]
    rows = [_row(row["job"], row) for row in placed]
    some = next(iter(found.values()))
    tools = ", ".join(f"{tool} {version}" for tool, version in some["tools"].items())
    head = (
        "layer, int8 | slices | > values a beat | > clock, MHz | bound by | > placer's, MHz"
        " | > million values/s | > LUT4 | > carry | > FF | > LUT RAM | > block RAM | > DSP"
    )
    limits = [
        f"- {layer}, {cut}: {row['critical_path']['words']}.\n"
        for row, (layer, cut, *_) in zip(placed, rows, strict=True)
        if row["bound_by"] == "placer"
    ]
    return (
        f"{device_named(BAR_DEVICE).part}, {tools}:\n\n{blocks.table(head, rows)}\n"
        f"The longest paths of those that the silicon does not bind:\n\n{''.join(limits)}"
    )


def _row(name: str, row: dict[str, Any]) -> list[str]:
    job = WIDE_JOBS[name]
    each = job.job.lanes // job.slices
    cut = f"{job.slices} x {job.columns} columns x {each} lane{'s'[: each > 1]}"
    size = " x ".join(map(str, job.shape))
    clock = [f"{row['clock_mhz']:.1f}", row["bound_by"]] if row["placed"] else ["-", "-"]
    values = f"{row['values_per_second'] / 1e6:,.0f}" if row["placed"] else "-"
    return [
        f"{describe(job.spec)} on {size}{' (stale)' * row['stale']}",
        cut + ("" if job.own_streams else ", one stream"),
        f"{job.job.layout_in.values}",
        *clock,
        each_seed(row) or row["reason"].rstrip("."),
        values,
        *("-" if row[cell] is None else f"{row[cell]:,}" for cell in _CELLS),
    ]


def joint_costs() -> str:
    """Return what slices behind one stream take beyond the same slices with their own."""
    device, rows = device_named(BAR_DEVICE), []
    job = PoolJob(PoolSpec("max", 2), (8, 224, 224), 8, 32)
    for said, own in (("a stream for each", True), ("one wide stream", False)):
        design = Design.of(job, device, slices=8, own_streams=own)
        with tempfile.TemporaryDirectory() as folder:
            counts = synthesize(design.alone, device, Path(folder) / "made")
        core = design.core
        rows.append(
            [
                *(said, core.cycles_bound, core.latency),
                *(f"{counts[cell] * design.streams:,}" for cell in _CELLS[:-1]),
            ]
        )
    assert isinstance(core, SlicedCore)
    head = (
        "8 slices of 32 columns | > cycles per frame | > latency | > LUT4 | > carry | > FF"
        " | > LUT RAM | > block RAM"
    )
    return blocks.table(head, rows)
