"""A value as it was some clocks ago."""

from amaranth.hdl import Const, Module, Signal, Value, ValueLike


def delay(
    m: Module, value: ValueLike, clocks: int = 1, *, name: str, init: int = 0, reset: bool = False
) -> Value:
    """Return `value` as it was `clocks` ago, from a chain of registers; a constant as it is.

    The registers start as `init`; with `reset`, which control needs and data does not, a reset
    sets them to that again.
    """
    value = Value.cast(value)
    if isinstance(value, Const):
        return value
    for _ in range(clocks):
        register = Signal(value.shape(), name=name, init=init, reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value
