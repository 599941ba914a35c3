"""What a stage computes: the table of operations, each with 0 for its identity.

Maxima and minima are found on *keys*: unsigned numbers in which the operation's order is
"greater" and its identity is 0, so that clearing a register is all that starting anew takes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Mux, Shape, Value, ValueLike, signed, unsigned
from streampool_golden import Accumulator, DType

__all__ = ["OPERATIONS", "Operation", "lane_shape"]


def lane_shape(dtype: DType) -> Shape:
    """Return the shape of a lane that holds `dtype`."""
    return signed(dtype.bits) if dtype.signed else unsigned(dtype.bits)


@dataclass(frozen=True)
class Operation:
    """An associative operation whose identity is 0, in two halves for a pipeline.

    Parameters
    ----------
    shape : callable
        Accumulator range -> the shape of a partial.
    encode : callable
        ``(value, dtype)`` -> the value as the operation takes it.
    decode : callable
        ``(partial, dtype)`` -> the value it stands for.
    first : callable
        ``(partial, x)`` -> what the first clock finds out.
    second : callable
        ``(partial, x, found)`` -> the new partial.
    """

    shape: Callable[[Accumulator], Shape]
    encode: Callable[[Value, DType], Value]
    decode: Callable[[Value, DType], Value]
    first: Callable[[Value, Value], Value]
    second: Callable[[Value, Value, Value], ValueLike]


def _integer(accumulator: Accumulator) -> Shape:
    return signed(accumulator.bits) if accumulator.signed else unsigned(accumulator.bits)


def _key(accumulator: Accumulator) -> Shape:
    return unsigned(accumulator.bits)


def _order_key(value: Value, dtype: DType) -> Value:
    """Map the dtype's lowest value to 0 and keep the order; its own inverse on the bits."""
    return value.as_unsigned() ^ (1 << (dtype.bits - 1) if dtype.signed else 0)


def _from_order_key(key: Value, dtype: DType) -> Value:
    bits = _order_key(key, dtype)[: dtype.bits]
    return bits.as_signed() if dtype.signed else bits.as_unsigned()


def _same(value: Value, dtype: DType) -> Value:
    return value


def _inverted_key(value: Value, dtype: DType) -> Value:
    return ~_order_key(value, dtype)


# The sign of a difference is the adder's last sum bit, where a comparison would be an inverted
# carry, which has to leave the chain first, or, with `x > partial`, an equality tree besides.
_MAX = Operation(
    shape=_key,
    encode=_order_key,
    decode=_from_order_key,
    first=lambda partial, x: (partial - x)[-1],
    second=lambda partial, x, found: Mux(found, x, partial),
)
_MIN = Operation(
    shape=_key,
    encode=_inverted_key,
    decode=lambda key, dtype: _from_order_key(~key, dtype),
    first=_MAX.first,
    second=_MAX.second,
)
_SUM = Operation(
    shape=_integer,
    encode=_same,
    decode=_same,
    first=lambda partial, x: partial + x,
    second=lambda partial, x, found: found,
)

OPERATIONS = {
    "max": _MAX,
    "min": _MIN,
    **dict.fromkeys(("sum", "avg", "l2", "lp1", "lp2"), _SUM),  # of what the start makes of inputs
}
"""The operation of the stages by the specification's `op`."""
