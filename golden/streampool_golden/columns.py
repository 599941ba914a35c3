"""Several columns a beat: the innermost axis, in beats."""

from dataclasses import dataclass
from math import gcd

from .errors import SpecError
from .fields import integer
from .geometry import Axis

SPARE = 64
"""Columns that a beat may have however short a row is."""


@dataclass(frozen=True)
class ColumnAxis:
    """The innermost axis where a beat holds some adjacent columns in, and some windows out.

    A *group* is the windows of a beat out: group g is the windows ``g * windows ...``. As
    ``windows * axis.stride`` is a multiple of `columns`, every group finds its taps where the one
    before does, `stride` beats later. So in beats the axis is again an axis, whose windows are the
    groups. With one group alone there is nothing to be the same.

    Parameters
    ----------
    axis : Axis
        What is pooled along, in columns.
    columns : int
        P, columns of a beat in.
    windows : int
        Q, windows of a beat out.
    rows : int, optional
        Rows that are one axis together, as with a global kernel, whose only window takes them all.
    """

    axis: Axis
    columns: int
    windows: int
    rows: int = 1

    @property
    def row_beats(self) -> int:
        """Beats that a row comes in, per channel group."""
        return -(-self.axis.length // self.columns)

    @property
    def beats(self) -> int:
        """Beats in, per channel group: those of all rows that are one axis."""
        return self.row_beats * self.rows

    @property
    def groups(self) -> int:
        """Beats out, per channel group."""
        return -(-self.axis.outputs // self.windows)

    @property
    def stride(self) -> int:
        """Beats from a group to the next one."""
        return self.windows * self.axis.stride // self.columns if self.groups > 1 else self.beats

    @property
    def identity(self) -> bool:
        """Whether a beat goes on as it is."""
        return self.axis.identity and self.columns == self.windows

    @property
    def growth(self) -> int:
        """Beats that leave beyond those that come in; below 0 where fewer do."""
        return self.groups - self.beats

    @property
    def idle_bound(self) -> int:
        """The most slots per row beyond the beats in and out: where groups leave `stride` apart.

        0 where the stride is 1, and where there are at most ceil(N / S) windows.
        """
        slots = self.stride * (self.groups - 1) + 1
        return max(0, slots - max(self.beats, self.groups))

    @property
    def limit_partials(self) -> int:
        """The most columns that are kept after a slot: (Q - 1) S + (K - 1) d."""
        axis = self.axis
        return (self.windows - 1) * axis.stride + (axis.kernel - 1) * axis.dilation

    def place(self, window: int, tap: int) -> tuple[int, int]:
        """Return the beat, counted from the group's own, and the column of a tap of a window."""
        axis = self.axis
        return divmod(window * axis.stride - axis.before + tap * axis.dilation, self.columns)


def check_columns(field: str, columns: object, there: int) -> int:
    """Return the columns of a beat, or the windows, of which a row has so many.

    More than those that are there are possible, but only few: all of the rest is spare.
    """
    most = max(there, SPARE)
    return integer(field, columns, 1, most, f"an integer from 1 to {most}, for rows of {there}")


def windows_out(axis: Axis, columns: int, wanted: int | None = None) -> int:
    """Return the windows of a beat out, or refuse those that are wanted.

    By default they are the fewest with which all groups find their taps alike; with these a row
    leaves as fast as it comes.
    """
    fewest = columns // gcd(columns, axis.stride)
    if wanted is None:
        return min(fewest, axis.outputs)
    if wanted % fewest and wanted < axis.outputs:
        all_of_them = f", or {axis.outputs}, all of a row" if axis.outputs % fewest else ""
        raise SpecError(
            "columns_out",
            f"columns_out {wanted} does not fit stride {axis.stride} at {columns} columns a beat:"
            f" beats out would differ in where their windows lie; use a multiple of"
            f" {fewest}{all_of_them}.",
        )
    return wanted
