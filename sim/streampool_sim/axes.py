"""The axes of arrays around the frames that a core takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from streampool_golden import SpecError
from streampool_golden.arrays import as_array, channels_at, channels_back


@dataclass(frozen=True)
class FrameAxes:
    """How arrays of one shape become frames, channels first, and frames become such arrays.

    Frames are counted through all of the axes in `lead`. Where the arrays are `bare` there is no
    axis of channels, which makes it one channel. `channels_at` is as of golden's function.
    """

    lead: tuple[int, ...]
    shape: tuple[int, ...]
    bare: bool
    channels_at: int

    @classmethod
    def of(cls, ndim: int, layout: str | None, arrays: Sequence[Any]) -> "FrameAxes":
        """Return those of arrays, all of one shape, of so many spatial axes."""
        names = ("x",) if len(arrays) == 1 else ("values", "indices")
        first, *others = map(as_array, names, arrays)
        for other in others:
            if other.shape != first.shape:
                raise SpecError(
                    "indices",
                    f"indices must have the shape of values, {first.shape}, not {other.shape}.",
                )
        at = channels_at("values" if others else "x", first, layout, ndim)
        lengths = list(first.shape)
        lengths.insert(at, lengths.pop())
        split = max(0, len(lengths) - ndim - 1)
        bare = len(lengths) == ndim
        shape = (1, *lengths) if bare else tuple(lengths[split:])
        return cls(tuple(lengths[:split]), shape, bare, at)

    def frames(self, array: Any) -> np.ndarray:
        """Return an array as frames, ``(frames, C, *size)``."""
        array = np.moveaxis(np.asarray(array), -1, self.channels_at)
        return array.reshape(int(np.prod(self.lead, dtype=np.int64)), *self.shape)

    def back(self, frames: np.ndarray) -> np.ndarray:
        """Return frames, of any spatial lengths, with the axes that the arrays had."""
        array = frames.reshape(*self.lead, *frames.shape[1 + self.bare :])
        return channels_back(array, self.channels_at)
