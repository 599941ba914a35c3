"""A placer's critical path in words."""

import re
from collections import Counter
from typing import Any

from streampool_golden.geometry import AXIS_NAMES

from ..export.yosys import top_module

# What Yosys adds to a signal's name to call a cell beside it
_CELL = re.compile(r"_(?:TRELLIS|LUT\d|CCU2C|PFUMX|L6MUX|SB_|DFF|ALU|MUX2|D[12]?_|DI_|MULT|DPR)")
# What iCE40's placer adds to the name of a cell that it packs
_PACKED = re.compile(r"_(?:DFF)?LC$")
# A memory, and which of its cells
_MEMORY = re.compile(r"(?P<memory>.*?)(?:\.\d+)+(?:_.*)?$")
_BIT = re.compile(r"(?P<signal>.+)\[(?P<bit>\d+)\]")
# What Amaranth adds to a name that is there already
_SAME = re.compile(r"(?<=[^$])\$\d+(?=$|\[)")
_CORE = re.compile(r"^core(?:\.pool)?(?:\.|$)")  # which may follow its frames' marks
_SLICE = re.compile(r"^(?:slices\.)?slice_(\d+)\.")
_AXIS = re.compile(r"^axis_(\d+)\b")
_CARRY_PORTS = {"FCI", "FCO", "CIN", "COUT"}

CriticalPath = dict[str, Any]
"""``from`` and ``to``, each component and, between backquotes, signal; ``luts``, ``carry_bits``,
``ns``, ``routing_ns``, and all of it in ``words``."""


def describe(report: dict[str, Any], design: dict[str, Any], ndim: int) -> CriticalPath | None:
    """Describe the longest path from register to register in nextpnr's report; None without one.

    `design` is Yosys' JSON of what was placed; stages are called after a job's `ndim` axes.
    """
    paths = [
        path["path"]
        for path in report["critical_paths"]
        if not any("async" in str(path[end]) for end in ("from", "to"))  # a pin
    ]
    paths = [path for path in paths if path and path[0]["type"] == "clk-to-q"]
    if not paths:
        return None
    path = max(paths, key=lambda steps: sum(step["delay"] for step in steps))
    kinds: Counter[str] = Counter()
    for step in path:
        if step["type"] == "logic":
            carry = _CARRY_PORTS.intersection((step["from"]["port"], step["to"]["port"]))
            kinds["carry" if carry else "lut"] += 1
    ns = sum(step["delay"] for step in path)
    routing = sum(step["delay"] for step in path if step["type"] == "routing")
    start, end = (
        _place(_driven(step["from" if step is path[0] else "to"]["cell"], design), ndim)
        for step in (path[0], path[-1])
    )
    through = [
        f"{kinds[kind]} {noun}{'s' if kinds[kind] > 1 else ''}"
        for kind, noun in (("lut", "LUT"), ("carry", "carry bit"))
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
        "carry_bits": kinds["carry"],
        "ns": round(ns, 3),
        "routing_ns": round(routing, 3),
        "words": words,
    }


def _driven(name: str, design: dict[str, Any]) -> str:
    """Return the net that a register drives; its own name where it is not in the design."""
    module = top_module(design)
    cells = module["cells"]
    cell = cells.get(_PACKED.sub("", name)) or cells.get(name)
    if cell is None:
        return name
    pins = cell["connections"]
    if "D" not in pins and "O" in pins:  # a LUT, with the register behind it packed into its cell
        behind = (each["connections"] for each in cells.values() if "Q" in each["connections"])
        pins = next((each for each in behind if each.get("D") == pins["O"]), pins)
    if "Q" not in pins:  # a memory
        return name
    nets = [
        (net, each["bits"])
        for net, each in module["netnames"].items()
        if not each["hide_name"] and pins["Q"][0] in each["bits"]
    ]
    if not nets:
        return name
    # a signal's own name rather than one that Yosys made up, and of the component that has the
    # register rather than of those that have it as a port
    net, bits = min(
        nets, key=lambda each: (bool(_CELL.search(each[0])), not name.startswith(each[0]), each[0])
    )
    return net if len(bits) == 1 else f"{net}[{bits.index(pins['Q'][0])}]"


def _place(name: str, ndim: int) -> str:
    """Return component and signal, quoted so as not to read as prose, of a cell or net."""
    inside = _CORE.match(name)
    if inside:
        name = name[inside.end() :]
    memory = _MEMORY.fullmatch(name)
    component, _, signal = (memory["memory"] if memory else name).rpartition(".")
    signal, *made_up = _CELL.split(signal, maxsplit=1)
    bit = _BIT.fullmatch(signal)
    signal = _SAME.sub("", bit["signal"] if bit else signal).replace("__", ".")
    quoted = f"`{signal}`" + (f" bit {bit['bit']}" if bit else "")
    part = _SLICE.match(component)
    if part:
        component = component[part.end() :]
    axis = _AXIS.match(component)
    if axis:
        component = AXIS_NAMES[ndim][int(axis[1])] + component[axis.end() :]
    component = f"slice {part[1]}.{component}" if part else component
    words = [*component.split("."), *(("register beside",) if made_up else ()), quoted]
    return " ".join(filter(None, words)) + ("" if inside else " around the core")
