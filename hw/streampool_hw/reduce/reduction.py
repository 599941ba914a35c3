"""How a stage reduces: operations with 0 for their identity, in two halves for a pipeline.

Maxima and minima are found on *keys*: unsigned numbers in which the operation's order is
"greater" and its identity is 0, so that clearing a register is all that starting anew takes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from amaranth.hdl import Cat, Mux, Shape, Value, ValueLike, signed, unsigned
from streampool_golden import Accumulator, DType, PoolJob

from ..blocks.floats_in import FLAGS
from ..datapath.pipeline import lane_shape


@dataclass(frozen=True)
class ReductionGates:
    """An associative operation whose identity is 0, in two halves for a pipeline.

    A partial of a range has a `shape`. A value is encoded as the operation takes it, and a partial
    decoded to the value it stands for. The first half finds something out from a partial and what
    comes to it; from both and what was found, the second makes the new partial. The two take
    `clocks`: 1 where the second is nothing but wires.
    """

    shape: Callable[[Accumulator], Shape]
    encode: Callable[[Value, DType], Value]
    decode: Callable[[Value, DType], Value]
    first: Callable[[Value, Value], Value]
    second: Callable[[Value, Value, Value], ValueLike]
    clocks: int = 2


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


# The sign of a difference is the adder's last sum bit, where a comparison would be an inverted
# carry, which has to leave the chain first, or, with `x > partial`, an equality tree besides.
_MAX = ReductionGates(
    shape=_key,
    encode=_order_key,
    decode=_from_order_key,
    first=lambda partial, x: (partial - x)[-1],
    second=lambda partial, x, found: Mux(found, x, partial),
)
_MIN = replace(
    _MAX,
    encode=lambda value, dtype: ~_order_key(value, dtype),
    decode=lambda key, dtype: _from_order_key(~key, dtype),
)
_SUM = ReductionGates(
    shape=lane_shape,
    encode=_same,
    decode=_same,
    first=lambda partial, x: partial + x,
    second=lambda partial, x, found: found,
    clocks=1,
)


LARGEST, TOTAL = _MAX, _SUM
"""That of maxima of keys, and that of sums of integers."""


def sums(job: PoolJob, below: int) -> ReductionGates:
    """Return that of sums of integers; nothing stands below them."""
    return _SUM


def extremes(job: PoolJob, below: int) -> ReductionGates:
    """Return that of the largest or smallest integers, with `below` bits of a place below keys."""
    plain = _MIN if job.operation.selects == "smallest" else _MAX
    if not below:
        return plain
    return replace(
        plain,
        shape=lambda accumulator: unsigned(accumulator.bits + below),
        decode=lambda key, dtype: plain.decode(key[below:], dtype),
    )


def float_sums(job: PoolJob, below: int) -> ReductionGates:
    """Return that of sums of floats: a signed multiple of the smallest float above `FLAGS`."""
    flags = len(FLAGS)
    return ReductionGates(
        shape=lambda accumulator: signed(accumulator.bits + flags),
        encode=_same,
        decode=_same,
        first=lambda partial, x: Cat(
            partial[:flags] | x[:flags], partial[flags:].as_signed() + x[flags:].as_signed()
        ),
        second=lambda partial, x, found: found,
        clocks=1,
    )


def float_extremes(job: PoolJob, below: int) -> ReductionGates:
    """Return that of the largest or smallest floats, with `below` bits of a place below keys.

    `FloatToKey` says what a key is; the first of equal numbers wins, and the last NaN.
    """
    flip, propagate = job.operation.selects == "smallest", job.spec.nan == "propagate"

    def order(partial: Value) -> Value:
        place, key = partial[:below], partial[below + 1 :]
        if below and propagate:
            nan = key[-1]
            # ~index, so that the first of equals wins: index again for NaN, of which the last does
            place = place ^ nan.replicate(below)
            key = Cat(key[:-1] & ~nan.replicate(len(key) - 1), nan)
        return Cat(place, key)

    def first(partial: Value, x: Value) -> Value:
        less = (order(partial) - order(x))[-1]
        return less | x[-1] if propagate and not below else less  # of NaNs the last stays

    def decode(partial: Value, dtype: DType) -> Value:
        partial = partial[below:]
        sign, key = partial[0], partial[1 : dtype.bits + 1]
        value = Cat(key[:-1] ^ (~key[-1]).replicate(dtype.bits - 1), sign)
        if propagate:
            return value
        # the least number, an infinity, has a 1 at the end of its key and none in its exponent
        nothing = ~(key[0] | key[dtype.fraction :].any())
        finite = ((1 << dtype.exponent) - 1 << dtype.fraction) - 1
        return Mux(nothing, finite | (not flip) << (dtype.bits - 1), value)[: dtype.bits]

    return ReductionGates(
        shape=lambda accumulator: unsigned(below + accumulator.bits + 1 + propagate),
        encode=_same,
        decode=decode,
        first=first,
        second=_MAX.second,
    )
