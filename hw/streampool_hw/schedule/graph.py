"""From which pairs of values the windows of a beat are reduced: a graph that they share.

A window takes a *run* of columns, and those of windows side by side overlap. What is reduced of
a few columns serves every window that has them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

Run: TypeAlias = tuple[int, int]
"""The place of the first column of a run, and how many it has; they are `dilation` places apart."""

_Split: TypeAlias = Callable[[int, int], tuple[int, int]]
"""Given where a run begins and its length: how much of its start and of its end make it up."""


@dataclass(frozen=True)
class Graph:
    """Runs of columns by levels: what each is made of stands in a level before.

    Attributes
    ----------
    levels : tuple of dict
        What each level makes: a run, and the two that it is made of, the earlier one first. Runs
        of one column are there from the start.
    results : tuple of Run
        The runs that are wanted in the end.
    """

    levels: tuple[dict[Run, tuple[Run, Run]], ...]
    results: tuple[Run, ...]

    @property
    def operations(self) -> int:
        """How many pairs are reduced."""
        return sum(map(len, self.levels))

    def alive(self, level: int) -> list[Run]:
        """Return the runs that are there after a level, and are wanted after it; 0 is the start."""
        last: dict[Run, int] = {}
        made: dict[Run, int] = {}
        for number, pairs in enumerate(self.levels, 1):
            made |= dict.fromkeys(pairs, number)
            last |= dict.fromkeys((part for parts in pairs.values() for part in parts), number)
        last |= dict.fromkeys(self.results, len(self.levels) + 1)
        return sorted(run for run in last if made.get(run, 0) <= level < last[run])


def share(runs: Sequence[Run], dilation: int = 1, *, idempotent: bool) -> Graph:
    """Return the graph of the fewest levels, and of these the one of the fewest operations.

    With an `idempotent` operation, a maximum, the two parts of a run may overlap.
    """
    graphs = [
        _graph(tuple(runs), dilation, split)
        for split in (
            *(partial(_from_the_start, overlaps) for overlaps in sorted({False, idempotent})),
            _at_round_places,
        )
    ]
    return min(graphs, key=lambda graph: (len(graph.levels), graph.operations))


def _from_the_start(overlaps: bool, at: int, length: int) -> tuple[int, int]:
    """Split off a power of two; where parts may overlap two of them, if the rest is none."""
    most = 1 << (length - 1).bit_length() - 1
    rest = length - most
    return most, most if overlaps and rest & (rest - 1) else rest


def _at_round_places(at: int, length: int) -> tuple[int, int]:
    """Split at a multiple of the largest power of two that lies inside, nearest the middle.

    So the parts are those of other windows, too.
    """
    step = 1 << (length - 1).bit_length() - 1
    while (first := -(-(at + 1) // step) * step) >= at + length:
        step //= 2
    best = min(range(first, at + length, step), key=lambda k: abs(2 * (k - at) - length))
    return best - at, at + length - best


def _graph(results: tuple[Run, ...], dilation: int, split: _Split) -> Graph:
    pairs: dict[Run, tuple[Run, Run]] = {}
    level: dict[Run, int] = {}

    def add(run: Run) -> int:
        first, length = run
        if length == 1 or run in level:
            return level.get(run, 0)
        start, end = split(first // dilation, length)
        pairs[run] = (first, start), (first + (length - end) * dilation, end)
        level[run] = 1 + max(map(add, pairs[run]))
        return level[run]

    most = max(map(add, results), default=0)
    levels = [{run: pairs[run] for run in level if level[run] == k} for k in range(1, most + 1)]
    return Graph(tuple(levels), results)
