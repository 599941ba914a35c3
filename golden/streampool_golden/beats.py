"""Which channels and positions cross a stream in a beat, in which order."""

from dataclasses import dataclass

import numpy as np

from .errors import SpecError


@dataclass(frozen=True)
class BeatLayout:
    """How frames of one shape are cut into beats.

    A beat holds `lanes` channels of each of `columns` adjacent positions. Positions go in raster
    order, the channel groups of a position one after the other. With one column a beat, beat b is
    position ``b // fold`` and channel group ``b % fold``; with more, each row begins a beat of its
    own. Value v of a beat is column ``v // lanes`` and lane ``v % lanes`` of it. Where `lanes` does
    not divide `channels`, the last lanes of the last group are spare; where `columns` does not
    divide a row, so are the last columns of its last beats.

    Parameters
    ----------
    channels : int
        Channels of a frame.
    positions : int
        Positions of a frame: the product of its spatial lengths.
    lanes : int
        Channels side by side in a beat.
    columns : int, optional
        Positions side by side in a beat.
    rows : int, optional
        Rows that the positions are cut into; of no meaning with one column a beat.
    """

    channels: int
    positions: int
    lanes: int
    columns: int = 1
    rows: int = 1

    def __post_init__(self) -> None:
        if self.columns < 1:
            raise SpecError("columns", f"columns must be 1 or more, not {self.columns}.")
        if self.columns == 1:  # each position begins a beat anyway
            object.__setattr__(self, "rows", self.positions)

    @property
    def fold(self) -> int:
        """Beats per position, or `columns` positions: ceil(channels / lanes)."""
        return -(-self.channels // self.lanes)

    @property
    def row(self) -> int:
        """Positions of a row; 1 with one column a beat."""
        return self.positions // self.rows

    @property
    def row_beats(self) -> int:
        """Beats per row: ceil(row / columns) * fold."""
        return -(-self.row // self.columns) * self.fold

    @property
    def beats(self) -> int:
        """Beats per frame."""
        return self.rows * self.row_beats

    @property
    def values(self) -> int:
        """Values side by side in a beat, those that are spare included."""
        return self.columns * self.lanes

    @property
    def spare_lanes(self) -> int:
        """Lanes of the last channel group that carry no channel, the highest ones."""
        return self.fold * self.lanes - self.channels

    @property
    def spare_columns(self) -> int:
        """Columns of a row's last beats that carry no position, the highest ones."""
        return -self.row % self.columns

    @property
    def spare(self) -> np.ndarray:
        """Whether a value of a beat is spare: bool, of shape ``(row_beats, values)``.

        With one column a beat that is ``(fold, lanes)``.
        """
        lane = np.arange(self.fold * self.lanes) >= self.channels
        column = np.arange(self.row + self.spare_columns) >= self.row
        return self._cut(column[np.newaxis, :, np.newaxis] | lane)[0]

    def _cut(self, positions: np.ndarray) -> np.ndarray:
        """Cut rows, ``(rows, padded positions, padded channels)``, into their beats."""
        cut = positions.reshape(len(positions), -1, self.columns, self.fold, self.lanes)
        return cut.swapaxes(2, 3).reshape(len(positions), self.row_beats, self.values)

    def position(self, beat: int, value: int = 0) -> int | None:
        """Return the position of a value of a beat, in raster order; None where it is spare."""
        row, beat = divmod(beat, self.row_beats)
        column = beat // self.fold * self.columns + value // self.lanes
        return row * self.row + column if column < self.row else None

    def channel(self, beat: int, value: int) -> int | None:
        """Return the channel of a value of a beat; None where its lane is spare."""
        channel = beat % self.fold * self.lanes + value % self.lanes
        return channel if channel < self.channels else None

    def pack(self, frames: np.ndarray, fill: np.ndarray | None = None) -> np.ndarray:
        """Return frames cut into beats.

        Parameters
        ----------
        frames : ndarray, shape (frames, channels, *size)
            Frames, channels first.
        fill : ndarray of ``frames * rows * spare.sum()`` values, optional
            What the spare values hold, in the order of beats; 0 by default.

        Returns
        -------
        ndarray, shape (frames, beats, values)
            Of the type of `frames`.
        """
        rows = len(frames) * self.rows
        padded = self.row + self.spare_columns, self.fold * self.lanes
        beats = np.zeros((rows, *padded), frames.dtype)
        flat = frames.reshape(len(frames), self.channels, self.rows, self.row)
        flat = flat.transpose(0, 2, 3, 1).reshape(rows, self.row, self.channels)
        beats[:, : self.row, : self.channels] = flat
        beats = self._cut(beats)
        if fill is not None:
            beats[:, self.spare] = fill.reshape(rows, -1)
        return beats.reshape(len(frames), self.beats, self.values)

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Return beats, in the order in which they came, as frames; spare values are left out.

        Parameters
        ----------
        beats : ndarray, shape (frames * beats, values) or (frames, beats, values)

        Returns
        -------
        ndarray, shape (frames, channels, positions)
        """
        cut = beats.reshape(-1, self.fold, self.columns, self.lanes).swapaxes(1, 2)
        padded = self.row + self.spare_columns, self.fold * self.lanes
        flat = cut.reshape(-1, self.rows, *padded)[:, :, : self.row, : self.channels]
        flat = flat.reshape(-1, self.positions, self.channels)
        return np.ascontiguousarray(flat.transpose(0, 2, 1))

    @property
    def beat_order(self) -> str:
        """Which position a beat is, in words."""
        if self.columns > 1:
            each = f" // {self.fold}" if self.fold > 1 else ""
            beat = f"b % {self.row_beats}" if self.rows > 1 else "b"
            if self.rows > 1 and each:
                beat = f"({beat})"
            row = f"row b // {self.row_beats}, " if self.rows > 1 else ""
            return (
                f"beat b of a frame is {row}columns {beat}{each} * {self.columns} onwards,"
                " rows in raster order"
            )
        position = f"b // {self.fold}" if self.fold > 1 else "b"
        return f"beat b of a frame is position {position}, positions in raster order"

    @property
    def lane_order(self) -> str:
        """Which channel a lane carries, in words; with several columns, which value is which."""
        channel = f"(b % {self.fold}) * {self.lanes} + l" if self.fold > 1 else "l"
        if self.columns > 1:
            lane = f"v % {self.lanes}" if self.lanes > 1 else "0"
            column = f"v // {self.lanes}" if self.lanes > 1 else "v"
            return (
                f"value v of a beat is its column {column} and lane {lane};"
                f" lane l of beat b is channel {channel}"
            )
        return f"lane l of beat b is channel {channel}"
