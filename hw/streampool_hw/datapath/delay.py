"""A value as it was some clocks ago."""

from amaranth.hdl import Const, Module, Signal, Value, ValueLike


def delay(
    m: Module, value: ValueLike, clocks: int = 1, *, name: str, init: int = 0, reset: bool = False
) -> Value:
    """Return `value` as it was `clocks` ago, from a chain of registers; a constant as it is.

    Parameters
    ----------
    m : Module
        Where the registers go.
    value : ValueLike
        What is delayed.
    clocks : int, optional
        How many registers; 0 gives `value` itself.
    name : str
        What the registers are called.
    init : int, optional
        What they start as.
    reset : bool, optional
        Whether a reset sets them to that. Control needs it, data does not.
    """
    value = Value.cast(value)
    if isinstance(value, Const):
        return value
    for _ in range(clocks):
        register = Signal(value.shape(), name=name, init=init, reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value
