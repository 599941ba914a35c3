"""The families of devices that a core may be made for."""

from streampool_golden import SpecError
from streampool_golden.errors import shown

GENERIC = "generic"
"""Any device, and simulation: memories that a synthesizer recognises, nothing instantiated."""

FAMILIES = (GENERIC, "ecp5", "ice40", "gowin")
"""Every family; a core's beats and cycles are the same in all of them."""

COUNT_BY_SHIFTING = ("ice40", "gowin")
"""Families whose carry chains take a LUT for each bit and are slow to enter and to leave."""


def check_family(family: str) -> str:
    """Return `family`, or refuse what is none."""
    if family not in FAMILIES:
        known = f"{', '.join(FAMILIES[:-1])} or {FAMILIES[-1]}"
        raise SpecError("family", f"family {shown(family)} is not known; use {known}.")
    return family
