"""What quantises a value, before and behind a pooling: QDQ nodes and QONNX's.

A *grid* is the reals that integers stand for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from streampool_golden import DType

from .attributes import INT, STRING
from .graphs import STANDARD
from .shapes import QONNX
from .sites import Affine, Site, Unfit

QDQ_DOMAINS = (*STANDARD, "com.microsoft")
QUANTS = ("Quant", "IntQuant")
ROUNDINGS = {
    "ROUND": "half_even",
    "HALF_EVEN": "half_even",
    "FLOOR": "floor",
    "DOWN": "trunc",
    "HALF_UP": "half_away",
}
"""QONNX's rounding modes that a core has; its ``HALF_UP`` is away from zero."""

MOST_BITS = 16
"""Of a grid: a float32 holds these, and their distances, exactly."""


@dataclass(frozen=True)
class Grid:
    """The grid that a value is on.

    Attributes
    ----------
    affine : Affine
        What its integers stand for.
    dtype : str
        Their type.
    value : str
        The value that holds the integers, or the reals that they stand for.
    reals : bool
        Whether that holds reals, as QONNX has it.
    axis : int or None
        The axis along which there are several scales; None of one scale.
    rounding, about : str
        How a real becomes an integer, as a specification has it.
    clamp : (int, int) or None
        What bounds it beside its type.
    shift : int or None
        What bits are dropped of what has been divided by nothing: QONNX's `Trunc`. None of what
        divides by its scale.
    """

    affine: Affine
    dtype: str
    value: str
    reals: bool
    axis: int | None
    rounding: str = "half_even"
    about: str = "zero_point"
    clamp: tuple[int, int] | None = None
    shift: int | None = None

    def same(self, other: "Grid") -> bool:
        """Return whether integers stand for the same on both, and none is bounded."""
        ours, theirs = self.affine, other.affine
        return (
            (self.dtype, self.reals, other.clamp) == (other.dtype, other.reals, None)
            and np.array_equal(ours.scale, theirs.scale)
            and np.array_equal(ours.zero_point, theirs.zero_point)
        )


def grid_before(site: Site) -> Grid | None:
    """Return the grid of what a node pools; None where nothing says one."""
    maker = site.scope.makers.get(site.input(0))
    if maker is None:
        return None
    if maker.op_type == "DequantizeLinear" and maker.domain in QDQ_DOMAINS:
        return _linear(Site(maker, site.scope), maker.input[0], 0)
    if maker.domain in QONNX and maker.op_type in QUANTS:
        return _quant(Site(maker, site.scope), maker.output[0])
    return None


def grid_behind(site: Site) -> Grid | None:
    """Return the grid that what a node gives is put on, where nothing else takes it."""
    name = site.output(0)
    user = only_user(site, name)
    if user is None:
        return None
    if user.op_type == "QuantizeLinear" and user.domain in QDQ_DOMAINS:
        return _linear(Site(user, site.scope), user.output[0], 1)
    if user.domain in QONNX and user.op_type in QUANTS:
        return _quant(Site(user, site.scope), user.output[0])
    return None


def only_user(site: Site, name: str) -> onnx.NodeProto | None:
    """Return the node that alone takes a value; None where others do, or the model gives it."""
    users = site.scope.users.get(name, [])
    if len(users) != 1 or name in site.scope.results or list(users[0].input).count(name) != 1:
        return None
    return users[0] if users[0].input[0] == name else None


def _linear(site: Site, value: str, integers: int) -> Grid | None:
    """Return the grid of DequantizeLinear or QuantizeLinear; `integers` says which side has them.

    None where its scale is not of float32.
    """
    known = {"axis": INT, "saturate": INT, "block_size": INT, "output_dtype": INT, "precision": INT}
    attributes = site.checked(known)
    if attributes.get("block_size"):
        raise Unfit(f"the {site.op} {site.node.name} has a scale for each block of values")
    scale = _constant(site, 1)
    if scale.dtype != np.float32:
        return None
    zero_point = _constant(site, 2) if site.input(2) else None
    element = site.scope.value(site.node.input[0]).element if integers == 0 else 0
    if zero_point is not None:
        element = onnx.helper.np_dtype_to_tensor_dtype(zero_point.dtype)
    element = element or attributes.get("output_dtype") or int(onnx.TensorProto.UINT8)
    dtype = site.dtype_of(element)
    assert dtype is not None
    if zero_point is None:
        zero_point = np.zeros(scale.shape, np.int64)
    affine = _affine(site, scale, zero_point, dtype)
    axis = attributes.get("axis", 1) if scale.size > 1 else None
    return Grid(affine, dtype, value, False, axis)


def _quant(site: Site, value: str) -> Grid:
    """Return the grid of QONNX's Quant."""
    attributes = site.checked({"signed": INT, "narrow": INT, "rounding_mode": STRING})
    scale, zero_point, bits = (_constant(site, k) for k in (1, 2, 3))
    signed, narrow = (bool(attributes.get(name, 1)) for name in ("signed", "narrow"))
    dtype = integer_type(site, bits, signed)
    of = DType.of(dtype)
    clamp = None
    if narrow:
        clamp = (of.low + 1, of.high) if signed else (0, of.high - 1)
    rounding = rounding_of(site, attributes.get("rounding_mode", "ROUND"))
    affine = _affine(site, scale.astype(np.float32), zero_point, dtype)
    several = [k - scale.ndim for k, n in enumerate(scale.shape) if n > 1]  # from the last axis
    if len(several) > 1:
        raise Unfit(f"the {site.op} {site.node.name} has a scale along {len(several)} axes")
    axis = several[0] if several else None
    return Grid(affine, dtype, value, True, axis, rounding, "raw", clamp)


def rounding_of(site: Site, name: str) -> str:
    """Return QONNX's rounding mode as a specification has it, or refuse it."""
    if name.upper() not in ROUNDINGS:
        raise Unfit(f"the {site.op} {site.node.name} rounds {name}, which no core does")
    return ROUNDINGS[name.upper()]


def integer_type(site: Site, bits: np.ndarray, signed: bool) -> str:
    """Return the type of so many bits, or refuse it."""
    count = float(bits.ravel()[0]) if bits.size == 1 else 0.0
    if not (count.is_integer() and 1 + signed <= count <= MOST_BITS):
        raise Unfit(
            f"the {site.op} {site.node.name} is of {count:g} bits; a core has"
            f" {1 + signed} to {MOST_BITS}"
        )
    return f"{'' if signed else 'u'}int{int(count)}"


def _constant(site: Site, k: int) -> np.ndarray:
    found = site.scope.constant(site.input(k)) if site.input(k) else None
    if found is None:
        raise Unfit(f"the {site.op} {site.node.name} has no constant scale and zero point")
    return np.asarray(found)


def _affine(site: Site, scale: np.ndarray, zero_point: np.ndarray, dtype: str) -> Affine:
    of = DType.of(dtype)
    name = f"the {site.op} {site.node.name}"
    if of.bits > MOST_BITS or of.is_float:
        raise Unfit(f"{name} is of {dtype}; a core takes integers of {MOST_BITS} bits at most")
    if not (scale.size and np.isfinite(scale).all() and (scale > 0).all()):
        raise Unfit(f"{name} has a scale that is not positive")
    zeros = zero_point.astype(np.float64)
    if zeros.size not in (1, scale.size) or not (np.rint(zeros) == zeros).all():
        raise Unfit(f"{name} has zero points that do not fit its scale")
    if not (of.low <= zeros.min() and zeros.max() <= of.high):
        raise Unfit(f"{name} has a zero point beyond {dtype}")
    whole = np.broadcast_to(zeros.astype(np.int64).ravel(), (scale.size,))
    return Affine(scale.ravel(), whole, np.dtype(of.numpy))


def channels_only(grid: Grid, site: Site, rank: int, *, last: bool) -> None:
    """Refuse a grid with a scale for each position."""
    channel = rank - 1 if last else 1
    if grid.axis is not None and grid.axis % rank != channel:
        raise Unfit(
            f"its values have a scale for each place along axis {grid.axis}, so that a window has"
            " several; quantise per tensor or per channel"
        )
    shape = site.shape(last=last)
    if shape is not None and grid.affine.scale.size not in (1, shape[0]):
        raise Unfit(f"its values have {grid.affine.scale.size} scales for {shape[0]} channels")


def ends(grids: Sequence[Grid], op: str) -> tuple[float, float, int, int]:
    """Return the scales and zero points of input and output, the same of all channels.

    Scales of channels are refused unless their ratio is one.
    """
    first, second = (grid.affine for grid in grids)
    scales = np.broadcast_arrays(first.scale, second.scale)
    zeros = np.broadcast_arrays(first.zero_point, second.zero_point)
    ratios = {a / b for a, b in zip(*(each.astype(np.float64) for each in scales), strict=True)}
    if len(ratios) != 1 or any(len(set(each.tolist())) != 1 for each in zeros):
        raise Unfit(
            f"its scales or zero points differ from channel to channel, and a core of {op} has one"
            " factor for all; quantise per tensor"
        )
    return (float(scales[0][0]), float(scales[1][0]), int(zeros[0][0]), int(zeros[1][0]))
