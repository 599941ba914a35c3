"""What the figures rest on, in words: whose clocks, which software, what ran beside it."""

import re
import string
from collections.abc import Sequence
from typing import Any

QUIET = 0.1
"""How much of the processors other programs may take before it is said."""

Row = dict[str, Any]
_ONE = re.compile(r"(?<![\d,.])1 (lane|layer|network)s\b")


def placed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have a placed clock."""
    return [row for row in rows if row["freq_source"] == "placed"]


def say(name: str, template: str, **values: Any) -> Row:
    """Fill a template, in the singular of one, and keep each value and how it is shown."""
    parts = list(string.Formatter().parse(template))
    formats = {key: how or "" for _, key, how, _ in parts if key}
    shown = {key: _shown(value, formats.get(key, "")) for key, value in values.items()}
    text = "".join(literal + (shown[key] if key else "") for literal, key, _, _ in parts)
    text = _ONE.sub(r"1 \1", text)
    told = {key: {"value": value, "shown": shown[key]} for key, value in values.items()}
    return {"id": name, "text": text, "values": told}


def _shown(value: Any, how: str) -> str:
    if how == "times":  # two figures, but no decimals that say nothing
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    return format(value, how)


def lanes(number: int) -> str:
    """Return so many lanes in words."""
    return f"{number:,} lane{'s'[: number > 1]}"


def side_by_side(row: Row) -> str:
    """Return what a core of a report takes in a clock: lanes, or slices of columns and lanes."""
    columns, slices = row.get("columns", 1), row.get("slices", 1)
    if columns == 1:
        return lanes(row["lanes"])
    each = f"{columns} columns x {lanes(row['lanes'] // slices)}"
    return f"{slices} slices of {each}" if slices > 1 else each


def part(report: dict[str, Any], device: str) -> str:
    """Return what its maker calls a device."""
    return next(row["part"] for row in report["hardware"] if row["device"] == device)


def _clocks(report: dict[str, Any], held: list[Row]) -> Row:
    rows = report["hardware"]
    standing = placed(rows)
    return say(
        "clocks",
        "Of {rows:,} combinations of layer, device, and lanes or slices, {same:,} have the clock of"
        " that very core, placed and routed. For {stand:,} it is the clock of a placed core that"
        " stands for it and is named, and for {assumed:,} it is assumed, at most {mhz:g} MHz, and"
        " marked so. A placed clock is the lower one of the placer's and of what the silicon takes;"
        " the silicon's is the lower one for {silicon:,}."
        " Of all, {unfit:,} would not fit the device. The cycles of {simulated:,} were counted in"
        " simulation; the others are the schedule's.",
        rows=len(rows),
        same=sum(row["same_job"] for row in standing),
        stand=sum(not row["same_job"] for row in standing),
        assumed=len(rows) - len(standing),
        mhz=report["settings"]["assumed_mhz"],
        unfit=sum(row["fits"] is False for row in rows),
        silicon=sum(row["freq_bound"] == "silicon" for row in rows),
        simulated=sum(row["cycles_source"] == "simulated" for row in rows),
    )


def _scope(report: dict[str, Any], held: list[Row]) -> Row:
    machine = report["machine"]
    return say(
        "scope",
        "The software ran on {processor} with {processors:,} processors, one frame at a time; times"
        " are medians of {rounds:,} rounds, with the data where the call wants them. The core pools"
        " int8, and software may use whatever type is fastest. Moving frames to either is counted"
        " only where a link is named.",
        processor=machine["processor"],
        processors=machine["processors"],
        rounds=report["settings"]["rounds"],
    )


def _load(report: dict[str, Any], held: list[Row]) -> Row | None:
    load, processors = report["machine"]["load"], report["machine"]["processors"]
    if load is None or load <= processors * QUIET:
        return None
    return say(
        "load",
        "Other programs kept {load:.1f} of {processors} processors busy meanwhile, so the software"
        " is slower here than on an idle machine: these figures flatter the core.",
        load=load,
        processors=processors,
    )


def _energy(report: dict[str, Any], held: list[Row]) -> Row:
    return say(
        "energy",
        "Energy is not compared: no source at hand gives the power of these cores, nor of this"
        " processor while it pools.",
    )


MAKERS = (_clocks, _scope, _load, _energy)
"""What makes the sentences, of the report and the comparison's rows."""
