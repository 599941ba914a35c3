"""Division digit by digit, one a clock, and constants that a beat chooses."""

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Value, signed, unsigned
from streampool_golden.dtypes import width

from ..datapath.pipeline import State, Step

__all__ = ["Tables", "by_digits", "entry"]

Tables = dict[str, tuple[int, ...]]
"""Constants by name, one for each divisor."""


def entry(row: Sequence[int], which: Value) -> Value:
    """Return the entry of a table of constants."""
    bits = max(width(min(row), max(row)), 1)
    shape = signed(bits) if min(row) < 0 else unsigned(bits)
    if len(set(row)) == 1:
        return Const(row[0], shape)
    return Array(Const(entry, shape) for entry in row)[which]


def by_digits(bits: int, divisors: tuple[int, ...]) -> tuple[list[Step], Tables]:
    """Divide `rest` by the beat's `divisor`, by restoring division.

    Parameters
    ----------
    bits : int
        Bits of the quotient, which has to fit.
    divisors : tuple of int
        Positive.

    Returns
    -------
    steps : list of Step
        They leave `quotient`, and whether it is `exact`; the lane's other values go with them.
    tables : Tables
        The divisors, as the beat's `divisor`.
    """
    most = max(divisors).bit_length()

    def others(lane: State) -> State:
        return {k: v for k, v in lane.items() if k not in ("rest", "remainder", "digits")}

    def subtract(m: Module, lane: State, beat: State) -> State:
        if "remainder" in lane:
            remainder, digits = lane["remainder"], lane["digits"]
        else:
            remainder, digits = lane["rest"][bits:], lane["rest"].as_unsigned()
        digits = (digits | Const(0, bits))[:bits]
        trial = Cat(digits[-1], remainder)
        fits = ~(trial < beat["divisor"])
        rest = Mux(fits, trial - beat["divisor"], trial)
        found = {"remainder": rest.as_unsigned()[:most], "digits": Cat(fits, digits[:-1])}
        return others(lane) | found

    def end(m: Module, lane: State, beat: State) -> State:
        return others(lane) | {"quotient": lane["digits"], "exact": lane["remainder"] == 0}

    return [*[Step(subtract)] * bits, Step(end)], {"divisor": divisors}
