"""How numbers stand in a lane."""

from amaranth.hdl import Shape
from streampool_golden import Accumulator, DType


def lane_shape(held: DType | Accumulator) -> Shape:
    """Return the shape of a lane that holds numbers of a type or a range."""
    return Shape(held.bits, held.signed)
