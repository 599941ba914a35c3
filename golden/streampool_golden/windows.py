"""Reductions of the windows of arrays of integers, axis by axis."""

from collections.abc import Sequence

import numpy as np

from .geometry import Axis


def reduced(combine: np.ufunc, x: np.ndarray, axis: Axis, at: int, start: np.ndarray) -> np.ndarray:
    """Return `x` reduced along its axis `at`, one tap of all windows at a time.

    `start` is what changes no partial, of their type.
    """
    out = np.full((*x.shape[:at], axis.outputs, *x.shape[at + 1 :]), start, start.dtype)
    before = (slice(None),) * at
    for windows, inputs in axis.slices():
        part = out[(*before, windows)]
        combine(part, x[(*before, inputs)], out=part)
    return out


def first_of_largest(keys: np.ndarray, axes: Sequence[Axis]) -> np.ndarray:
    """Return the row-major position of the largest key of each window, the first of equal ones."""
    size = keys.shape[1:]
    order = np.broadcast_to(np.arange(np.prod(size, dtype=np.int64)).reshape(size), keys.shape)
    for i, axis in enumerate(axes):
        at = 1 + i
        shape = (*keys.shape[:at], axis.outputs, *keys.shape[at + 1 :])
        # what stands here loses to any tap: to equal keys by its position
        best = np.full(shape, np.iinfo(np.int64).min)
        first = np.full(shape, np.iinfo(np.int64).max)
        for windows, inputs in axis.slices():
            here, there = (slice(None),) * at + (windows,), (slice(None),) * at + (inputs,)
            key, place = keys[there], order[there]
            wins = (key > best[here]) | ((key == best[here]) & (place < first[here]))
            best[here] = np.where(wins, key, best[here])
            first[here] = np.where(wins, place, first[here])
        keys, order = best, first
    return order
