"""Blocks of a comparison and a choice: saturation, clamps, the absolute value."""

import math

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value, unsigned
from streampool_golden import DType

from ..datapath.pipeline import Bundle, Step, lane_shape, range_shape
from .block import Block, Number


class _Compared(Number):
    below: Value
    above: Value


class Clamp(Block):
    """Keep a number within `low` to `high`: compare, then choose. Latency: 2 clocks."""

    def __init__(self, shape: Shape, low: int, high: int):
        self._low, self._high = low, high
        out = range_shape(low, high)
        super().__init__(
            [Step(self._compare), Step(self._choose)], {"value": shape}, {"value": out}
        )

    def _compare(self, m: Module, lane: Number, beat: Bundle) -> _Compared:
        return _Compared(lane.value, lane.value < self._low, self._high < lane.value)

    def _choose(self, m: Module, lane: _Compared, beat: Bundle) -> Number:
        return Number(Mux(lane.below, self._low, Mux(lane.above, self._high, lane.value)))

    def model(self, value: int) -> int:
        """Return `value`, or the end of the range that is nearest to it."""
        return min(max(value, self._low), self._high)


class _FloatCompared(_Compared):
    most: Value
    nothing: Value


class FloatClamp(Block):
    """Keep a float within `low` to `high`; NaN and zeros of a sign stay. Latency: 2 clocks.

    It is compared as a number in whose order floats are: the bits below the sign, inverted if it
    is negative, below the inverted sign. Of the zeros neither is outside where 0 is an end.
    """

    def __init__(self, dtype: DType, low: float, high: float):
        self._dtype = dtype
        self._low, self._high = (_bits(end, dtype) for end in (low, high))
        # -0 is the least that a low end of 0 lets through, as +0 is the most
        sign = 1 << (dtype.bits - 1)
        self._least = self._key(self._low or sign)
        self._most = self._key(self._high)
        shape = {"value": unsigned(dtype.bits)}
        super().__init__([Step(self._compare), Step(self._choose)], shape, shape)

    def _compare(self, m: Module, lane: Number, beat: Bundle) -> _FloatCompared:
        value, dtype = lane.value.as_unsigned(), self._dtype
        fraction, exponent = value[: dtype.fraction], value[dtype.fraction : dtype.bits - 1]
        key = Cat(value[:-1] ^ value[-1].replicate(dtype.bits - 1), ~value[-1])
        below, above = key < self._least, self._most < key
        unbounded = Const(0, 1)  # of numbers none is beyond an infinity
        return _FloatCompared(
            value,
            unbounded if self._low == _bits(-math.inf, dtype) else below,
            unbounded if self._high == _bits(math.inf, dtype) else above,
            exponent.all(),
            ~fraction.any(),
        )

    def _choose(self, m: Module, lane: _FloatCompared, beat: Bundle) -> Number:
        number = ~lane.most | lane.nothing
        inside = Mux(lane.above & number, self._high, lane.value)
        return Number(Mux(lane.below & number, self._low, inside)[: self._dtype.bits])

    def _key(self, bits: int) -> int:
        sign = 1 << (self._dtype.bits - 1)
        return 2 * sign - 1 - bits if bits & sign else bits | sign

    def model(self, value: int) -> int:
        """Return the bits of a float, or of the end of the range that is nearest to it."""
        dtype = self._dtype
        if value & (dtype.high >> 1) > ((1 << dtype.exponent) - 1) << dtype.fraction:
            return value  # NaN
        key = self._key(value)
        return self._low if key < self._least else self._high if self._most < key else value


def _bits(value: float, dtype: DType) -> int:
    return int(np.array(value).astype(dtype.numpy).view(dtype.raw.numpy))


class Magnitude(Block):
    """The absolute value. Latency: 1 clock."""

    def __init__(self, dtype: DType):
        shape = lane_shape(dtype)
        super().__init__([Step(self._turn)], {"value": shape}, {"value": unsigned(dtype.bits)})

    def _turn(self, m: Module, lane: Number, beat: Bundle) -> Number:
        value = lane.value
        return Number(Mux(value < 0, -value, value).as_unsigned()[: len(value)])

    def model(self, value: int) -> int:
        """Return the absolute value."""
        return abs(value)
