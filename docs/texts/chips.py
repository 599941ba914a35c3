"""What docs/ and README.md state of devices and boards."""

import json
import re
import shlex
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import blocks
from streampool_bench import fpga as placements
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.boards import BOARDS
from streampool_hw.boards.table import SHOWS
from streampool_hw.fpga import DEVICES, Device, device_named
from streampool_hw.fpga.flow import Design, synthesize
from streampool_hw.fpga.silicon import limits_of
from streampool_sim.words import by, describe

from . import cores


def fpga(short: bool = False) -> str:
    """Return clock and area of the reference jobs, from the placements that were made."""
    rows = placements.known()
    return placements.markdown(rows, short=short) if rows else "`make fpga` was not run yet.\n"


def headline() -> str:
    """Return what the smallest job comes to on the bar's device, beside its peers."""
    job, device = placements.JOBS["A1"], device_named(placements.BAR_DEVICE)
    [row] = [
        row for row in placements.known() if (row["job"], row["device"]) == (job.name, device.name)
    ]
    assert row["bound_by"] == "silicon"
    ours = ("**streampool**", f"**{row['lut4']}**", f"**{row['clock_mhz']:.0f}**")
    peers = re.findall(r"(\w+) ([\d,]+) at (\d+)", job.peers)
    size = " x ".join(map(str, job.shape))
    return (
        f"{describe(job.spec).capitalize()}, on {size} {job.spec.dtype}, {job.lanes} lane, on"
        f" an {device.part}, placed with the same tools:\n\n"
        + blocks.table("core | > LUT4 | > MHz", [ours, *peers])
        + f"\nThat is {row['values_per_second'] / 1e6:.0f} million values per second."
        f" The device's {row['silicon_cell']} runs no faster; by the paths alone the placer"
        f" gives {row['fmax_median_mhz']:.1f} MHz, the median of {len(row['fmax_mhz'])}"
        " seeds.\n"
    )


def silicon() -> str:
    """Return the fastest clock of each kind of cell, by part."""
    known: dict[tuple[tuple[str, float], ...], list[Device]] = {}
    unknown = []
    for device in DEVICES.values():
        if limits := limits_of(device):
            key = tuple((limit.cell, limit.mhz) for limit in limits.values())
            known.setdefault(key, []).append(device)
        else:
            unknown.append(device)
    rows = [
        [
            ", ".join(device.part for device in devices),
            "; ".join(f"{cell} {mhz:,.1f}" for cell, mhz in sorted(key, key=lambda each: each[1])),
        ]
        for key, devices in known.items()
    ]
    rows.append([", ".join(device.part for device in unknown), "not known"])
    return blocks.table("devices | highest clocks of their cells, MHz", rows)


def fpga_took(found: Sequence[Path]) -> str:
    """Return how long it takes to place all that is planned."""
    took = _loaded(found[0])
    minutes = took["seconds"] / 60
    return (
        f"All {took['rows']} rows with {took['seeds']} seeds took {minutes:.0f} minutes"
        f" from scratch, on {took['processors']} processors.\n"
    )


def fpga_bar() -> str:
    """Return how the reference jobs stand to their bars."""
    return placements.against_bar(placements.known())


def boards() -> str:
    """Return the boards, what their LEDs show, and how a bitstream gets there."""
    rows: list[list[object]] = []
    for board in BOARDS.values():
        lamps = ", ".join(f"{lamp.label}: *{lamp.shows}*" for lamp in board.lamps)
        load = shlex.join([*board.loader, f"{board.name}.{board.suffix}"])
        rows.append(
            [
                *(f"`{board.name}`", board.title, board.chip.part),
                *(lamps, board.button_label or "-", f"`{load}`"),
            ]
        )
    meanings = "".join(f"- *{shown}*: {meaning}\n" for shown, meaning in SHOWS.items())
    head = "`--board` | board | device | LEDs | button | load with"
    return f"{blocks.table(head, rows)}\n{meanings}"


def boards_reached(reports: Sequence[Path]) -> str:
    """Return the clocks and the use of bitstreams, from the reports beside them."""
    built = {report["board"]: report for report in map(_loaded, reports) if not report["link"]}
    rows: list[list[object]] = []
    for board in BOARDS.values():
        if board.name not in built:
            continue
        report = built[board.name]
        use = [
            f"{used:,} of {report['available'][cells]:,} {cells}"
            for cells, used in Counter(report["used"]).most_common(2)
        ]
        rows.append(
            [
                f"`{board.name}`",
                f"{report['clock_mhz']:g}",
                f"{report['most_mhz']:.1f}",
                report["silicon_cell"] if report["most_mhz"] < report["fmax_mhz"] else "paths",
                ", ".join(use),
                ", ".join(f"{tool} {version}" for tool, version in report["tools"].items()),
            ]
        )
    report = next(iter(built.values()))
    job = PoolJob(PoolSpec.from_json(report["spec"]), report["shape"], report["lanes"])
    size = " x ".join(map(str, job.shape))
    said = f"{describe(job.spec)} on {size}, {job.lanes} lanes, and its self-test:\n\n"
    head = "`--board` | > clock, MHz | > fastest, MHz | bound by | cells of the chip | tools"
    return said + blocks.table(head, rows)


def _loaded(report: Path) -> dict:
    return json.loads(report.read_text("utf-8"))


def resync_costs() -> str:
    """Return what it takes to follow frames' marks, in cells after synthesis."""
    device, rows = device_named("ecp5-85k-6"), []
    for name in ("A1", "B8", "D8"):
        job = placements.JOBS[name].job
        found = [f"{describe(job.spec)} on {by(job.shape)}", job.lanes]
        for resync in (False, True):
            design = Design.of(job, device, resync=resync)
            with tempfile.TemporaryDirectory() as folder:
                cells = synthesize(design.alone, device, Path(folder))
            found += [f"{cells[what]:,}" for what in ("lut4", "carry", "ff")]
        rows.append(found)
    kinds = ("LUT4", "CCU2C", "FF")
    head = " | ".join(f"> {kind}{which}" for which in ("", ", `--resync`") for kind in kinds)
    return blocks.table(f"pooling | > lanes | {head}", rows)


FLOAT_COSTS: dict[str, PoolJob] = {
    f"{op} {dtype}": PoolJob(
        PoolSpec(op, 3, 1, 1, dtype=dtype, count_include_pad=True), (1, 28, 28), 1
    )
    for op, dtypes in (
        ("max", ("int16", "float16", "bfloat16", "float32")),
        ("avg", ("int16", *cores.FLOATS)),
    )
    for dtype in dtypes
} | {
    "max float32, clamp 0:inf": PoolJob(
        PoolSpec("max", 3, 1, 1, dtype="float32", clamp=(0, "inf")), (1, 28, 28), 1
    )
}
"""What floats are set beside: one lane, pooled 3 x 3 with stride 1 and padding 1."""


def float_costs() -> str:
    """Return what cores of floats come to after synthesis, beside integers of the same width."""
    device = device_named("ecp5-85k-6")
    rows = []
    for name, job in FLOAT_COSTS.items():
        design = Design.of(job, device)
        with tempfile.TemporaryDirectory() as folder:
            cells = synthesize(design.alone, device, Path(folder) / name.replace(" ", "-"))
        counts = [f"{cells[what]:,}" for what in ("lut4", "carry", "ff", "lut_ram", "block_ram")]
        rows.append([name, design.core.latency, f"{design.core.facts()['store_bits']:,}", *counts])
    head = "pooling | >latency | >store bits | >LUT4 | >CCU2C | >FF | >LUT RAM | >block RAM"
    return blocks.table(head, rows)
