"""Blocks of a comparison and a choice: saturation and clamp, the absolute value."""

from amaranth.hdl import Module, Mux, Shape, Value, unsigned
from streampool_golden import DType

from ..datapath.pipeline import Bundle, Step, lane_shape
from .block import Block, Number


class _Compared(Number):
    below: Value
    above: Value


class Clamp(Block):
    """Keep a number within `low` to `high`: compare, then choose. Latency: 2 clocks."""

    def __init__(self, shape: Shape, low: int, high: int):
        self._low, self._high = low, high
        out = Shape.cast(range(low, high + 1))
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
