"""A vendor's cells without their insides, for linters, which want every module to be there."""

import re

from ..vendor.cell_models import outputs

DEFINE = "STREAMPOOL_LINT"
"""The macro with which ``NAME.v`` has the vendor's cells, empty."""

_CELL = re.compile(r"^  cell \\(\S+) .*\n((?:    .*\n)*?)  end$", re.MULTILINE)
_MODULE = re.compile(r"^module \\(\S+)$", re.MULTILINE)
_WAIVED = ("DECLFILENAME", "UNDRIVEN", "UNUSEDPARAM", "UNUSEDSIGNAL")


def black_boxes(rtlil: str) -> tuple[str, ...]:
    """Return the modules that a design instantiates and does not have, sorted.

    Parameters
    ----------
    rtlil : str
        A design as `streampool_hw.export.yosys.to_rtlil` gives it.
    """
    return tuple(sorted(_instances(rtlil)))


def empty_cells(rtlil: str) -> str:
    """Return what `black_boxes` names as modules without insides, there with `DEFINE` alone.

    Each has the parameters and the pins that the design gives it.

    Parameters
    ----------
    rtlil : str
        As `black_boxes` takes it.
    """
    texts = [_empty_cell(cell, inside) for cell, inside in sorted(_instances(rtlil).items())]
    if not texts:
        return ""
    off = [f"/* verilator lint_off {warning} */" for warning in _WAIVED]
    on = [f"/* verilator lint_on {warning} */" for warning in reversed(_WAIVED)]
    return "\n".join(("", f"`ifdef {DEFINE}", *off, *texts, *on, "`endif", ""))


def _instances(rtlil: str) -> dict[str, str]:
    """Return what the instances of each module that is not there say, by its name."""
    there = set(_MODULE.findall(rtlil))
    instances: dict[str, str] = {}
    for cell, inside in _CELL.findall(rtlil):
        if cell not in there:
            instances[cell] = instances.get(cell, "") + inside
    return instances


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
