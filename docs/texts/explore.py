"""Blocks of the explorer's page: how wrong its model is, and what it has found."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streampool_explore import model, rows, whole
from streampool_hw.fpga.devices import DEVICES

_NAMED = {
    "lut4": "LUT4",
    "carry": "carry cells",
    "ff": "flip-flops",
    "lut_ram": "LUT RAM",
    rows.CLOCK: "placer's clock",
}


def errors() -> str:
    """Say how wrong each figure is on kinds of jobs that were held out."""
    lines = [
        "| family | figure | jobs | kinds | median error | nine of ten within | worst |"
        " the worst job | in the interval |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for family in model.settings():
        found = model.errors(family)
        for name, said in _NAMED.items():
            if name in found:
                each = found[name]
                lines.append(
                    f"| {family} | {said} | {each['jobs']} | {each['kinds']} |"
                    f" {each['median']:.1%} | {each['ninety']:.1%} | {each['worst']:+.0%} of"
                    f" {each['worst_found']:g} | {each['worst_job']} |"
                    f" {each['inside']:.0%} |"
                )
        for name, said in (("block_ram", "block RAMs"), ("dsp", "multipliers")):
            each = found[name]
            right = each["jobs"] - each["differ"]
            lines.append(f"| {family} | {said} | {each['jobs']} | | exact in {right} | | | | |")
    return "\n".join(lines) + "\n"


def designs() -> str:
    """Say what the model is fitted on."""
    counts: dict[str, int] = {}
    for row in rows.shipped():
        counts[row.device] = counts.get(row.device, 0) + 1
    listed = ", ".join(f"{counts[name]} on `{name}`" for name in DEVICES if name in counts)
    kinds = len({row.kind for row in rows.shipped()})
    return f"{sum(counts.values())} placed designs of {kinds} kinds: {listed}.\n"


def search() -> str:
    """Say how the search does on a space that was placed whole."""
    each = json.loads(whole.WHOLE.read_text("utf-8"))
    if "front" not in each:
        return (
            f"Of the {each['of']} cores of the space {each['points']} are placed so far: too few"
            " to judge the search by. `make explore-data` places the others, and then says here"
            " what the search finds from a tenth of them.\n"
        )
    layers = [
        f"{layer['kind']} on {'x'.join(map(str, layer['shape']))}" for layer in each["layers"]
    ]
    share = each["placed"] / each["points"]
    return (
        f"All {each['points']} cores of up to {each['values']} values a beat for a network of"
        f" {len(layers)} layers ({', '.join(layers)}) were placed on `{each['device']}`. By their"
        f" figures {each['front']} designs are the front; cores of the same figures are as good as"
        f" each other. The model alone, fitted on other cores, finds {_as_good(each, 'without')}"
        f" With {each['placed']} cores placed ({share:.0%} of the space) the search finds"
        f" {_as_good(each, 'with')}\n"
    )


def _as_good(each: dict[str, Any], which: str) -> str:
    found = each[which]
    if found["as_good"] == each["front"]:
        return "designs as good as all of them."
    missed = found["not_reached"]
    rest = f"the frame rates of {missed} are not reached, and " if missed else ""
    return (
        f"designs as good as {found['as_good']} of them; {rest}the others take up to"
        f" {found['most_more']:.1%} more cells."
    )


def confirmed(paths: Sequence[Path]) -> str:
    """Compare choices as they were predicted with what they came to."""
    lines = [
        "| device | network | asked for | layer | lanes x columns | cells | predicted |"
        " clock, MHz | predicted | frames/s |",
        "| --- | --- | --- | --- | --- | ---: | --- | ---: | --- | ---: |",
    ]
    for path in paths:
        found = json.loads(path.read_text("utf-8"))
        chosen = found.get("chosen")
        if chosen is None:
            continue
        for k, core in enumerate(chosen["cores"]):
            if not k:
                network = path.stem.removesuffix(f"-{found['device']}")
                head = [f"`{found['device']}`", network, found["aim"]]
                head.append(f"{chosen['frames_per_second']:,.0f}")
            else:
                head = ["", "", "", ""]
            device, network, aim, fps = head
            before = core["predicted"]
            lines.append(
                f"| {device} | {network} | {aim} | {found['layers'][k]['name']} |"
                f" {core['lanes']} x {core['columns'][0]} | {core['cells'][0]:,.0f} |"
                f" {_interval(before['cells'])} | {core['clock_mhz'][0]:.1f} |"
                f" {_interval(before['clock_mhz'])} | {fps} |"
            )
    return "\n".join(lines) + "\n"


def _interval(figure: Sequence[Any]) -> str:
    value, low, high = figure
    return f"{value:,.0f}" if low == high else f"{value:,.0f} ({low:,.0f} to {high:,.0f})"
