"""Simulation models of a vendor's cells, in Verilog: those that Yosys has none of, and pins."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def cell_models(family: str) -> str:
    """Return our models of a family's cells; nothing where Yosys has them all."""
    path = Path(__file__).with_name(f"{family}.v")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def outputs(cell: str) -> frozenset[str]:
    """Return the output pins of a cell that cores instantiate; none of any other."""
    if cell == "SB_RAM40_4K":
        return frozenset(["RDATA"])
    head = re.search(rf"^module {cell}\((.*?)^\);", cell_models("ecp5"), re.MULTILINE | re.DOTALL)
    _, _, pins = (head[1] if head else "").partition("output ")
    return frozenset(re.findall(r"\w+", pins))


_PINS = {
    "EHXPLLL": {"CLKOP": "CLKI", "LOCK": "1"},
    "SGSR": {},
    "TRELLIS_IO": {"O": "B"},
    "SB_IO": {"D_IN_0": "PACKAGE_PIN"},
    "SB_GB_IO": {"GLOBAL_BUFFER_OUTPUT": "PACKAGE_PIN"},
}
"""What stands between a design and its pins: what it gives to the design. Clocks do not count."""


def pin_models(cells: Iterable[dict[str, Any]]) -> str:
    """Return models of the PLLs and pins among cells of Yosys' JSON: what comes in goes through."""
    kinds: dict[str, tuple[dict[str, str], set[str]]] = {}
    for cell in cells:
        if cell["type"] in _PINS:
            ports, parameters = kinds.setdefault(cell["type"], ({}, set()))
            ports.update(cell["port_directions"])
            parameters.update(cell["parameters"])
    texts = []
    for kind, (ports, parameters) in kinds.items():
        lines = [f"parameter {name} = 0;" for name in sorted(parameters)]
        lines += [f"assign {pin} = {it};" for pin, it in _PINS[kind].items() if pin in ports]
        declared = ", ".join(f"{way} {name}" for name, way in sorted(ports.items()))
        texts.append(f"module {kind}({declared});\n    {' '.join(lines)}\nendmodule\n")
    return "".join(texts)
