"""MaxUnpool: pooled values put back where their indices say, zero everywhere else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import fields
from .arrays import FrameAxes, checked, plain
from .dtypes import DType
from .errors import SpecError
from .geometry import MOST_POSITIONS
from .job import Field, Job


def unpool(
    values: Any,
    indices: Any,
    size: Sequence[int],
    *,
    layout: str | None = None,
    indices_base: str = "plane",
    index_size: Sequence[int] | None = None,
) -> np.ndarray:
    """Return an array of zeros with `values` at their `indices`.

    Parameters
    ----------
    values : array_like
        Pooled values, of any type, with the axes that `pool` gives them.
    indices : array_like of int
        One for each value, numbered as `indices_base` says.
    size : sequence of int
        The output's spatial lengths, rows before columns.
    layout : {"NCHW", "NHWC", "NCW", "NWC", "NCDHW", "NDHWC"}, optional
        The order of the axes; channels first by default.
    indices_base : {"plane", "flat", "flat_columns", "channels_last"}, optional
        How indices are numbered, as `PoolSpec.indices`. Torch's MaxUnpool takes ``"plane"``,
        which puts every value into its own plane; ONNX's takes ``"flat"``, which may put it
        into another one.
    index_size : sequence of int, optional
        The spatial lengths of what the indices number, where it is a corner of the output:
        those that ONNX infers where ``output_shape`` asks for more. `size` by default, which is
        what onnxruntime takes them for then, too.

    Returns
    -------
    numpy.ndarray
        Of the type of `values` and in their layout. Of values with one index the last stays,
        in row-major order.

    Raises
    ------
    SpecError
        If the shapes do not fit, indices are no integers, or one is out of range.

    Examples
    --------
    >>> unpool([[7, 3]], [[1, 2]], (4,)).tolist()
    [[0, 7, 3, 0]]
    """
    fields.choice("indices_base", indices_base, fields.BASES)
    sizes = fields.lengths("size", size)
    inner = sizes if index_size is None else fields.lengths("index_size", index_size)
    if len(inner) != len(sizes) or any(n > most for n, most in zip(inner, sizes, strict=False)):
        raise SpecError(
            "index_size",
            f"index_size must be {len(sizes)} lengths that are at most {sizes}, not {inner}.",
        )
    axes = FrameAxes.of(len(sizes), layout, {"values": values, "indices": indices})
    values = axes.frames(values)
    places = _places(axes.frames(indices), indices_base, inner)
    plane, *positions = np.unravel_index(places, (len(places), *inner))
    out = np.zeros((len(places), *sizes), values.dtype)
    # in order, so the last of equal places stays
    out[plane, *positions] = values.reshape(places.shape)
    return axes.back(out.reshape(*values.shape[:2], *sizes))


def plane_indices(
    indices: Any, indices_base: str, size: Sequence[int], *, layout: str | None = None
) -> np.ndarray:
    """Return indices of any base as torch numbers them, which is what an `UnpoolCore` takes.

    It takes what `unpool` takes and refuses what that does, and an index in another plane than its
    value.

    Returns
    -------
    numpy.ndarray of int64
        Of the shape of `indices`: positions in each value's own plane.

    Examples
    --------
    >>> plane_indices([[[3]], [[6]]], "flat_columns", (2, 2)).tolist()  # two channels
    [[[3]], [[1]]]
    """
    fields.choice("indices_base", indices_base, fields.BASES)
    sizes = fields.lengths("size", size)
    axes = FrameAxes.of(len(sizes), layout, {"indices": indices})
    indices = axes.frames(indices)
    planes, positions = np.divmod(_places(indices, indices_base, sizes), math.prod(sizes))
    own = np.broadcast_to(np.arange(len(planes))[:, np.newaxis], planes.shape)
    away = planes != own
    if away.any():
        index = indices.reshape(away.shape)[away][0]
        raise SpecError(
            "indices",
            f"indices must be in their own plane, and with base {indices_base} on {sizes}"
            f" {index}, in plane {own[away][0]}, is in plane {planes[away][0]}.",
        )
    return axes.back(positions.reshape(indices.shape))


@dataclass(frozen=True, init=False)
class UnpoolJob(Job):
    """What a MaxUnpool core has to do: frames of values and indices in, sparse maps out.

    Parameters
    ----------
    shape : tuple of int
        A frame in: channels, then the spatial lengths, ``(C, *size)``.
    size : tuple of int
        The spatial lengths of a frame out. Indices are torch's: positions in its plane.
    lanes : int, optional
        Channels side by side in a beat; the channels, 8 at most, by default.
    dtype : str, optional
        The values' type, ``"int8"`` by default; a `DType` as an attribute.

    Raises
    ------
    SpecError
        If a value is not what it must be.
    """

    shape: tuple[int, ...]
    out_size: tuple[int, ...]
    lanes: int
    dtype: DType

    def __init__(
        self,
        shape: Sequence[int],
        size: Sequence[int],
        lanes: int | None = None,
        dtype: object = "int8",
    ) -> None:
        size = fields.lengths("size", size)
        self._put(op="unpool", kind="MaxUnpool", out_size=size, dtype=DType.of(dtype))
        self._put_frame(shape, len(size), lanes)
        if self.limit_cycles > MOST_POSITIONS:
            raise SpecError(
                "size",
                f"size {size} makes frames of {self.limit_cycles} beats;"
                f" use at most {MOST_POSITIONS}.",
            )

    @property
    def fields_in(self) -> tuple[Field, ...]:
        """Per lane a value and its index, whose port holds one that is out of range too."""
        index = DType.holding(0, math.prod(self.out_size) - 1)
        return Field("data", self.dtype, self.dtype), Field("index", index, self.index_in)

    @property
    def fields_out(self) -> tuple[Field, ...]:
        """Per lane a value."""
        return (Field("data", self.dtype, self.dtype),)

    @cached_property
    def index_in(self) -> DType:
        """The type of an index at the core: wide enough for one that is out of range."""
        return DType.holding(0, math.prod(self.out_size))

    def to_json(self) -> dict[str, Any]:
        """Return what makes it, and ``"op": "unpool"``, as a dict that `json.dumps` takes."""
        return {
            "op": self.op,
            "shape": list(self.shape),
            "size": list(self.out_size),
            "lanes": self.lanes,
            "dtype": self.dtype.name,
        }

    def reference(self, *arrays: Any) -> tuple[np.ndarray, ...]:
        """Return what `unpool` makes of the values and indices of frames."""
        values, indices = arrays
        values = checked(self.dtype, self._frames("values", values))
        return (unpool(values, self._frames("indices", indices), self.out_size),)


def _places(indices: np.ndarray, base: str, size: tuple[int, ...]) -> np.ndarray:
    """Return indices of frames as row-major positions in all planes, one row per plane."""
    indices = plain(indices)
    if indices.dtype.kind not in "iu":
        raise SpecError("indices", f"indices must be integers, not {indices.dtype}.")
    frames, channels, *pooled = indices.shape
    planes, area = frames * channels, math.prod(size)
    indices = indices.reshape(planes, math.prod(pooled))
    plane = np.arange(planes)[:, np.newaxis]
    # what one number counts: a plane, a frame of channels, or all that there is
    count = {"plane": area, "channels_last": area * channels}.get(base, area * planes)
    if indices.size:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= count:
            raise SpecError(
                "indices",
                f"indices must be from 0 to {count - 1} on {size} with base {base}, and one is"
                f" {low if low < 0 else high}.",
            )
    indices = indices.astype(np.int64)
    if base == "plane":
        return plane * area + indices
    if base == "channels_last":
        position, channel = np.divmod(indices, channels)
        return ((plane // channels) * channels + channel) * area + position
    if base == "flat_columns":
        plane, position = np.divmod(indices, area)
        by_columns = np.unravel_index(position, size, order="F")
        return plane * area + np.ravel_multi_index(by_columns, size)
    return indices
