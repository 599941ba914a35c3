"""A run-time core's stage, clock by clock in plain Python, with partials that say what is in them.

Written from docs/runtime.md. A partial is (frame, position, taps): any mix-up of frames, positions
or taps shows, and so does a word that is read before it is written. Each leaves with its kind.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from streampool_golden import Axis
from streampool_hw.runtime.job import StageJob
from streampool_hw.runtime.maxima import StageMaxima

Partial = tuple[Any, ...]
NOTHING: Partial = ("nothing",)


@dataclass
class Stage:
    """Two stores, addressed from the slot's start; a program; what is left of the frame before."""

    most: StageMaxima
    clock: int = 0
    out: list[tuple[Partial, int]] = field(default_factory=list)
    waited: int = 0

    def __post_init__(self) -> None:
        blank = [("rubbish",)] * self.most.partials
        self._store = [blank] * self.most.m
        self._finished = [blank] * self.most.m
        self._writes: deque[tuple[int, int, list[Partial], bool]] = deque()
        self._job: StageJob | None = None
        self._begin()
        self._rest = 0
        self._left: deque[tuple[int, int, int]] = deque()  # (place, row, kind) still to leave
        self._runs = 0

    def _begin(self) -> None:
        self._place = self._turns = self._row = 0
        self._between = True

    def take_over(self, job: StageJob) -> None:
        """Take another job over, between two frames."""
        assert self._between and not self._runs
        if job is not self._job:
            self._rest = max(self._rest, job.rest)  # it is the slot to come that waits
        self._job = job

    @property
    def left(self) -> int:
        """Beats of the frame before that have not left."""
        return len(self._left)

    def step(self, x: tuple[int, int, int] | None) -> bool:
        """Let a clock pass with (frame, position, slot) on offer; return whether it was taken."""
        job, most = self._job, self.most
        assert job is not None
        while self._writes and self._writes[0][0] <= self.clock:
            _, row, kept, finished = self._writes.popleft()
            self._store[row] = kept
            if finished:
                self._finished[row] = kept
        word = job.words[self._place]
        own = word >> most.own_bit & 1
        blocked = bool(self._left) and bool(own)
        takes = x is not None and not self._rest and not blocked
        if x is not None and not takes:
            self.waited += 1
        leaving = bool(self._left) and not (self._rest and self._between)
        if self._rest:
            self._rest -= 1
        draining = bool(self._left)
        if leaving:
            place, row, kind = self._left.popleft()
            self.out.append((self._finished[row][place], kind))
        if takes and x is not None:
            self._do(job, word, x, finished=not draining)
        self.clock += 1
        return takes

    def _do(self, job: StageJob, word: int, x: tuple[int, int, int], *, finished: bool) -> None:
        most, r = self.most, self.most.partials
        load, add = word & (1 << r + 1) - 1, word >> r + 1 & (1 << r + 1) - 1
        shift, own = (word >> most.own_bit - 1 + k & 1 for k in range(2))
        kind = word >> most.own_bit + 2 & (1 << most.kind_bits) - 1
        loop, end = (word >> most.loop_bit + k & 1 for k in range(2))
        alone = (x[0], x[1], ())
        new = []
        for j, old in enumerate([*self._store[self._row], NOTHING]):
            partial = alone if load >> j & 1 or j == r else old
            new.append(_with(partial, x) if add >> j & 1 else NOTHING if j == r else partial)
        if own:
            self.out.append((new[0], kind))
        kept = new[1:] if shift else new[:r]
        self._writes.append((self.clock + self.most.slot, self._row, kept, finished))
        self._row += 1
        self._between = False
        if self._row < job.m:
            return
        self._row, self._rest = 0, job.rest
        if loop and self._turns < job.repeats - 1:
            self._turns += 1
            self._place = job.start
        elif not end:
            self._place += 1
        else:
            assert not self._left, "a frame ended before all of the one before had left"
            self._begin()
            self._runs = (self._runs + 1) % job.runs
            left = enumerate(job.left)
            self._left.extend((d, row, kind) for d, kind in left for row in range(job.m))


def _with(partial: Partial, x: tuple[int, int, int]) -> Partial:
    if len(partial) != 3 or partial[:2] != x[:2]:
        return ("mixed", partial, x)
    return (*partial[:2], (*partial[2], x[2]))


def expected(
    axis: Axis, frame: int, m: int, windows: Sequence[tuple[int, int]]
) -> list[tuple[Partial, int]]:
    """Return what leaves of a frame, in order, with its place among the windows that differ."""
    kinds = sorted(set(windows))
    return [
        ((frame, p, tuple(axis.taps(i))), kinds.index(windows[i]))
        for i in range(axis.outputs)
        for p in range(m)
    ]
