"""A vendor's cells without their insides, for linters, which want every module to be there."""

import re
from collections.abc import Mapping

from ..vendor.cell_models import outputs

DEFINE = "STREAMPOOL_LINT"
"""The macro with which ``NAME.v`` has the vendor's cells, empty."""

_CELL = re.compile(r"^  cell \\(\S+) .*\n((?:    .*\n)*?)  end$", re.MULTILINE)
_MODULE = re.compile(r"^module \\(\S+)$", re.MULTILINE)
_WAIVED = ("DECLFILENAME", "UNDRIVEN", "UNUSEDPARAM", "UNUSEDSIGNAL")


def waived(switch: str, *warnings: str) -> list[str]:
    """Return the comments that switch warnings of Verilator ``"off"`` or ``"on"``."""
    return [f"/* verilator lint_{switch} {warning} */" for warning in warnings]


def vendor_cells(rtlil: str) -> dict[str, str]:
    """Return the modules that a design instantiates and does not have: what their instances say."""
    there = set(_MODULE.findall(rtlil))
    instances: dict[str, str] = {}
    for cell, inside in _CELL.findall(rtlil):
        if cell not in there:
            instances[cell] = instances.get(cell, "") + inside
    return dict(sorted(instances.items()))


def empty_cells(instances: Mapping[str, str]) -> str:
    """Return `vendor_cells` as modules of their parameters and pins, there with `DEFINE` alone."""
    if not instances:
        return ""
    texts = [_empty_cell(cell, inside) for cell, inside in instances.items()]
    off, on = waived("off", *_WAIVED), waived("on", *reversed(_WAIVED))
    return "\n".join(("", f"`ifdef {DEFINE}", *off, *texts, *on, "`endif", ""))


def _empty_cell(cell: str, inside: str) -> str:
    found = {
        kind: list(dict.fromkeys(re.findall(rf"^    {kind} (?:signed )?\\(\w+) ", inside, re.M)))
        for kind in ("parameter", "connect")
    }
    driven = outputs(cell)
    pins = [f"{'output' if pin in driven else 'input'} wire {pin}" for pin in found["connect"]]
    # once, where several cores are one design
    return "\n".join(
        (
            f"`ifndef {DEFINE}_{cell}",
            f"`define {DEFINE}_{cell}",
            f"module {cell} (",
            *(f"    {pin}{',' if pin is not pins[-1] else ''}" for pin in pins),
            ");",
            *(f"    parameter {name} = 0;" for name in found["parameter"]),
            "endmodule",
            "`endif",
        )
    )
