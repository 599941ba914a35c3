"""The search: a front by the cost model, and placements where it is least sure of that front.

The model's figures are drawn at random, each within its interval, and the front is made of each
draw. What is often on it, and not well known, is placed next; the model then knows it, and what is
like it better.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from streampool_golden import PoolJob

from .front import Design, Figures, choice, front_of
from .model import CostModel, Estimate
from .rows import Row, shipped
from .space import KINDS, Layer, Point, Space, available, jobs_of, point_of, points_of

DRAWS = 48
"""Fronts that are drawn."""

WITHIN = 1.645
"""Standard deviations within which nine of ten are."""

SURE = 0.02
"""How often a point has to be on a front, times its interval as a share, to be worth placing."""

Placing = Callable[[Sequence[PoolJob]], Iterator[tuple[PoolJob, Row | str]]]
"""What places jobs: it gives a row for each, or the reason why there is none."""


@dataclass(frozen=True)
class Goal:
    """What is looked for."""

    device: str
    fps: float | None = None
    """The smallest design that holds it; else the fastest that fits."""
    luts: int | None = None
    """Fewer than the device has."""
    mhz: float | None = None
    """The clock that is given."""

    @property
    def limits(self) -> np.ndarray:
        """The cells that there are, by `KINDS`."""
        there = available(self.device)
        if self.luts is not None:
            there = there | {"luts": min(self.luts, there["luts"])}
        return np.array([there[kind] for kind in KINDS])


class Search:
    """Layers, what is known of their points, and the front.

    `jobs` are those that are looked at of each layer, those of `jobs_of` by default, and `placed`
    what the model is fitted on.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        goal: Goal,
        *,
        jobs: Sequence[Sequence[PoolJob]] | None = None,
        placed: Sequence[Row] | None = None,
    ):
        self.goal, self.more = goal, list[Row]()
        self._placed: Sequence[Row] = shipped() if placed is None else placed
        self.refused: dict[PoolJob, str] = {}
        self.model = CostModel(goal.device, self._placed)
        wanted = [jobs_of(layer) for layer in layers] if jobs is None else jobs
        self.spaces = [
            Space(layer, *points_of(self.model, some))
            for layer, some in zip(layers, wanted, strict=True)
        ]

    @property
    def tried(self) -> int:
        """Cores that were placed for this, or tried; with more seeds later, they are no others."""
        return len({row.job for row in self.more} | {*self.refused})

    @property
    def size(self) -> int:
        """Points of all layers; the same core in two layers is one."""
        return len({point.job for space in self.spaces for point in space.points})

    def usable(self) -> list[list[Point]]:
        """Return each layer's points but those that could not be placed."""
        return [
            [point for point in space.points if point.job not in self.refused]
            for space in self.spaces
        ]

    def front(self, draw: np.random.Generator | None = None) -> list[Design]:
        """Return the front: by the best guesses, or by a draw."""
        usable = self.usable()
        if not all(usable):
            return []
        figures = [figures_of(points, draw) for points in usable]
        return front_of(figures, self.goal.limits, self.goal.mhz)

    def choice(self) -> Design | None:
        """Return what is looked for."""
        return choice(self.front(), self.goal.fps)

    def points(self, design: Design) -> list[Point]:
        """Return a design's points, layer by layer."""
        return [points[k] for points, k in zip(self.usable(), design.chosen, strict=True)]

    def foreseen(self, job: PoolJob) -> Point:
        """Return a job's point as it is predicted, also where it was placed."""
        placed = [row for row in (*self._placed, *self.more)
                  if (row.job, row.device) != (job, self.goal.device)]  # fmt: skip
        model = CostModel(self.goal.device, placed)
        return point_of(job, model, *model.costs([job]))

    def worth(self, seed: int = 0) -> list[tuple[float, PoolJob]]:
        """Return the jobs whose placement may change the front, and how much, most first."""
        random, points = np.random.default_rng(seed), self.usable()
        often: dict[PoolJob, float] = {}
        for _ in range(DRAWS):
            used = {
                points[layer][k].job
                for design in self.front(random)
                for layer, k in enumerate(design.chosen)
            }
            for job in used:
                often[job] = often.get(job, 0) + 1 / DRAWS
        known = {point.job: point for some in points for point in some}
        found = [
            (share * (known[job].cells.width + known[job].mhz.width), job)
            for job, share in often.items()
            if not known[job].placed
        ]
        return sorted((each for each in found if each[0] > SURE), key=lambda each: -each[0])

    def learn(self, job: PoolJob, found: Row | str) -> None:
        """Take note of a placement, or why there is none."""
        if isinstance(found, str):
            self.refused[job] = found
            return
        self.more = [row for row in self.more if row.job != job] + [found]
        before = [row for row in self._placed if (row.job, row.device) != (job, found.device)]
        self._placed = before
        self.model = CostModel(self.goal.device, [*before, *self.more])
        for k, space in enumerate(self.spaces):
            jobs = [point.job for point in space.points]
            costs = self.model.costs(jobs)
            both = zip(jobs, costs, strict=True)
            points = [point_of(job, self.model, cost) for job, cost in both]
            self.spaces[k] = replace(space, points=points)

    def explore(self, place: Placing, most: int, at_once: Callable[[], int]) -> Iterator[PoolJob]:
        """Place what is worth it, `most` at the most, and yield each job that was placed.

        The model is fitted again when so many were placed as workers do `at_once`, which may
        change.
        """
        left = most
        while left > 0 and (wanted := [job for _, job in self.worth()][: min(at_once(), left)]):
            for job, found in place(wanted):
                self.learn(job, found)
                left -= 1
                yield job


def figures_of(points: Sequence[Point], draw: np.random.Generator | None = None) -> Figures:
    """Return the figures of points: the best guesses, or a draw."""
    return Figures(
        _values([point.cells for point in points], draw),
        np.array([[point.needs[kind].value for kind in KINDS] for point in points]),
        np.array([point.cycles for point in points]),
        _values([point.mhz for point in points], draw),
    )


def _values(found: Sequence[Estimate], draw: np.random.Generator | None) -> np.ndarray:
    """Return the best guesses, or draws: of a normal distribution of the logarithm, or of two."""
    value, low, high = (
        np.array([max(getattr(each, end), 1e-9) for each in found])
        for end in ("value", "low", "high")
    )
    if draw is None:
        return value
    deviation = draw.normal(0, 1 / WITHIN, len(found))
    return value * np.where(deviation > 0, high / value, value / low) ** deviation
