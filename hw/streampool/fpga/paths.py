"""A placer's critical path in words."""

import re
from collections import Counter
from typing import Any

from streampool_golden.geometry import AXIS_NAMES

__all__ = ["CriticalPath", "describe"]

# Where a cell's name stops being that of the signal that it makes
_MADE = re.compile(r"_(?:TRELLIS|LUT\d|CCU2C|PFUMX|L6MUX|SB_|DFF|ALU|MUX2|D[12]?_|DI_|MULT|DPR)")
_AXIS = re.compile(r"^axis_(\d+)\b")

CriticalPath = dict[str, Any]
"""``from`` and ``to``, each component and signal; ``luts``, ``carries``, ``ns``, ``routing_ns``,
and all of it in ``words``."""


def describe(report: dict[str, Any], ndim: int) -> CriticalPath | None:
    """Describe the longest path from register to register.

    Parameters
    ----------
    report : dict
        nextpnr's, as JSON.
    ndim : int
        Spatial axes of the job, which stages are called after.
    """
    paths = [path["path"] for path in report["critical_paths"] if "async" not in str(path["from"])]
    paths = [path for path in paths if path and path[0]["type"] == "clk-to-q"]
    if not paths:
        return None
    path = max(paths, key=lambda steps: sum(step["delay"] for step in steps))
    kinds: Counter[str] = Counter()
    for step in path:
        if step["type"] == "logic":
            cell = step["from"]["cell"]
            carry = any(word in cell.rpartition(".")[2] for word in ("CCU2", "CARRY", "ALU"))
            kinds["carry" if carry else "lut"] += 1
    ns = sum(step["delay"] for step in path)
    routing = sum(step["delay"] for step in path if step["type"] == "routing")
    net = next((step["net"] for step in path if "net" in step), path[0]["from"]["cell"])
    start, end = _place(net, ndim), _place(path[-1]["to"]["cell"], ndim)
    through = [
        f"{kinds[kind]} {noun}{'s' if kinds[kind] > 1 else ''}"
        for kind, noun in (("lut", "LUT"), ("carry", "carry cell"))
        if kinds[kind]
    ]
    words = (
        f"from {start} to {end}"
        + (f" through {' and '.join(through)}" if through else "")
        + f": {ns:.2f} ns, {routing:.2f} of it routing"
    )
    return {
        "from": start,
        "to": end,
        "luts": kinds["lut"],
        "carries": kinds["carry"],
        "ns": round(ns, 3),
        "routing_ns": round(routing, 3),
        "words": words,
    }


def _place(name: str, ndim: int) -> str:
    """Return ``component: signal`` of a cell or net."""
    name = name.removeprefix("core.")
    made = _MADE.search(name, 1)
    name = name[: made.start()] if made else name
    component, _, signal = name.rpartition(".")
    found = _AXIS.match(component)
    if found:
        axis = AXIS_NAMES[ndim][int(found[1])]
        component = axis + component[found.end() :].replace(".", " ")
    return f"{component or 'the registers around'}: {signal}".replace("  ", " ")
