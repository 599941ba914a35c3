"""MaxUnpool: pooled values put back where their indices say, zero everywhere else."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import fields
from .arrays import as_array, channels_at, plain
from .errors import SpecError
from .indices import BASES


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
    fields.choice("indices_base", indices_base, BASES)
    sizes = fields.lengths("size", size)
    inner = sizes if index_size is None else fields.lengths("index_size", index_size)
    if len(inner) != len(sizes) or any(n > most for n, most in zip(inner, sizes, strict=False)):
        raise SpecError(
            "index_size",
            f"index_size must be {len(sizes)} lengths that are at most {sizes}, not {inner}.",
        )
    values, indices = as_array("values", values), as_array("indices", indices)
    if values.shape != indices.shape:
        raise SpecError(
            "indices",
            f"indices must have the shape of values, {values.shape}, not {indices.shape}.",
        )
    values, at = _channels_first("values", values, layout, len(sizes))
    indices, _ = _channels_first("indices", indices, layout, len(sizes))
    lead = values.shape[: values.ndim - len(sizes)]
    planes = math.prod(lead)
    values, indices = (_planes(a, len(sizes)) for a in (values, indices))
    channels = lead[-1] if lead else 1
    places = _places(indices, indices_base, channels, inner)
    plane, *positions = np.unravel_index(places, (planes, *inner))
    out = np.zeros((planes, *sizes), values.dtype)
    out[plane, *positions] = values  # in order, so the last of equal places stays
    out = out.reshape(*lead, *sizes)
    return out if at is None else np.moveaxis(out, at, -1)


def plane_indices(
    indices: Any, indices_base: str, size: Sequence[int], *, layout: str | None = None
) -> np.ndarray:
    """Return indices of any base as torch numbers them, which is what an `UnpoolCore` takes.

    Parameters
    ----------
    indices, indices_base, size, layout
        As `unpool` takes them.

    Returns
    -------
    numpy.ndarray of int64
        Of the shape of `indices`: positions in each value's own plane.

    Raises
    ------
    SpecError
        As `unpool`, and if an index is in another plane than its value.

    Examples
    --------
    >>> plane_indices([[[3]], [[6]]], "flat_columns", (2, 2)).tolist()  # two channels
    [[[3]], [[1]]]
    """
    fields.choice("indices_base", indices_base, BASES)
    sizes = fields.lengths("size", size)
    first, at = _channels_first("indices", as_array("indices", indices), layout, len(sizes))
    lead, rows = first.shape[: first.ndim - len(sizes)], _planes(first, len(sizes))
    places = _places(rows, indices_base, lead[-1] if lead else 1, sizes)
    planes, positions = np.divmod(places, math.prod(sizes))
    own = np.broadcast_to(np.arange(len(rows))[:, np.newaxis], planes.shape)
    away = planes != own
    if away.any():
        raise SpecError(
            "indices",
            f"indices must be in their own plane, and with base {indices_base} on {sizes}"
            f" {rows[away][0]}, in plane {own[away][0]}, is in plane {planes[away][0]}.",
        )
    positions = positions.reshape(first.shape)
    return positions if at is None else np.moveaxis(positions, at, -1)


def _channels_first(
    field: str, array: np.ndarray, layout: str | None, axes: int
) -> tuple[np.ndarray, int | None]:
    """Return an array with its channels before the spatial axes, and where, if they were last."""
    at = channels_at(field, array, layout, axes)
    return (array, None) if at is None else (np.moveaxis(array, -1, at), at)


def _planes(array: np.ndarray, axes: int) -> np.ndarray:
    """Return an array with a row for each plane of its last axes."""
    at = array.ndim - axes
    return array.reshape(math.prod(array.shape[:at]), math.prod(array.shape[at:]))


def _places(indices: np.ndarray, base: str, channels: int, size: tuple[int, ...]) -> np.ndarray:
    """Return indices, one row a plane, as row-major positions in an array of all planes."""
    indices = plain(indices)
    if indices.dtype.kind not in "iu":
        raise SpecError("indices", f"indices must be integers, not {indices.dtype}.")
    planes, area = len(indices), math.prod(size)
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
