"""The stages one after the other: what their theorems together say of a core's beats.

A stage's theorem says which of its beats in a beat out is reduced from. Along the chain these make
up sets of inputs, and each has to be a window of the specification, every input of it once: so
sums count none twice, and what is reduced in another order is the same, as all the operations are
associative and commute.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from streampool_golden import PoolJob

Places = Counter[tuple[int, int]]
"""Beats of a frame, and the columns in them, with how often each is reduced."""


def reduced_from(job: PoolJob, beat: int, column: int) -> Places:
    """Return the inputs that a beat out is reduced from, as the stages' theorems have it."""
    places = Counter({(beat, column): 1})
    for stage in reversed(job.stages):
        before: Places = Counter()
        for (at, where), times in places.items():
            for place in _by_stage(stage, at, where):
                before[place] += times
        places = before
    return places


def _by_stage(stage, beat: int, column: int) -> Iterator[tuple[int, int]]:
    m, along = stage.m, stage.columns
    if along is None:
        run, rest = divmod(beat, stage.along.outputs * m)
        window, row = divmod(rest, m)
        for tap in stage.along.taps(window):
            yield (run * stage.along.length + tap) * m + row, column
        return
    run, rest = divmod(beat, along.groups * m)
    group, row = divmod(rest, m)
    for tap in along.axis.taps(group * along.windows + column):
        for line in range(along.rows):
            at = line * along.row_beats + tap // along.columns
            yield (run * along.beats + at) * m + row, tap % along.columns


def specified(job: PoolJob, window: Iterable[int], group: int) -> Places:
    """Return the inputs of a window, in the beats that the frame's layout has them in."""
    places = [0]
    for index, axis in zip(window, job.axes, strict=True):
        places = [at * axis.length + tap for at in places for tap in axis.taps(index)]
    layout, found = job.layout_in, Counter()
    for place in places:
        line, at = divmod(place, layout.row)
        beat = line * layout.row_beats + at // job.columns * job.fold + group
        found[beat, at % job.columns] += 1
    return found


def place_of(job: PoolJob, window: Iterable[int], group: int) -> tuple[int, int]:
    """Return the beat out, and the column in it, that a window leaves in."""
    place = 0
    for index, axis in zip(window, job.axes, strict=True):
        place = place * axis.outputs + index
    layout = job.layout_out
    line, at = divmod(place, layout.row)
    beat = line * layout.row_beats + at // job.columns_out * job.fold + group
    return beat, at % job.columns_out
