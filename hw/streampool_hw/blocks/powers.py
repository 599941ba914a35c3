"""Powers of a value, before it is summed."""

from amaranth.hdl import Module, Mux, unsigned
from streampool_golden import DType

from ..datapath.pipeline import Bundle, Step
from ..datapath.shapes import lane_shape
from .block import Block, Number
from .multiplier import Multiplier


class Magnitude(Block):
    """The absolute value. Latency: a clock."""

    def __init__(self, dtype: DType):
        shape = lane_shape(dtype)
        super().__init__([Step(self._turn)], {"value": shape}, {"value": unsigned(dtype.bits)})

    def _turn(self, m: Module, lane: Number, beat: Bundle) -> Number:
        value = lane.value
        return Number(Mux(value < 0, -value, value).as_unsigned()[: len(value)])

    def model(self, value: int) -> int:
        """Return the absolute value."""
        return abs(value)


class Square(Block):
    """The square of an unsigned number of `bits`. Latency: `Multiplier.LATENCY` clocks.

    Where the number does not take all its values, `out_bits` may be less than twice its own.
    """

    def __init__(self, bits: int, out_bits: int):
        self._bits = out_bits
        step = Step(self._square, clocks=Multiplier.LATENCY)
        super().__init__([step], {"value": unsigned(bits)}, {"value": unsigned(out_bits)})

    def _square(self, m: Module, lane: Number, beat: Bundle) -> Number:
        value = lane.value
        m.submodules += (multiplier := Multiplier(len(value), len(value), self.family))
        m.d.comb += [multiplier.a.eq(value), multiplier.b.eq(value)]
        return Number(multiplier.product[: self._bits])

    def model(self, value: int) -> int:
        """Return the square."""
        return value * value
