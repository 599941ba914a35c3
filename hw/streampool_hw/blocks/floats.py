"""Floats: keys in their order; sums in exact fixed point, with one rounding at the end."""

from collections.abc import Callable
from dataclasses import replace

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed, unsigned
from streampool_golden import DType, PoolJob, PoolSpec
from streampool_golden.dtypes import width

from ..datapath.pipeline import State, Step
from ..reduce.operations import Operation
from .digits import Tables, by_digits, entry

__all__ = ["float_operation", "from_fixed", "to_fixed", "to_key"]

# ---- maxima and minima

# A partial is Cat(sign, key, nan): the sign as it came, an order key in which both zeros are one
# number, and whether it is NaN, which is more than any number. Only what follows the sign is
# compared, so the sign travels. Where NaN is ignored there is no such bit, and its key is 0, less
# than that of any number, as the identity's is. Below all of it may stand a place, as of `indices`,
# by which the first of equal numbers wins, and the last NaN.


def to_key(spec: PoolSpec) -> list[Step]:
    """Return the steps from a float to a partial of a maximum or minimum."""
    dtype, flip = spec.in_dtype, spec.op == "min"

    def look(m: Module, lane: State, beat: State) -> State:
        fraction, exponent, sign = _fields(lane["value"], dtype)
        return {
            "size": Cat(fraction, exponent),
            "sign": sign,
            "nothing": ~fraction.any(),
            "least": ~exponent.any(),
            "most": exponent.all(),
        }

    def order(m: Module, lane: State, beat: State) -> State:
        zero, nan = lane["nothing"] & lane["least"], lane["most"] & ~lane["nothing"]
        below = (lane["sign"] ^ flip) & ~zero
        if spec.nan == "propagate":
            below &= ~nan
        key = Cat(lane["size"] ^ below.replicate(len(lane["size"])), ~below)
        if spec.nan == "ignore":
            return {"value": Cat(lane["sign"], Mux(nan, 0, key))}
        return {"value": Cat(lane["sign"], key, nan)}

    return [Step(look), Step(order)]


def _extreme(spec: PoolSpec, below: int) -> Operation:
    flip, propagate = spec.op == "min", spec.nan == "propagate"

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

    return Operation(
        shape=lambda accumulator: unsigned(below + accumulator.bits + 1 + propagate),
        encode=lambda value, dtype: value,
        decode=decode,
        first=first,
        second=lambda partial, x, found: Mux(found, x, partial),
    )


# ---- sums

# A partial is a signed number of multiples of the smallest value, and below it flags, each set
# where a tap was NaN, plus infinity, minus infinity, or anything but a zero of sign 1.
FLAGS = ("nan", "plus", "minus", "other")


def to_fixed(spec: PoolSpec) -> list[Step]:
    """Return the steps from a float to a partial of a sum."""
    dtype = spec.in_dtype
    bits = width(-dtype.most, dtype.most)

    def look(m: Module, lane: State, beat: State) -> State:
        fraction, exponent, sign = _fields(lane["value"], dtype)
        return {
            "fraction": fraction,
            "exponent": exponent,
            "sign": sign,
            "nothing": ~fraction.any(),
            "least": ~exponent.any(),
            "most": exponent.all(),
        }

    def flag(m: Module, lane: State, beat: State) -> State:
        sign, most, nothing, least = (lane[k] for k in ("sign", "most", "nothing", "least"))
        flags = {
            "nan": most & ~nothing,
            "plus": most & nothing & ~sign,
            "minus": most & nothing & sign,
            "other": ~(sign & least & nothing),
        }
        # Without a leading 1 the value is as with the exponent 1, which shifts by none: so
        # everything is twice as large, and shifted by the exponent.
        value = Mux(least, Cat(Const(0, 1), lane["fraction"]), Cat(lane["fraction"], 1))
        return {
            "value": Mux(most, 0, value),
            "shift": lane["exponent"],
            "sign": sign,
            "flags": Cat(flags[name] for name in FLAGS),
        }

    def shift(m: Module, lane: State, beat: State) -> State:
        # two bits a clock; as there are fewer of them, the value needs no more bits than these
        done = dtype.exponent - len(lane["shift"])
        here, later = lane["shift"][:2], lane["shift"][2:]
        value = lane["value"]
        value = Mux(here[0], value << (1 << done), value)
        if len(here) > 1:
            value = Mux(here[1], value << (2 << done), value)
        lane = lane | {"value": value[:bits], "shift": later}
        return {name: value for name, value in lane.items() if len(value)}

    def negate(m: Module, lane: State, beat: State) -> State:
        size = lane["value"][1:]
        value = Mux(lane["sign"], -size, size)[:bits]
        return {"value": Cat(lane["flags"], value).as_signed()}

    return [Step(look), Step(flag), *[Step(shift)] * -(-dtype.exponent // 2), Step(negate)]


_SUM = Operation(
    shape=lambda accumulator: signed(accumulator.bits + len(FLAGS)),
    encode=lambda value, dtype: value,
    decode=lambda partial, dtype: partial,
    first=lambda partial, x: Cat(
        partial[: len(FLAGS)] | x[: len(FLAGS)],
        partial[len(FLAGS) :].as_signed() + x[len(FLAGS) :].as_signed(),
    ),
    second=lambda partial, x, found: found,
)


def float_operation(spec: PoolSpec, below: int = 0) -> Operation:
    """Return the operation of the stages for a specification of floats.

    Parameters
    ----------
    spec : PoolSpec
        The specification.
    below : int, optional
        Bits of the place that stands below each key of a maximum or minimum.
    """
    return _extreme(spec, below) if spec.op in ("max", "min") else _SUM


def _fields(value: Value, dtype: DType) -> tuple[Value, Value, Value]:
    """Return a float's fraction, exponent and sign."""
    value = value.as_unsigned()
    return value[: dtype.fraction], value[dtype.fraction : dtype.bits - 1], value[dtype.bits - 1]


def from_fixed(job: PoolJob, divisors: tuple[int, ...]) -> list[Step]:
    """Return the steps from a partial of a sum to a float: divided, with one rounding.

    The absolute sum is shifted up until it begins with a 1, but not beyond where the quotient's
    first digit is that of the smallest normal number; what is left of that way is the exponent.
    As many bits are divided as the quotient and its remainder take; whether there is a 1 among
    the others, or the remainder is not 0, decides ties alone.

    Parameters
    ----------
    job : PoolJob
        What is computed.
    divisors : tuple of int
        Distinct, all of one sign; a beat's `which` is the index of its own.
    """
    dtype = job.output
    sizes = tuple(abs(d) for d in divisors)
    most = max(sizes).bit_length()
    shifts_alone = all(d & (d - 1) == 0 for d in sizes)
    digits = dtype.fraction + 3  # the first may be 0, the last rounds
    kept = digits if shifts_alone else digits + most - 1
    # the exponent of a sum whose highest bit is set, for each divisor, above that of the least
    bits = max(job.accumulator.bits - 1, dtype.fraction + most)
    rooms = tuple(bits - dtype.fraction - d.bit_length() for d in sizes)
    low = max(0, kept - bits)  # zeros below, where there are few bits

    def absolute(m: Module, lane: State, beat: State) -> State:
        value = lane["value"].as_signed()
        flag = dict(zip(FLAGS, value[: len(FLAGS)], strict=True))
        total = value[len(FLAGS) :].as_signed()
        size = Mux(total < 0, -total, total)[: len(total) - 1]
        minus = flag["minus"] | (~flag["plus"] & ((total < 0) | ~flag["other"]))
        return {
            "rest": Cat(Const(0, low), size, Const(0, bits - len(size))),
            "lost": Const(0, 1),
            "room": entry(rooms, beat["which"]),
            "nan": flag["nan"] | (flag["plus"] & flag["minus"]),
            "infinite": flag["plus"] | flag["minus"],
            "sign": ~minus if divisors[0] < 0 else minus,
        }

    steps = [Step(absolute), *_normalise(kept, max(rooms))]
    if not shifts_alone:
        scaled = tuple(d << (most - d.bit_length()) for d in sizes)
        quotient, tables = by_digits(digits, scaled)
        steps[-1] = replace(steps[-1], beat=_look_up(tables))
        steps += quotient
    return [*steps, *_round(dtype, max(rooms))]


def _look_up(tables: Tables) -> Callable[[State], State]:
    return lambda beat: beat | {name: entry(row, beat["which"]) for name, row in tables.items()}


def _normalise(kept: int, most: int) -> list[Step]:
    """Shift `rest` up to its first 1, by `room` places at most, and keep its upper bits.

    Parameters
    ----------
    kept : int
        How many bits are kept; `lost` says whether there is a 1 among the others.
    most : int
        The largest `room`. What is left of it stays there.
    """
    places = list(reversed(range(most.bit_length())))  # each halves how far it may still go

    def empty(value: Value, room: Value, k: int) -> Value:
        return ~value[-(1 << k) :].any() & room[k:].any()

    def look(m: Module, lane: State, beat: State) -> State:
        found = {"empty": empty(lane["rest"], lane["room"], places[0])} if places else {}
        return _narrowed(lane | found, kept + (1 << len(places)) - 1)

    def shift(k: int) -> Step:
        def step(m: Module, lane: State, beat: State) -> State:
            rest, room, moves = lane["rest"], lane["room"], lane["empty"]
            moved = Cat(Const(0, 1 << k), rest)[: len(rest)]
            less = Cat(room[:k], (room[k:] - 1)[: len(room) - k])
            lane = lane | {"rest": Mux(moves, moved, rest), "room": Mux(moves, less, room)}
            del lane["empty"]
            if k:  # found out for both, so that nothing waits for the choice
                either = empty(moved, less, k - 1), empty(rest, room, k - 1)
                lane["empty"] = Mux(moves, *either)
            return _narrowed(lane, kept + (1 << k) - 1)

        return Step(step)

    return [Step(look), *(shift(k) for k in places)]


def _narrowed(lane: State, kept: int) -> State:
    """Keep the upper bits of `rest`; the others are or-ed into `lost`, eight a clock."""
    rest = lane["rest"]
    lower = max(0, len(rest) - kept)
    lost = Cat(lane["lost"], rest[:lower])
    groups = [lost[at : at + 8].any() for at in range(0, len(lost), 8)]
    return lane | {"rest": rest[lower:], "lost": Cat(groups)}


def _round(dtype: DType, room: int) -> list[Step]:
    """Round `quotient` to the nearest, halves to even, and put the float together.

    Parameters
    ----------
    dtype : DType
        The float.
    room : int
        The largest `room`: the exponent is that, and 1 more where the first digit is 1.
    """
    infinity = ((1 << dtype.exponent) - 1) << dtype.fraction
    overflows = room + 2 >= (1 << dtype.exponent) - 1

    def align(m: Module, lane: State, beat: State) -> State:
        digits, room = lane["quotient" if "quotient" in lane else "rest"], lane["room"]
        first = digits[-1]
        up = ~first & room.any()  # a normal number begins with its second digit
        significand = Mux(up, digits[:-1], digits[1:])
        rest = lane["lost"].any() | (~up & digits[0])
        if "exact" in lane:
            rest |= ~lane["exact"]
        exponent = room + first
        half, even = significand[0], ~significand[1]
        return {
            "value": Cat(significand[1:-1], exponent),
            "up": half & (rest | ~even),
            **{name: lane[name] for name in ("nan", "infinite", "sign")},
        }

    def add(m: Module, lane: State, beat: State) -> State:
        value = lane["value"] + lane["up"]  # a carry is one for the exponent too
        return {"value": value, **{name: lane[name] for name in ("nan", "infinite", "sign")}}

    def pack(m: Module, lane: State, beat: State) -> State:
        value, infinite = lane["value"], lane["infinite"]
        if overflows:
            infinite = infinite | ~(value < infinity)
        size = Mux(infinite, infinity, value)[: dtype.bits - 1]
        quiet = infinity | 1 << (dtype.fraction - 1)
        return {"value": Mux(lane["nan"], quiet, Cat(size, lane["sign"]))}

    return [Step(align), Step(add), Step(pack)]
