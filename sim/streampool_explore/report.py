"""What an exploration has found, as text and as JSON."""

from collections.abc import Sequence
from typing import Any

from streampool_hw.fpga.devices import DEVICES
from streampool_sim.words import by, describe

from .front import Design
from .model import CLOCK, Estimate, errors
from .search import Search
from .space import KINDS, Point, Space, available

WORDS = {"luts": "LUTs", "ff": "flip-flops", "block_ram": "block RAMs", "dsp": "multipliers"}
"""`KINDS` in words."""

PLOT_WIDTH, PLOT_HEIGHT = 60, 12
"""Letters of the plot."""


def said(search: Search, design: Design | None, predicted: Sequence[Point]) -> str:
    """Say what was chosen, the front, and how it is known.

    `predicted` are the chosen points as they were known before they were placed.
    """
    goal, front = search.goal, search.front()
    parts = [DEVICES[goal.device].part + ", " + aim(search)]
    if design is None:
        parts.append(refusal(search, front))
    else:
        parts.append(_chosen(search, design, predicted))
    if front:
        parts.append("The front, fewest cells first:\n" + _columns(_front_rows(search, front)))
        parts.append(plot(front, design))
    parts.append(_how(search))
    return "\n\n".join(parts)


def aim(search: Search) -> str:
    """Say what was looked for."""
    goal = search.goal
    what = "the fastest that fits"
    if goal.fps is not None:
        what = f"the smallest that holds {goal.fps:g} frames per second"
    if goal.luts is not None:
        what += f", in {goal.luts:,} LUTs"
    return what + (f", at {goal.mhz:g} MHz" if goal.mhz else "")


def refusal(search: Search, front: Sequence[Design]) -> str:
    """Say why nothing was chosen."""
    missing = [
        f"No core of {space.layer.name} {_why_none(search, space)}."
        for space, points in zip(search.spaces, search.usable(), strict=True)
        if not points
    ]
    if missing:
        return "\n".join(missing)
    if not front:
        return f"No design fits {search.goal.device}: {_missed(search)}."
    return (
        f"No design that fits holds {search.goal.fps:g} frames per second: the fastest has"
        f" {front[-1].fps:,.1f}."
    )


def _why_none(search: Search, space: Space) -> str:
    """Say why a layer has no core, by the reason of its narrowest core."""
    if space.points:
        return f"could be placed: {search.refused[space.points[-1].job]}".rstrip(".")
    return f"is like what the cost model was fitted on: {space.left_out[-1]}".rstrip(".")


def _missed(search: Search) -> str:
    """Say which limits no design meets."""
    goal, usable, said = search.goal, search.usable(), list[str]()
    for space, points in zip(search.spaces, usable, strict=True):
        most = max(point.mhz.value for point in points)
        if goal.mhz is not None and most < goal.mhz:
            said.append(
                f"the fastest core of {space.layer.name} runs at {most:,.1f} MHz, and --freq asks"
                f" for {goal.mhz:g}"
            )
    for kind, limit in zip(KINDS, goal.limits, strict=True):
        least = sum(min(point.needs[kind].value for point in points) for points in usable)
        if least > limit:
            has = "--luts allows" if limit < available(goal.device)[kind] else f"{goal.device} has"
            said.append(f"the least is {least:,.0f} {WORDS[kind]}, and {has} {limit:,}")
    return "; ".join(said) or "each limit can be met, but no design meets all of them at once"


def _chosen(search: Search, design: Design, predicted: Sequence[Point]) -> str:
    points = search.points(design)
    head = ("layer", "what", "lanes", "columns", "cycles", "cells", "MHz", "store bits", "known")
    rows: list[tuple[str, ...]] = [head]
    for space, point, before in zip(search.spaces, points, predicted, strict=True):
        job = point.job
        columns = str(job.columns)
        if job.columns_out != job.columns:
            columns += f" to {job.columns_out}"
        rows.append(
            (
                *(space.layer.name, describe(job.spec), str(job.lanes), columns),
                *(f"{point.cycles:,}", _both(point.cells, before.cells, point.placed)),
                _both(point.mhz, before.mhz, point.placed),
                *(f"{point.store_bits:,}", "placed" if point.placed else "predicted"),
            )
        )
    there = available(search.goal.device)
    sums = {kind: sum(point.needs[kind].value for point in points) for kind in KINDS}
    used = ", ".join(
        f"{sums[kind]:,.0f} of {there[kind]:,} {WORDS[kind]}" for kind in KINDS if there[kind]
    )
    frames = f"{design.fps:,.1f} frames per second: {design.mhz:.1f} MHz, {design.cycles:,} cycles"
    return f"Chosen: {frames} each; {used}.\n{_columns(rows)}"


def _both(now: Estimate, before: Estimate, placed: bool) -> str:
    """Say a figure that was placed beside its prediction, or the prediction with its interval."""
    said = f"{before.value:,.0f} ({before.low:,.0f} to {before.high:,.0f})"
    if before.low == before.high:
        said = f"{before.value:,.0f}"
    return f"{now.value:,.0f}, predicted {said}" if placed and now != before else said


def _front_rows(search: Search, front: Sequence[Design]) -> list[tuple[str, ...]]:
    rows = [("cells", "frames/s", "MHz", "lanes x columns of each layer")]
    for design in front:
        points = search.points(design)
        cores = " ".join(
            f"{point.job.lanes}x{point.job.columns}{'' if point.placed else '?'}"
            for point in points
        )
        rows.append((f"{design.cells:,.0f}", f"{design.fps:,.1f}", f"{design.mhz:.1f}", cores))
    return rows


def _how(search: Search) -> str:
    known = errors(search.model.family)
    left = sum(len(space.left_out) for space in search.spaces)
    out = f" {left} more are outside what it was fitted on." if left else ""
    known_jobs = {point.job for space in search.spaces for point in space.points if point.placed}
    shipped = len(known_jobs - {row.job for row in search.more})
    before = f", and {shipped} for the fit" if shipped else ""
    refused = "".join(
        f"\n{job.side_by_side} of {by(job.shape)} could not be placed: {reason}"
        for job, reason in search.refused.items()
    )
    return (
        "How it is known: cycles and store bits follow from the specification; block RAMs and"
        " multipliers are counted before synthesis."
        f" Of {search.size} cores {search.tried} were placed for this{before}; the others (?) are"
        " predicted."
        f" On held-out kinds of jobs the model is wrong by {known['ff']['median']:.0%} of the"
        f" flip-flops, {known['lut4']['median']:.0%} of the LUT4 and {known[CLOCK]['median']:.0%}"
        " of the placer's clock in the median. Cells are LUTs or flip-flops, whichever are more;"
        f" an interval should hold nine times out of ten.{out}{refused}"
    )


def plot(front: Sequence[Design], chosen: Design | None) -> str:
    """Draw the front with letters, both axes logarithmic; ``O`` is what was chosen."""
    import numpy as np

    x = np.log([design.cells for design in front])
    y = np.log([design.fps for design in front])
    lines = [[" "] * PLOT_WIDTH for _ in range(PLOT_HEIGHT)]

    def place(values: Any, k: int, most: int) -> int:
        low, high = float(values.min()), float(values.max())
        return round((float(values[k]) - low) / (high - low) * (most - 1)) if high > low else 0

    for k, design in enumerate(front):
        row, column = place(y, k, PLOT_HEIGHT), place(x, k, PLOT_WIDTH)
        is_chosen = chosen is not None and design.chosen == chosen.chosen
        if is_chosen or lines[-1 - row][column] == " ":
            lines[-1 - row][column] = "O" if is_chosen else "*"
    drawn = ["|" + "".join(line).rstrip() for line in lines]
    top, bottom = f"{front[-1].fps:,.1f} frames/s", f"{front[0].fps:,.1f} frames/s"
    first, last = f"{front[0].cells:,.0f} cells", f"{front[-1].cells:,.0f}"
    axis = "+" + "-" * PLOT_WIDTH
    return "\n".join(
        [top, *drawn, axis, f" {first}{last:>{PLOT_WIDTH - len(first)}}", f"({bottom} at the left)"]
    )


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def document(search: Search, design: Design | None, predicted: Sequence[Point]) -> dict[str, Any]:
    """Return all of it as JSON takes it."""
    goal = search.goal
    return {
        "device": goal.device,
        "aim": aim(search),
        "fps": goal.fps,
        "luts": goal.luts,
        "mhz": goal.mhz,
        "layers": [
            {"name": space.layer.name, "spec": space.layer.spec.to_json(),
             "shape": [*space.layer.shape], "cores": len(space.points),
             "left_out": space.left_out}
            for space in search.spaces
        ],
        "placed": search.tried,
        "reason": None if design else refusal(search, search.front()),
        "chosen": design and _design(search, design, predicted),
        "front": [_design(search, each, None) for each in search.front()],
        "errors": errors(search.model.family),
    }  # fmt: skip


def _design(
    search: Search, design: Design, predicted: Sequence[Point] | None
) -> dict[str, Any]:  # fmt: skip
    points = search.points(design)
    cores = [_point(point) for point in points]
    for core, before in zip(cores, predicted or (), strict=False):
        core["predicted"] = _figures(before)
    return {
        **{"cells": round(design.cells), "frames_per_second": round(design.fps, 3)},
        **{"clock_mhz": round(design.mhz, 3), "cycles_per_frame": design.cycles, "cores": cores},
    }


def _point(point: Point) -> dict[str, Any]:
    job = point.job
    return {
        **{"lanes": job.lanes, "columns": [job.columns, job.columns_out]},
        **{"cycles_per_frame": point.cycles, "store_bits": point.store_bits},
        **{"placed": point.placed, **_figures(point)},
    }


def _figures(point: Point) -> dict[str, Any]:
    found = {**point.cost.cells, **point.needs, "cells": point.cells, "clock_mhz": point.mhz}
    return {
        name: [round(each.value, 1), round(each.low, 1), round(each.high, 1)]
        for name, each in found.items()
    }
