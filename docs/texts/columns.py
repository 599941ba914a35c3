"""What docs/ states of several columns a beat: their schedules, and cores that were placed."""

import blocks
from streampool_bench.fpga.jobs import BAR_DEVICE, COLUMN_JOBS
from streampool_bench.fpga.table import known_apart
from streampool_bench.fpga.text import each_seed
from streampool_golden import Axis, ColumnAxis, PoolJob
from streampool_golden.columns import windows_out
from streampool_golden.networks import networks
from streampool_hw.fpga import device_named
from streampool_hw.schedule.columns import ApartPlan, column_plan
from streampool_sim.words import describe

AXES = {
    "2 / 2": (Axis.resolve(224, 2, 2, "valid"), 8),
    "3 / 1, pad 1": (Axis.resolve(1920, 3, 1, (1, 1)), 4),
    "3 / 2, pad 1": (Axis.resolve(112, 3, 2, (1, 1)), 4),
    "3 / 2, pad after": (Axis.resolve(64, 3, 2, (0, 1)), 8),
    "5 / 1, pad 2": (Axis.resolve(64, 5, 1, (2, 2)), 8),
    "13 / 1, pad 6": (Axis.resolve(64, 13, 1, (6, 6)), 4),
    "3 / 3": (Axis.resolve(64, 3, 3, "valid"), 4),
    "7 / 7": (Axis.resolve(64, 7, 7, "valid"), 4),
    "16 / 16": (Axis.resolve(64, 16, 16, "valid"), 4),
    "6 / 3, pad 3, ceil mode (idles)": (Axis.resolve(10, 6, 3, (3, 3), 1, True), 2),
}
"""Axes and their columns a beat."""


def schedules() -> str:
    """Return what the plans of some axes come to, of a maximum."""
    rows = []
    for name, (axis, columns) in AXES.items():
        grouped = ColumnAxis(axis, columns, windows_out(axis, columns))
        plan = column_plan(grouped, idempotent=True)
        apart = isinstance(plan, ApartPlan)
        rows.append(
            [
                *(name, axis.length, columns, grouped.windows, grouped.stride),
                f"{plan.period} / {max(grouped.beats, grouped.groups)}",
                "apart" if apart else "uniform",
                f"{plan.partials} / {plan.limit_partials}",
                plan.operations(idempotent=True),
                len(plan.program.words),
            ]
        )
    return blocks.table(
        "K / S | > N | > P | > Q | > S2 | > period / beats | form | > words / limit"
        " | > operations | > control words",
        rows,
    )


def of_networks() -> str:
    """Return how many of the layers of networks are exact with several columns."""
    said = []
    for columns in (2, 4, 8, 16):
        found = []
        for layer in networks():
            axis = PoolJob(layer.spec, layer.shape, 1).axes[-1]
            if layer.spec.adaptive is None and not axis.identity:
                found.append(ColumnAxis(axis, columns, windows_out(axis, columns)))
        idle = sum(each.idle_bound > 0 for each in found)
        ones = sum(each.stride == 1 for each in found)
        said.append(f"P = {columns}: S2 is 1 in {ones} of {len(found)}, and {idle} idle")
    return f"{'; '.join(said)}.\n"


def placed() -> str:
    """Return the placements of columns, each beside as many lanes."""
    found = {row["job"]: row for row in known_apart("columns")}
    if not found:
        return "They were not placed yet.\n"
    rows = []
    for name, job in COLUMN_JOBS.items():
        row = found.get(name)
        if row is None or not row["placed"]:
            continue
        size = " x ".join(map(str, job.shape[1:]))
        rows.append(
            [
                f"{describe(job.spec)} on {size}",
                f"P = {job.columns}" if job.columns > 1 else f"{job.lanes} lanes",
                *(row["lut4"], row["carry"], f"{row['ff']:,}", row["lut_ram"], row["block_ram"]),
                f"{row['clock_mhz']:.1f}",
                each_seed(row),
                f"{row['values_per_second'] / 1e6:,.0f}",
            ]
        )
    some = next(iter(found.values()))
    tools = ", ".join(f"{tool} {version}" for tool, version in some["tools"].items())
    head = (
        "job, int8 | side by side | > LUT4 | > carry | > FF | > LUT RAM | > block RAM"
        " | > clock, MHz | > placer's, MHz | > million values/s"
    )
    return f"{device_named(BAR_DEVICE).part}, {tools}:\n\n{blocks.table(head, rows)}"
