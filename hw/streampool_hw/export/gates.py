"""What a design is made of, whatever its parts are called: a digest of its gates."""

import hashlib
import json
from typing import Any

from . import yosys

_SCRIPT = (
    "hierarchy -auto-top",
    "proc",
    "flatten",
    "delete t:$scopeinfo",  # which tell of the hierarchy
    "opt_expr",
    "opt_merge",
    "memory_collect",
    "opt_clean",
)
# Of a cell, what only names it
_NAMING = {"MEMID", "src", "module_not_derived"}


def digest(rtlil: str) -> str:
    """Return a digest of a design's gates, independent of names, hierarchy and order.

    The design is flattened and its constants are folded. What counts then are the cells' types,
    parameters (widths among them) and connections, the registers' initial values and the ports.
    Cells are told apart by colour refinement: each starts with what it is, and takes in again
    and again what it is connected to (Weisfeiler and Leman, 1968).
    """
    script = [f"read_rtlil <<rtlil\n{rtlil}\nrtlil", *_SCRIPT, "write_json"]
    module = yosys.top_module(json.loads(yosys.run("\n".join(script))))
    inits = {
        bit: value
        for net in module["netnames"].values()
        for bit, value in zip(net["bits"], net["attributes"].get("init", "")[::-1], strict=False)
    }
    cells = list(module["cells"].values())
    kinds = [
        _hash(
            cell["type"],
            sorted((k, v) for k, v in cell["parameters"].items() if k not in _NAMING),
        )
        for cell in cells
    ]
    # where each bit is: the ports, then the cells' pins, each with its place; constants are texts
    pins: list[list[tuple[str, list[Any]]]] = [sorted(c["connections"].items()) for c in cells]
    wired = {bit for each in pins for _, bits in each for bit in bits if isinstance(bit, int)}
    colours: dict[Any, str] = {bit: _hash("bit", inits.get(bit)) for bit in wired}
    for name, port in module["ports"].items():
        for place, bit in enumerate(port["bits"]):
            colours[bit] = _hash(colours.get(bit), port["direction"], name, place)
    seen = 0
    while True:
        shown = [
            _hash(kind, [[colours.get(bit, str(bit)) for bit in bits] for _, bits in each])
            for kind, each in zip(kinds, pins, strict=True)
        ]
        uses: dict[Any, list[str]] = {bit: [] for bit in colours}
        for colour, each in zip(shown, pins, strict=True):
            for pin, bits in each:
                for place, bit in enumerate(bits):
                    if bit in uses:
                        uses[bit].append(f"{colour} {pin} {place}")
        colours = {bit: _hash(colours[bit], sorted(uses[bit])) for bit in colours}
        if len(set(colours.values())) == seen:  # nothing more is told apart
            return _hash(sorted(shown), sorted(colours.values()))
        seen = len(set(colours.values()))


def _hash(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
