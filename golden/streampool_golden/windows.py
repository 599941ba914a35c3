"""Reductions of the windows of arrays whose last axes are spatial, axis by axis."""

import math
from collections.abc import Sequence

import numpy as np

from .geometry import Axis

MOST_RANKED = 1 << 30
"""Positions of a plane that fit in one int64 with a key."""


def reduced(
    combine: np.ufunc, x: np.ndarray, axes: Sequence[Axis], start: np.ndarray
) -> np.ndarray:
    """Return the windows of `x` reduced, one tap of all windows of an axis at a time.

    `start` is what changes no partial, of their type.
    """
    for i in reversed(range(len(axes))):
        at, inner = x.ndim - len(axes) + i, (slice(None),) * (len(axes) - 1 - i)
        shape = (*x.shape[:at], axes[i].outputs, *x.shape[at + 1 :])
        out = np.full(shape, start, start.dtype)
        for windows, inputs in axes[i].slices():
            part = out[(..., windows, *inner)]
            combine(part, x[(..., inputs, *inner)], out=part)
        x = out
    return x


def first_of_largest(keys: np.ndarray, axes: Sequence[Axis]) -> np.ndarray:
    """Return the row-major position of the largest key of each window, the first of equal ones.

    A key is of at most 32 bits and a sign.
    """
    size = keys.shape[keys.ndim - len(axes) :]
    count = math.prod(size)
    kind = np.int64 if count < MOST_RANKED else object
    later = np.arange(count - 1, -1, -1).reshape(size)
    ranked = reduced(np.maximum, keys.astype(kind) * count + later, axes, np.array(-1 << 63, kind))
    return (count - 1 - ranked % count).astype(np.int64)
