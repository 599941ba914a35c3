"""Exact sums of floats into floats: divided, with one rounding."""

from dataclasses import replace
from functools import partial

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed, unsigned
from streampool_golden import DType, round_div

from ..datapath.pipeline import Bundle, Step
from .block import Block, Number, Window
from .divider import Dividend, Quotient, RestoringDivider
from .floats_in import FLAGS


class _Flags(Bundle):
    nan: Value
    infinite: Value
    sign: Value


class _Beside(Bundle):
    """What goes beside the digits: whether a 1 was cut off, how far they may go up, flags."""

    lost: Value
    room: Value
    flags: _Flags


class _Moving(Bundle):
    number: Dividend
    empty: Value


class _Divided(Window):
    by: Value


class _Rounding(Bundle):
    value: Value
    up: Value
    flags: _Flags


class _Rounded(Number):
    flags: _Flags


class FixedToFloat(Block):
    """An exact sum of floats, as of `FloatToFixed`, over its divisor as a float, rounded once.

    The absolute sum is shifted up until it begins with a 1, but not beyond where the quotient's
    first digit is that of the smallest normal number; what is left of that way is the exponent.
    As many bits are divided as the quotient and its remainder take; whether there is a 1 among
    the others, or the remainder is not 0, decides ties alone.

    Latency: 2 clocks, one for each bit of how far a sum may be shifted, 3 to round; and between
    them, unless every divisor is a power of two, those of a `RestoringDivider`.

    The sum has so many `bits`, its sign among them, without the flags; the lowest of so many is
    none. The divisors are distinct, and all of one sign.
    """

    def __init__(self, dtype: DType, bits: int, divisors: tuple[int, ...]):
        self._dtype, self._divisors = dtype, divisors
        self._infinity = ((1 << dtype.exponent) - 1) << dtype.fraction
        self._nan = self._infinity | 1 << (dtype.fraction - 1)  # a quiet one
        sizes = tuple(abs(d) for d in divisors)
        most = max(sizes).bit_length()
        shifts_alone = all(d & (d - 1) == 0 for d in sizes)
        digits = dtype.fraction + 3  # the first may be 0, the last rounds
        self._kept = digits if shifts_alone else digits + most - 1
        self._bits = max(bits - 1, dtype.fraction + most)
        # the exponent of a sum whose highest bit is set, for each divisor, above that of the least
        self._rooms = tuple(self._bits - dtype.fraction - d.bit_length() for d in sizes)
        self._places = max(self._rooms).bit_length()

        steps = [Step(self._absolute)]
        if self._places:
            steps.append(Step(self._look))
            steps += [Step(partial(self._move, k)) for k in reversed(range(1, self._places))]
            steps.append(Step(self._move_last))
        else:
            steps.append(Step(lambda m, lane, beat: self._narrowed(lane, 1)))
        scaled = tuple(d << (most - d.bit_length()) for d in sizes)
        self._divider = RestoringDivider(digits, scaled)
        if not shifts_alone:
            steps[-1] = replace(steps[-1], beat=self._look_up)
            steps += self._divider.steps
        super().__init__(
            [*steps, Step(self._align), Step(self._add), Step(self._pack)],
            {"value": signed(bits + len(FLAGS))},
            {"value": unsigned(dtype.bits)},
            len(divisors),
            [self._divider],
        )

    def _look_up(self, beat: Window) -> _Divided:
        return _Divided(beat.last, beat.which, self._divider.by(beat.which))

    def _absolute(self, m: Module, lane: Number, beat: Window) -> Dividend:
        value = lane.value.as_signed()
        flag = dict(zip(FLAGS, value[: len(FLAGS)], strict=True))
        total = value[len(FLAGS) :].as_signed()
        size = Mux(total < 0, -total, total)[: len(total) - 1]
        minus = flag["minus"] | (~flag["plus"] & ((total < 0) | ~flag["other"]))
        low = max(0, self._kept - self._bits)  # zeros below, where there are few bits
        flags = _Flags(
            flag["nan"] | (flag["plus"] & flag["minus"]),
            flag["plus"] | flag["minus"],
            ~minus if self._divisors[0] < 0 else minus,
        )
        return Dividend(
            Cat(Const(0, low), size, Const(0, self._bits - len(size))),
            _Beside(Const(0, 1), self.look_up("room", self._rooms, beat.which), flags),
        )

    # Shifted up to the first 1, by `room` places at most; each step halves how far it may go.

    def _look(self, m: Module, lane: Dividend, beat: Bundle) -> _Moving:
        empty = _empty(lane.rest, lane.beside.room, self._places - 1)
        return _Moving(self._narrowed(lane, 1 << self._places), empty)

    def _move(self, k: int, m: Module, lane: _Moving, beat: Bundle) -> _Moving:
        number, moved, less = lane.number, *_up(lane.number, k)
        # found out for both, so that nothing waits for the choice
        either = _empty(moved, less, k - 1), _empty(number.rest, number.beside.room, k - 1)
        shifted = self._narrowed(_either(lane, moved, less), 1 << k)
        return _Moving(shifted, Mux(lane.empty, *either))

    def _move_last(self, m: Module, lane: _Moving, beat: Bundle) -> Dividend:
        return self._narrowed(_either(lane, *_up(lane.number, 0)), 1)

    def _narrowed(self, lane: Dividend, ways: int) -> Dividend:
        """Keep the upper bits; the others are or-ed into `lost`, eight per clock."""
        rest = lane.rest
        lower = max(0, len(rest) - (self._kept + ways - 1))
        lost = Cat(lane.beside.lost, rest[:lower])
        groups = [lost[at : at + 8].any() for at in range(0, len(lost), 8)]
        return Dividend(rest[lower:], replace(lane.beside, lost=Cat(groups)))

    # Rounded to the nearest, halves to even.

    def _align(self, m: Module, lane: Quotient | Dividend, beat: Bundle) -> _Rounding:
        beside: _Beside = lane.beside
        digits = lane.quotient if isinstance(lane, Quotient) else lane.rest
        first = digits[-1]
        up = ~first & beside.room.any()  # a normal number begins with its second digit
        significand = Mux(up, digits[:-1], digits[1:])
        lost = beside.lost.any() | (~up & digits[0])
        if isinstance(lane, Quotient):
            lost |= ~lane.exact
        half, even = significand[0], ~significand[1]
        value = Cat(significand[1:-1], beside.room + first)
        return _Rounding(value, half & (lost | ~even), beside.flags)

    def _add(self, m: Module, lane: _Rounding, beat: Bundle) -> _Rounded:
        return _Rounded(lane.value + lane.up, lane.flags)  # a carry is one for the exponent too

    def _pack(self, m: Module, lane: _Rounded, beat: Bundle) -> Number:
        dtype, flags, infinite = self._dtype, lane.flags, lane.flags.infinite
        if max(self._rooms) + 2 >= (1 << dtype.exponent) - 1:
            infinite = infinite | ~(lane.value < self._infinity)
        size = Mux(infinite, self._infinity, lane.value)[: dtype.bits - 1]
        return Number(Mux(flags.nan, self._nan, Cat(size, flags.sign)))

    def model(self, value: int, which: int = 0) -> int:
        """Return the bits of the float nearest to a sum over its divisor, halves to even."""
        dtype, divisor = self._dtype, self._divisors[which]
        total = value >> len(FLAGS)
        nan, plus, minus, other = (value >> k & 1 for k in range(len(FLAGS)))
        if nan or (plus and minus):
            return self._nan
        negative = minus or (not plus and (total < 0 or not other))
        sign = (negative ^ (divisor < 0)) << (dtype.bits - 1)
        if plus or minus:
            return sign | self._infinity
        # in units of the smallest float; above the first normal numbers, of a power of two of them
        size, by = abs(total), abs(divisor)
        shift = max(0, (size // by).bit_length() - dtype.fraction - 1)
        rounded = int(round_div(size, by << shift, "half_even"))
        return sign | min((shift << dtype.fraction) + rounded, self._infinity)


def _empty(value: Value, room: Value, k: int) -> Value:
    """Return whether a number is to be shifted up by ``2 ** k`` places."""
    return ~value[-(1 << k) :].any() & room[k:].any()


def _up(lane: Dividend, k: int) -> tuple[Value, Value]:
    """Return what a shift by ``2 ** k`` places makes of a number and of its room."""
    rest, room = lane.rest, lane.beside.room
    moved = Cat(Const(0, 1 << k), rest)[: len(rest)]
    return moved, Cat(room[:k], (room[k:] - 1)[: len(room) - k])


def _either(lane: _Moving, moved: Value, less: Value) -> Dividend:
    number = lane.number
    room = Mux(lane.empty, less, number.beside.room)
    return Dividend(Mux(lane.empty, moved, number.rest), replace(number.beside, room=room))
