"""How frames cross a stream: beats of a number of lanes, in raster order."""

import math
from collections.abc import Sequence

from . import fields
from .errors import SpecError, shown

DEFAULT_LANES = 8


class Frames:
    """Frames of one shape in, and of one shape out, a number of channels to a beat.

    Attributes
    ----------
    shape : tuple of int
        A frame in: channels, then the spatial lengths.
    out_size : tuple of int
        The spatial lengths of a frame out.
    lanes : int
        Channels side by side in a beat.
    """

    shape: tuple[int, ...]
    out_size: tuple[int, ...]
    lanes: int

    def _put_frame(self, shape: Sequence[int], ndim: int, lanes: int | None) -> None:
        """Set `shape` and `lanes` of a frozen instance, or refuse them."""
        wanted = f"{ndim + 1} positive integers, the channels first"
        if not fields.is_sequence(shape) or len(shape) != ndim + 1:
            raise SpecError("shape", f"shape must be {wanted}, not {shown(shape)}.")
        normal = tuple(fields.integer("shape", n, 1, what=wanted) for n in shape)
        lanes = min(normal[0], DEFAULT_LANES) if lanes is None else lanes
        object.__setattr__(self, "shape", normal)
        object.__setattr__(
            self, "lanes", fields.integer("lanes", lanes, 1, what="a positive integer")
        )

    @property
    def size(self) -> tuple[int, ...]:
        """The spatial lengths of a frame in."""
        return self.shape[1:]

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Channels, then the spatial lengths of a frame out."""
        return self.shape[:1] + self.out_size

    @property
    def fold(self) -> int:
        """Beats of a position: ceil(channels / lanes)."""
        return -(-self.shape[0] // self.lanes)

    @property
    def beats_in(self) -> int:
        """Beats of a frame in."""
        return self.fold * math.prod(self.size)

    @property
    def beats_out(self) -> int:
        """Beats of a frame out."""
        return self.fold * math.prod(self.out_size)

    @property
    def limit_cycles(self) -> int:
        """The fewest cycles that a frame can take: its beats in or out, the more of them."""
        return max(self.beats_in, self.beats_out)
