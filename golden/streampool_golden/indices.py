"""How a maximum's position is numbered: the frameworks' index bases."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BASES = ("plane", "flat", "flat_columns", "channels_last")
"""Index bases: torch's; ONNX's with ``storage_order`` 0 and 1; TensorFlow's.

On C channels of H x W, channel c of row y and column x is, in this order, ``y * W + x``,
``c * H * W + y * W + x``, ``c * H * W + x * H + y`` and ``(y * W + x) * C + c``.
"""


@dataclass(frozen=True)
class Numbering:
    """An index base on frames of one shape: a weighted sum of where something is.

    Parameters
    ----------
    weights : tuple of int
        What a step along each spatial axis adds, rows first.
    channel : int
        What a channel adds.
    frame : int
        What a frame adds, where many frames are one array; a core knows of one.
    last : int
        The largest index within a frame.
    """

    weights: tuple[int, ...]
    channel: int
    frame: int
    last: int

    @classmethod
    def of(cls, base: str, shape: Sequence[int]) -> "Numbering":
        """Return that of `base` on frames of ``(C, *size)``."""
        channels, *size = shape
        plane = math.prod(size)
        by_rows = tuple(math.prod(size[i + 1 :]) for i in range(len(size)))
        by_columns = tuple(math.prod(size[:i]) for i in range(len(size)))
        weights, channel, frame = {
            "plane": (by_rows, 0, 0),
            "flat": (by_rows, plane, channels * plane),
            "flat_columns": (by_columns, plane, channels * plane),
            "channels_last": (tuple(channels * weight for weight in by_rows), 1, 0),
        }[base]
        last = sum((n - 1) * w for n, w in zip(size, weights, strict=True))
        return cls(weights, channel, frame, last + (channels - 1) * channel)

    def numbers(self, positions: Sequence[np.ndarray]) -> np.ndarray:
        """Return the indices, int64, of the given positions along the axes, in channel 0."""
        numbers = np.zeros((), dtype=np.int64)
        for weight, position in zip(self.weights, positions, strict=True):
            numbers = numbers + weight * position
        return numbers
