"""What a core is made for: frames of one shape in and out, how they cross a stream, and indices."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import fields
from .arrays import as_array
from .beats import BeatLayout
from .dtypes import DType
from .errors import SpecError

DEFAULT_LANES = 8


@dataclass(frozen=True)
class Field:
    """One of the things that a lane carries.

    Parameters
    ----------
    name : {"data", "index"}
        What it is.
    dtype : DType
        The type of what is right there.
    port : DType
        The type at a core's port: wider than `dtype` where a wrong value has to be told.
    """

    name: str
    dtype: DType
    port: DType


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


class Job(ABC):
    """What a core computes on frames of one shape, with some channels per beat.

    Attributes
    ----------
    op : str
        The operation: one of `OPERATIONS`, or ``"unpool"``.
    kind : str
        What it does in a word or two: ``"max pooling"``.
    shape : tuple of int
        A frame in: channels, then the spatial lengths.
    out_size : tuple of int
        The spatial lengths of a frame out.
    lanes : int
        Channels side by side in a beat.
    columns, columns_out : int
        Adjacent positions side by side in a beat in, and in a beat out.
    """

    op: str
    kind: str
    shape: tuple[int, ...]
    out_size: tuple[int, ...]
    lanes: int
    columns: int = 1
    columns_out: int = 1

    def _put(self, **values: object) -> None:
        """Set attributes of a frozen instance."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _put_frame(self, shape: Sequence[int], ndim: int, lanes: int | None) -> None:
        """Set `shape` and `lanes`, or refuse them."""
        wanted = f"{ndim + 1} positive integers, the channels first, up to {fields.MOST}"
        shape = fields.lengths("shape", shape, wanted, (ndim + 1,))
        lanes = min(shape[0], DEFAULT_LANES) if lanes is None else lanes
        lanes = fields.integer("lanes", lanes, 1, what=f"a positive integer up to {fields.MOST}")
        self._put(shape=shape, lanes=lanes)

    @property
    @abstractmethod
    def fields_in(self) -> tuple[Field, ...]:
        """What a lane carries in; the first is the value."""

    @property
    @abstractmethod
    def fields_out(self) -> tuple[Field, ...]:
        """What a lane carries out; the first is the value."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what it computes as a dict that `json.dumps` takes, with ``"op"``."""

    @abstractmethod
    def reference(self, *arrays: Any) -> tuple[np.ndarray, ...]:
        """Return what leaves for frames in: one array per field, in and out.

        Parameters
        ----------
        *arrays : array_like, shape (frames, C, *size)
            One for each of `fields_in`.

        Returns
        -------
        tuple of ndarray, shape (frames, C, *out_size)
            One for each of `fields_out`; indices as int64, those within a frame.

        Raises
        ------
        SpecError
            If an array is not of that shape, or has a value that its field does not hold.
        """

    @property
    def title(self) -> str:
        """What it computes on what, in one line."""
        shapes = ("x".join(map(str, shape)) for shape in (self.shape, self.out_shape))
        return f"{self.kind} of {' to '.join(shapes)}, {self.side_by_side} of {self.input}"

    @property
    def side_by_side(self) -> str:
        """What is side by side in a beat: ``"2 lanes"``, ``"4 to 2 columns x 1 lane"``."""
        lanes = f"{self.lanes} lane{'s'[: self.lanes > 1]}"
        if not self.has_columns:
            return lanes
        sides = dict.fromkeys((self.columns, self.columns_out))  # once, where they are the same
        return f"{' to '.join(map(str, sides))} columns x {lanes}"

    @property
    def has_columns(self) -> bool:
        """Whether a beat, in or out, holds more than one column."""
        return max(self.columns, self.columns_out) > 1

    @property
    def warnings(self) -> list[str]:
        """What works but may not be meant, a sentence each."""
        return []

    @property
    def index_step(self) -> int:
        """What a frame adds to the indices that leave, where many frames are one array."""
        return 0

    @property
    def input(self) -> DType:
        """The type of the values that come in."""
        return self.fields_in[0].dtype

    @property
    def output(self) -> DType:
        """The type of the values that leave."""
        return self.fields_out[0].dtype

    @property
    def size(self) -> tuple[int, ...]:
        """The spatial lengths of a frame in."""
        return self.shape[1:]

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Channels, then the spatial lengths of a frame out."""
        return self.shape[:1] + self.out_size

    @property
    def layout_in(self) -> BeatLayout:
        """How a frame in is cut into beats."""
        return self._layout(self.size, self.columns)

    @property
    def layout_out(self) -> BeatLayout:
        """How a frame out is cut into beats."""
        return self._layout(self.out_size, self.columns_out)

    def _layout(self, size: Sequence[int], columns: int) -> BeatLayout:
        rows = math.prod(size[:-1])
        return BeatLayout(self.shape[0], math.prod(size), self.lanes, columns, rows)

    @property
    def fold(self) -> int:
        """Beats per position; see `BeatLayout`."""
        return self.layout_in.fold

    @property
    def beats_in(self) -> int:
        """Beats per frame in."""
        return self.layout_in.beats

    @property
    def beats_out(self) -> int:
        """Beats per frame out."""
        return self.layout_out.beats

    @property
    def limit_cycles(self) -> int:
        """The fewest cycles that a frame can take: its beats in or out, the more of them."""
        return max(self.beats_in, self.beats_out)

    @property
    def cycles_bound(self) -> int:
        """The most cycles that a frame takes by its schedule in the steady state."""
        return self.limit_cycles

    def counted_on(self, values: np.ndarray, *indices: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return what left for frames, its indices counted on from frame to frame."""
        steps = np.arange(len(values)) * self.index_step
        steps = steps.reshape(-1, *(1,) * len(self.shape))
        return values, *(array + steps for array in indices)

    def _frames(self, field: str, array: Any) -> np.ndarray:
        """Return frames in as an array, or refuse their shape."""
        array = as_array(field, array)
        if array.shape[1:] != self.shape or array.ndim != len(self.shape) + 1:
            raise SpecError(
                field, f"{field} must have the shape (frames, *{self.shape}), not {array.shape}."
            )
        return array
