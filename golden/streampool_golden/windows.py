"""Reductions of the windows of arrays whose last axes are spatial, axis by axis."""

import math
from collections.abc import Sequence

import numpy as np

from .geometry import Axis


def reduced(
    combine: np.ufunc, x: np.ndarray, axes: Sequence[Axis], start: np.ndarray
) -> np.ndarray:
    """Return the windows of `x` reduced, one tap of all windows of an axis at a time.

    `start` is what changes no partial, of their type.
    """
    for i in reversed(range(len(axes))):
        out = np.full(_pooled_shape(x, axes, i), start, start.dtype)
        for windows, inputs in axes[i].slices():
            part = out[_along(axes, i, windows)]
            combine(part, x[_along(axes, i, inputs)], out=part)
        x = out
    return x


def first_of_largest(keys: np.ndarray, axes: Sequence[Axis]) -> np.ndarray:
    """Return the row-major position of the largest key of each window, the first of equal ones."""
    size = keys.shape[keys.ndim - len(axes) :]
    order = np.broadcast_to(np.arange(math.prod(size)).reshape(size), keys.shape)
    for i, axis in enumerate(axes):
        # what stands here loses to any tap: to equal keys by its position
        best = np.full(_pooled_shape(keys, axes, i), np.iinfo(np.int64).min)
        first = np.full(best.shape, np.iinfo(np.int64).max)
        for windows, inputs in axis.slices():
            here, there = _along(axes, i, windows), _along(axes, i, inputs)
            key, place = keys[there], order[there]
            wins = (key > best[here]) | ((key == best[here]) & (place < first[here]))
            np.copyto(best[here], key, where=wins)
            np.copyto(first[here], place, where=wins)
        keys, order = best, first
    return order


def _along(axes: Sequence[Axis], i: int, positions: slice) -> tuple:
    """Return the index of some positions along spatial axis `i`, and of all along the others."""
    return (..., positions, *(slice(None),) * (len(axes) - 1 - i))


def _pooled_shape(x: np.ndarray, axes: Sequence[Axis], i: int) -> tuple[int, ...]:
    at = x.ndim - len(axes) + i
    return (*x.shape[:at], axes[i].outputs, *x.shape[at + 1 :])
