"""The schedule of the innermost axis where a beat holds several adjacent columns.

P columns come in a beat and the Q windows of a *group* leave in one; `ColumnAxis` has the words.
There are two forms, and `column_plan` chooses the cheaper.

`UniformPlan`: a group leaves at a fixed distance from its taps, so it is a fixed function of the
last beats: a history of columns and a `Graph`, with no queue and no multiplexer. Only at a row's
ends some of it is masked: beats of the rows before and after, by their *age*, and columns that are
none of the frame's.

`ApartPlan`: where no two groups take from one beat, what a beat has for each window is reduced
first, and one partial of each is all there is to keep: `AxisPlan` on the axis of groups.

In both a masked value is the identity.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from streampool_golden import Axis, ColumnAxis

from .graph import Graph, Run, share
from .plan import AxisPlan
from .program import Program, Word


@dataclass(frozen=True)
class _Cut:
    """An axis without most of its middle, in which every group is as the one before."""

    short: ColumnAxis
    groups: int = 0  # how many were taken out
    slot: int = 0  # and where

    @classmethod
    def of(cls, axis: ColumnAxis) -> "_Cut":
        """Cut as much as leaves the words as they are."""
        one, step = axis.axis, axis.windows * axis.axis.stride
        reach = one.span + abs(one.before) + abs(one.after) + step + axis.columns
        ends = 4 + 2 * -(-reach // step)
        groups = axis.groups - 2 * ends
        if groups <= 0:
            return cls(axis)
        short = replace(
            one,
            length=one.length - groups * step,
            outputs=one.outputs - groups * axis.windows,
        )
        return cls(replace(axis, axis=short), groups, ends * axis.stride)

    def program(self, words: Sequence[Word], stride: int) -> Program:
        """Fold the words of the short axis, and let the loop run for the rest."""
        program = Program.fold(words, stride)
        if self.groups:
            end = program.length - (len(program.words) - program.stop)
            assert program.start <= self.slot <= end - stride
        return program.lengthened(self.groups * stride)


class _Taps:
    """Where the windows of a group find their taps, those that are real in some group.

    Attributes
    ----------
    runs : list of Run
        For each window of a group its taps, `dilation` apart, by their places: column u of the beat
        f after the group's own stands at ``f * P + u``.
    first, last : int
        The first and the last beat that a group takes from, counted from its own.
    """

    def __init__(self, axis: ColumnAxis):
        self.axis, one = axis, axis.axis
        ends: dict[int, tuple[int, int]] = {}
        for i in range(one.outputs):
            taps, q = one.taps(i), i % axis.windows
            start = i * one.stride - one.before
            low, high = ((x - start) // one.dilation for x in (taps[0], taps[-1]))
            ends[q] = (min(low, ends[q][0]), max(high, ends[q][1])) if q in ends else (low, high)
        self.runs: list[Run] = []
        for q, (low, high) in sorted(ends.items()):
            beat, column = axis.place(q, low)
            self.runs.append((beat * axis.columns + column, high - low + 1))
        places = [place for run in self.runs for place in (run[0], self.end(run))]
        self.first, self.last = min(places) // axis.columns, max(places) // axis.columns

    def end(self, run: Run) -> int:
        """Return the place of a run's last column."""
        return run[0] + (run[1] - 1) * self.axis.axis.dilation

    def of(self, run: Run) -> range:
        """Return the places of a run's columns."""
        return range(run[0], self.end(run) + 1, self.axis.axis.dilation)

    def groups(self) -> list[list[Run]]:
        """Return the runs of each group's windows; the last may have fewer."""
        windows, outputs = self.axis.windows, self.axis.axis.outputs
        return [self.runs[: outputs - first] for first in range(0, outputs, windows)]


class UniformPlan:
    """The schedule in which group g leaves in slot ``stride * g + distance``.

    Attributes
    ----------
    axis : ColumnAxis
        What it is of.
    distance : int
        Slots from a group's own beat, which may be one of another row, to the one it leaves in.
    runs : tuple of Run
        What each window of a group takes: column u of the beat that is `age` slots old stands at
        ``u - age * P``.
    kept : tuple of (int, int)
        The columns that are kept: their age after the slot, from 1 on, and u.
    masked_ages, masked_columns : tuple of int
        The beats, and the columns of a beat as it comes, that have to be masked at a row's ends.
    period, idle : int
        Slots from a row's start to the next one's; those beyond the beats in and out.
    drain, overlap : int
        Slots after a row's last beat until its last group has left, and how many of them may be
        slots of the next row.
    """

    def __init__(self, axis: ColumnAxis):
        self.axis = axis
        self._cut = _Cut.of(axis)
        self._short = short = self._cut.short
        taps = _Taps(short)
        self._groups = [
            [[(taps.last - place // axis.columns, place % axis.columns) for place in taps.of(run)]
             for run in group]
            for group in taps.groups()
        ]  # fmt: skip
        self.distance = taps.last
        shift = taps.last * axis.columns
        self.runs = tuple((first - shift, length) for first, length in taps.runs)
        oldest: defaultdict[int, int] = defaultdict(int)
        for window in self._groups[0]:
            for age, column in window:
                oldest[column] = max(oldest[column], age)
        self.kept = tuple(
            (age, column) for column in sorted(oldest) for age in range(1, oldest[column] + 1)
        )
        slots = axis.stride * (axis.groups - 1) + 1
        self.period = max(axis.beats, slots)
        self.idle = self.period - max(axis.beats, axis.groups)
        self.drain = max(0, self.distance + slots - axis.beats)
        self.overlap = max(0, self.drain - (self.period - axis.beats))
        self.masked_ages, self.masked_columns = self._masks()

    @property
    def leave(self) -> range:
        """The slot in which each group leaves; from the beats of a row on it is the drain."""
        last = self.axis.stride * (self.axis.groups - 1) + self.distance
        return range(self.distance, last + 1, self.axis.stride)

    @property
    def waits(self) -> bool:
        """Whether the next row has to wait for what is left to leave."""
        return self.drain > self.overlap

    @property
    def partials(self) -> int:
        """Columns kept per channel."""
        return len(self.kept)

    @property
    def limit_partials(self) -> int:
        """The most columns kept."""
        return self.axis.limit_partials

    def graph(self, *, idempotent: bool) -> Graph:
        """Return what the windows of a group are reduced from."""
        return share(self.runs, self.axis.axis.dilation, idempotent=idempotent)

    def operations(self, *, idempotent: bool) -> int:
        """Return how many pairs a step reduces, per channel."""
        return self.graph(idempotent=idempotent).operations

    def _slot(self, group: int) -> int:
        return self._short.stride * group + self.distance

    def _is_real(self, beat: int, column: int) -> bool:
        return beat * self.axis.columns + column in self._short.axis.kept

    def _masks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        ages, columns = set(), set()
        for number, group in enumerate(self._groups):
            for age, column in (tap for window in group for tap in window):
                beat = self._slot(number) - age
                if not 0 <= beat < self._short.beats:
                    ages.add(age)
                elif not self._is_real(beat, column):
                    columns.add(column)
        return tuple(sorted(ages)), tuple(sorted(columns))

    def _word(self, group: int) -> Word:
        """Return which ages are masked where a group leaves."""
        taken = {age for window in self._groups[group] for age, _ in window}
        value = care = 0
        for bit, age in enumerate(self.masked_ages):
            if age in taken:
                care |= 1 << bit
                value |= (not 0 <= self._slot(group) - age < self._short.beats) << bit
        return Word(value, care)

    @cached_property
    def program(self) -> Program:
        """What happens in each slot of a row, folded.

        From the lowest bit up: whether a group of this row leaves; which of `masked_ages` are
        masked for it; which of `masked_columns` are, of the beat that comes.
        """
        beats, ages = self._short.beats, len(self.masked_ages)
        leaves = {self._slot(number): number for number in range(len(self._groups))}
        taken = {
            (self._slot(number) - age, column)
            for number, group in enumerate(self._groups)
            for window in group
            for age, column in window
        }
        words = []
        for slot in range(beats):
            masks = self._word(leaves[slot]) if slot in leaves else Word(0, 0)
            value, care = (slot in leaves) | masks.value << 1, 1 | masks.care << 1
            for bit, column in enumerate(self.masked_columns, 1 + ages):
                if (slot, column) in taken:
                    value |= (not self._is_real(slot, column)) << bit
                    care |= 1 << bit
            words.append(Word(value, care))
        return self._cut.program(words, self.axis.stride)

    @cached_property
    def drain_program(self) -> Program:
        """What happens in each slot of a drain: whether a group leaves, and its masked ages."""
        leaves = {self._slot(n) - self._short.beats: n for n in range(len(self._groups))}
        words = []
        for slot in range(self.drain):
            masks = self._word(leaves[slot]) if slot in leaves else Word(0, 0)
            words.append(Word((slot in leaves) | masks.value << 1, 1 | masks.care << 1))
        return Program.fold(words, self.axis.stride)


class ApartPlan:
    """The schedule where no two groups take from one beat: beats are reduced, then groups of them.

    Attributes
    ----------
    axis : ColumnAxis
        What it is of.
    inner : AxisPlan
        The schedule of the groups, on beats in which each window has one value.
    used : tuple of tuple of int
        For each window of a group the columns that it takes in some beat.
    """

    def __init__(self, axis: ColumnAxis):
        assert self.serves(axis)
        self.axis = axis
        self._cut = _Cut.of(axis)
        self._taps = taps = _Taps(self._cut.short)
        if axis.rows > 1:
            groups = Axis.resolve(axis.beats, axis.beats, axis.beats, "valid")
        else:
            after = axis.stride * (axis.groups - 1) + taps.last + 1 - axis.beats
            kernel = taps.last - taps.first + 1
            groups = Axis.resolve(axis.beats, kernel, axis.stride, (-taps.first, after))
        self.inner = AxisPlan(groups)
        self.used = tuple(tuple(np.flatnonzero(each.any(0)).tolist()) for each in self._taken)

    @classmethod
    def serves(cls, axis: ColumnAxis) -> bool:
        """Whether there is such a schedule."""
        taps = _Taps(_Cut.of(axis).short)
        return axis.groups == 1 or taps.last - taps.first < axis.stride

    @property
    def period(self) -> int:
        """Slots from a row's start to the next one's."""
        return self.inner.period

    @property
    def idle(self) -> int:
        """Slots per row beyond the beats in and out."""
        return self.inner.idle

    @property
    def waits(self) -> bool:
        """Whether the next row has to wait for what is left to leave."""
        return self.inner.waits

    @property
    def leave(self) -> tuple[int, ...]:
        """The slot in which each group leaves."""
        return self.inner.leave

    @property
    def partials(self) -> int:
        """Partials kept per channel."""
        return self.inner.partials * self.axis.windows

    @property
    def limit_partials(self) -> int:
        """The most partials kept."""
        return self.inner.axis.limit_partials * self.axis.windows

    def operations(self, *, idempotent: bool) -> int:
        """Return how many pairs a step reduces, per channel: of a beat, and with the partials."""
        return sum(len(used) - 1 for used in self.used) + self.partials

    @cached_property
    def _taken(self) -> list[np.ndarray]:
        """For each window of a group: of each beat of a row, whether it takes each column."""
        short = self._cut.short
        taken = [np.zeros((short.row_beats, short.columns), bool) for _ in self._taps.runs]
        for i in range(short.axis.outputs):
            taps = short.axis.taps(i)
            taken[i % short.windows].reshape(-1)[taps.start : taps.stop : taps.step] = True
        return taken

    @cached_property
    def program(self) -> Program:
        """Which columns are masked in each slot of a row, folded: a bit for each of `used`."""
        short, first, last = self._cut.short, self._taps.first, self._taps.last
        value, care = [], []
        for q, (taken, used) in enumerate(zip(self._taken, self.used, strict=True)):
            matters = np.full(taken.shape, self.axis.rows > 1)
            for group in range(short.groups if self.axis.rows == 1 else 0):
                if group * short.windows + q < short.axis.outputs:
                    own = group * short.stride
                    matters[max(0, own + first) : max(0, own + last + 1)] = True
            value.append((matters & ~taken)[:, used])
            care.append(matters[:, used])
        rows = [
            [
                int.from_bytes(row, "little")
                for row in np.packbits(np.concatenate(bits, 1), 1, "little")
            ]
            for bits in (value, care)
        ]
        return self._cut.program(list(map(Word, *rows)), self.axis.stride)


ColumnPlan = UniformPlan | ApartPlan


def _cost(plan: ColumnPlan, idempotent: bool) -> float:
    """Return what a plan comes to: its operations, and half of the words kept."""
    return plan.operations(idempotent=idempotent) + plan.partials / 2


def column_plan(axis: ColumnAxis, *, idempotent: bool) -> ColumnPlan:
    """Return the form with the fewer idle slots, and of these the cheaper one."""
    if axis.rows > 1:
        return ApartPlan(axis)
    # a history much longer than a beat costs more than any reduction of one
    if axis.stride > 1 and ApartPlan.serves(axis):
        apart = ApartPlan(axis)
        long = axis.limit_partials > 16 * axis.columns * axis.windows
        if not apart.idle and (long or axis.idle_bound):
            return apart
        uniform = UniformPlan(axis)
        return min(uniform, apart, key=lambda form: (form.idle, _cost(form, idempotent)))
    return UniformPlan(axis)
