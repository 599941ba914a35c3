"""Floats into what the stages reduce: order keys, or exact fixed point."""

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed, unsigned
from streampool_golden import DType

from ..datapath.pipeline import Bundle, Step
from .block import Block, Number

FLAGS = ("nan", "plus", "minus", "other")
"""What stands below a sum of floats, from the lowest bit up: whether a tap was NaN, plus
infinity, minus infinity, or anything but a zero of sign 1."""


class _Ends(Bundle):
    """What is known of a float's fraction and exponent."""

    sign: Value
    nothing: Value
    least: Value
    most: Value


class _Sized(Bundle):
    size: Value
    ends: _Ends


class _Split(Bundle):
    fraction: Value
    exponent: Value
    ends: _Ends


class _Shifting(Bundle):
    value: Value
    shift: Value
    sign: Value
    flags: Value


def _split(value: Value, dtype: DType) -> _Split:
    """Return a float's fraction and exponent, and what is known of them."""
    value = value.as_unsigned()
    fraction, exponent = value[: dtype.fraction], value[dtype.fraction : dtype.bits - 1]
    ends = _Ends(value[dtype.bits - 1], ~fraction.any(), ~exponent.any(), exponent.all())
    return _Split(fraction, exponent, ends)


def _fields(bits: int, dtype: DType) -> tuple[int, int, int]:
    """Return a float's sign, exponent and fraction."""
    above = bits >> dtype.fraction
    exponents = (1 << dtype.exponent) - 1
    return bits >> (dtype.bits - 1), above & exponents, bits & ((1 << dtype.fraction) - 1)


class FloatToKey(Block):
    """A float's order key, of which the largest wins. Latency: 2 clocks.

    From the lowest bit up: the sign as it came; the key, in which both zeros are one number; and
    whether it is NaN, which is more than any number. Only what follows the sign is compared, so
    the sign travels. Where NaN is ignored there is no such bit, and its key is 0, less than that
    of any number, as the identity's is. Where `smallest` is asked for, the order is turned round.
    """

    def __init__(self, dtype: DType, *, smallest: bool, propagates: bool):
        self._dtype, self._flip, self._propagates = dtype, smallest, propagates
        bits = 1 + dtype.bits + propagates
        super().__init__(
            [Step(self._look), Step(self._order)],
            {"value": unsigned(dtype.bits)},
            {"value": unsigned(bits)},
        )

    def _look(self, m: Module, lane: Number, beat: Bundle) -> _Sized:
        split = _split(lane.value, self._dtype)
        return _Sized(Cat(split.fraction, split.exponent), split.ends)

    def _order(self, m: Module, lane: _Sized, beat: Bundle) -> Number:
        size, ends = lane.size, lane.ends
        zero, nan = ends.nothing & ends.least, ends.most & ~ends.nothing
        below = (ends.sign ^ self._flip) & ~zero
        if self._propagates:
            below &= ~nan
        key = Cat(size ^ below.replicate(len(size)), ~below)
        if self._propagates:
            return Number(Cat(ends.sign, key, nan))
        return Number(Cat(ends.sign, Mux(nan, 0, key)))

    def model(self, value: int) -> int:
        """Return the key of a float's bits."""
        dtype = self._dtype
        sign, exponent, fraction = _fields(value, dtype)
        size, top = exponent << dtype.fraction | fraction, 1 << (dtype.bits - 1)
        nan = exponent == (1 << dtype.exponent) - 1 and fraction > 0
        if nan and not self._propagates:
            return sign
        below = sign ^ self._flip and size and not nan
        key = top - 1 - size if below else top + size
        return nan << (dtype.bits + 1) | key << 1 | sign


class FloatToFixed(Block):
    """A float as a whole number, of `bits`, of the smallest one, with `FLAGS` below.

    Latency: 3 clocks, and one for each two bits of the exponent.
    """

    def __init__(self, dtype: DType, bits: int):
        self._dtype, self._bits = dtype, bits
        steps = [Step(self._look), Step(self._flag)]
        steps += [Step(self._move)] * -(-dtype.exponent // 2)
        super().__init__(
            [*steps, Step(self._negate)],
            {"value": unsigned(dtype.bits)},
            {"value": signed(bits + len(FLAGS))},
        )

    def _look(self, m: Module, lane: Number, beat: Bundle) -> _Split:
        return _split(lane.value, self._dtype)

    def _flag(self, m: Module, lane: _Split, beat: Bundle) -> _Shifting:
        ends = lane.ends
        sign, most, nothing, least = ends.sign, ends.most, ends.nothing, ends.least
        flags = {
            "nan": most & ~nothing,
            "plus": most & nothing & ~sign,
            "minus": most & nothing & sign,
            "other": ~(sign & least & nothing),
        }
        # Without a leading 1 the value is as with the exponent 1, which shifts by none: so
        # everything is twice as large, and shifted by the exponent.
        value = Mux(least, Cat(Const(0, 1), lane.fraction), Cat(lane.fraction, 1))
        in_order = Cat(flags[name] for name in FLAGS)
        return _Shifting(Mux(most, 0, value), lane.exponent, sign, in_order)

    def _move(self, m: Module, lane: _Shifting, beat: Bundle) -> _Shifting:
        # two bits per clock; as there are fewer of them, the value needs no more bits than these
        done = self._dtype.exponent - len(lane.shift)
        here, later = lane.shift[:2], lane.shift[2:]
        value = lane.value
        value = Mux(here[0], value << (1 << done), value)
        if len(here) > 1:
            value = Mux(here[1], value << (2 << done), value)
        return _Shifting(value[: self._bits], later, lane.sign, lane.flags)

    def _negate(self, m: Module, lane: _Shifting, beat: Bundle) -> Number:
        size = lane.value[1:]
        value = Mux(lane.sign, -size, size)[: self._bits]
        return Number(Cat(lane.flags, value).as_signed())

    def model(self, value: int) -> int:
        """Return the number and the flags of a float's bits."""
        sign, exponent, fraction = _fields(value, self._dtype)
        special = exponent == (1 << self._dtype.exponent) - 1
        flags = {
            "nan": special and fraction > 0,
            "plus": special and not fraction and not sign,
            "minus": special and not fraction and sign,
            "other": not (sign and not exponent and not fraction),
        }
        size = fraction
        if exponent:
            size = (fraction | 1 << self._dtype.fraction) << (exponent - 1)
        total = 0 if special else -size if sign else size
        return total << len(FLAGS) | sum(bool(flags[name]) << k for k, name in enumerate(FLAGS))
