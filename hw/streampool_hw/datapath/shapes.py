"""How the values of a type stand in a lane."""

from amaranth.hdl import Shape, signed, unsigned
from streampool_golden import DType


def lane_shape(dtype: DType) -> Shape:
    """Return the shape of a lane that holds `dtype`."""
    return signed(dtype.bits) if dtype.signed else unsigned(dtype.bits)
