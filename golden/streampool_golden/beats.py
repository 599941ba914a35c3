"""Which channels and positions cross a stream in a beat, in which order."""

from dataclasses import dataclass

import numpy as np

from .errors import SpecError


@dataclass(frozen=True)
class BeatLayout:
    """How frames of one shape are cut into beats.

    A beat holds `lanes` channels of one position. Positions go in raster order, the channel
    groups of a position one after the other: beat b is position ``b // fold`` and channel group
    ``b % fold``. Where `lanes` does not divide `channels`, the last lanes of the last group are
    spare.

    Parameters
    ----------
    channels : int
        Channels of a frame.
    positions : int
        Positions of a frame: the product of its spatial lengths.
    lanes : int
        Channels side by side in a beat.
    columns : int, optional
        Positions side by side in a beat: 1, else it is refused.
    """

    channels: int
    positions: int
    lanes: int
    columns: int = 1

    def __post_init__(self) -> None:
        if self.columns != 1:
            raise SpecError("columns", f"columns must be 1, not {self.columns}.")

    @property
    def fold(self) -> int:
        """Beats per position: ceil(channels / lanes)."""
        return -(-self.channels // self.lanes)

    @property
    def beats(self) -> int:
        """Beats per frame."""
        return self.fold * self.positions

    @property
    def spare_lanes(self) -> int:
        """Lanes of the last channel group that carry no channel, the highest ones."""
        return self.fold * self.lanes - self.channels

    @property
    def spare(self) -> np.ndarray:
        """Whether a lane carries no channel: bool, of shape ``(fold, lanes)``."""
        return (np.arange(self.fold * self.lanes) >= self.channels).reshape(self.fold, self.lanes)

    def position(self, beat: int, lane: int = 0) -> int:
        """Return the position of a beat of a frame, in raster order; of all lanes alike."""
        return beat // self.fold

    def channel(self, beat: int, lane: int) -> int | None:
        """Return the channel that a lane of a beat carries; None where the lane is spare."""
        channel = beat % self.fold * self.lanes + lane
        return channel if channel < self.channels else None

    def pack(self, frames: np.ndarray, fill: np.ndarray | None = None) -> np.ndarray:
        """Return frames cut into beats.

        Parameters
        ----------
        frames : ndarray, shape (frames, channels, *size)
            Frames, channels first.
        fill : ndarray, shape (frames, positions, spare_lanes), optional
            What the spare lanes hold; 0 by default.

        Returns
        -------
        ndarray, shape (frames, beats, lanes)
            Of the type of `frames`.
        """
        count = len(frames)
        beats = np.zeros((count, self.positions, self.fold * self.lanes), frames.dtype)
        if fill is not None:
            beats[:, :, self.channels :] = fill
        flat = frames.reshape(count, self.channels, self.positions)
        beats[:, :, : self.channels] = flat.transpose(0, 2, 1)
        return beats.reshape(count, self.beats, self.lanes)

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Return beats, in the order in which they came, as frames; spare lanes are left out.

        Parameters
        ----------
        beats : ndarray, shape (frames * beats, lanes) or (frames, beats, lanes)

        Returns
        -------
        ndarray, shape (frames, channels, positions)
        """
        flat = beats.reshape(-1, self.positions, self.fold * self.lanes)[:, :, : self.channels]
        return np.ascontiguousarray(flat.transpose(0, 2, 1))

    @property
    def beat_order(self) -> str:
        """Which position a beat is, in words."""
        position = f"b // {self.fold}" if self.fold > 1 else "b"
        return f"beat b of a frame is position {position}, positions in raster order"

    @property
    def lane_order(self) -> str:
        """Which channel a lane carries, in words."""
        channel = f"(b % {self.fold}) * {self.lanes} + l" if self.fold > 1 else "l"
        return f"lane l of beat b is channel {channel}"
