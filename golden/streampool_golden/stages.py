"""The stages of a pooling core, in stream order: which axis each pools, and how far apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .columns import ColumnAxis
from .geometry import MOST_POSITIONS, Axis
from .operations import Accumulator


@dataclass(frozen=True)
class StageShape:
    """One stage of the stream: the axis it pools and how far apart its neighbours are.

    Attributes
    ----------
    axis : int
        Index into `PoolJob.axes`.
    m : int
        Beats from a position to the next of that axis, at that point of the stream.
    runs : int
        How often that axis passes in a frame: the positions of the axes outside it there.
    accumulator : Accumulator
        The range of the partials of this stage.
    along : Axis
        What it pools along: that axis, or all as one where the kernel is global.
    columns : ColumnAxis or None
        That axis in beats, where a beat holds several columns of it.
    """

    axis: int
    m: int
    runs: int
    accumulator: Accumulator
    along: Axis
    columns: ColumnAxis | None = None

    @property
    def growth(self) -> int:
        """Slots in which something leaves beyond those in which something comes in."""
        return (self.columns or self.along).growth

    @property
    def idle_bound(self) -> int:
        """The most slots per run beyond those in which something comes in or leaves."""
        return (self.columns or self.along).idle_bound


def stages(
    axes: Sequence[Axis],
    columns: ColumnAxis | None,
    fold: int,
    partial: Callable[[int], Accumulator],
    *,
    whole: bool,
    row_major: bool,
) -> tuple[StageShape, ...]:
    """Return the stages of axes, or of one that all make up where the kernel is `whole`.

    `partial` gives the range of the partials of so many taps; `columns` is the innermost axis in
    beats, where one holds several columns. With `row_major` axes that grow come innermost first,
    too.
    """
    size = [axis.length for axis in axes]
    positions = math.prod(size)
    if whole and 1 < positions <= MOST_POSITIONS:
        one = Axis.resolve(positions, positions, positions, "valid")
        if columns:
            columns = replace(columns, rows=math.prod(size[:-1]))
        return (StageShape(0, fold, 1, partial(positions), one, columns),)
    # what there is to pool of each axis: of several columns a beat in beats
    along = [*axes[:-1], columns or axes[-1]]
    lengths = [*size[:-1], columns.beats if columns else size[-1]]
    growth = [each.growth for each in along]
    found = []
    taps = 1
    order = [i for i in reversed(range(len(axes))) if growth[i] <= 0]
    order += sorted((i for i in range(len(axes)) if growth[i] > 0), reverse=row_major)
    for i in order:
        taps *= axes[i].most_taps
        if not along[i].identity:
            m, runs = fold * math.prod(lengths[i + 1 :]), math.prod(lengths[:i])
            own = columns if along[i] is columns else None
            found.append(StageShape(i, m, runs, partial(taps), axes[i], own))
        lengths[i] += growth[i]
    return tuple(found)
