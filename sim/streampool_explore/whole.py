"""How the search does on a space that was placed whole: the front it finds, and what it placed.

The placements of `training.WHOLE` are taken out of the shipped rows, the model is fitted on the
others alone, and the search places one core after the other.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from streampool_golden import PoolJob

from .rows import DATA, Row, kind_of, shipped
from .search import Goal, Search
from .space import Layer
from .training import WHOLE as LAYERS
from .training import WHOLE_DEVICE, WHOLE_VALUES, whole_space

WHOLE = DATA.with_name("whole.json")
"""What `judged` has found, as ``python -m streampool_explore.fit`` writes it."""

SHARE = 10
"""Less than one in so many cores of the space may be placed."""


def truth() -> dict[PoolJob, Row]:
    """Return the rows of the whole space that were placed."""
    jobs = {*chain.from_iterable(whole_space())}
    return {row.job: row for row in shipped() if row.device == WHOLE_DEVICE and row.job in jobs}


def judged() -> dict[str, Any]:
    """Return how the search does with a share of the space, and what it would have without."""
    found, jobs = truth(), whole_space()
    points = sum(map(len, jobs))
    if len(found) < points:
        return {"points": len(found), "of": points}
    others = tuple(row for row in shipped() if row.job not in found or row.device != WHOLE_DEVICE)
    layers = [Layer(str(number), *layer) for number, layer in enumerate(LAYERS)]
    goal = Goal(WHOLE_DEVICE)
    real = Search(layers, goal, jobs=jobs)
    search = Search(layers, goal, jobs=jobs, placed=others)

    def place(wanted: Sequence[PoolJob]) -> Iterator[tuple[PoolJob, Row | str]]:
        return ((job, found[job]) for job in wanted)

    points_of = [{point.job: point for point in space.points} for space in real.spaces]

    def figures(each: Search) -> list[tuple[float, float]]:
        """Return cells and frames per second of a front, by what was placed."""
        found = []
        for design in each.front():
            chosen = [
                points[point.job]
                for points, point in zip(points_of, each.points(design), strict=True)
            ]
            clock = min(point.mhz.value for point in chosen)
            cycles = max(point.cycles for point in chosen)
            found.append((sum(point.cells.value for point in chosen), clock * 1e6 / cycles))
        return found

    wanted, by_model = figures(real), figures(search)
    placed = sum(1 for _ in search.explore(place, (points - 1) // SHARE, lambda: 1))
    return {
        "layers": [
            {"kind": kind_of(spec), "shape": [*shape], "points": len(some)}
            for (spec, shape), some in zip(LAYERS, jobs, strict=True)
        ],
        "device": WHOLE_DEVICE,
        "values": WHOLE_VALUES,
        "points": points,
        "of": points,
        "placed": placed,
        "front": len(wanted),
        "without": _compared(wanted, by_model),
        "with": _compared(wanted, figures(search)),
    }


def _compared(
    wanted: Sequence[tuple[float, float]], found: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Return how many designs of the front others are as good as, and what the rest take more."""
    more = []
    for cells, fps in wanted:
        enough = [some for some, rate in found if rate >= fps * (1 - 1e-9)]
        more.append(min(enough) / cells - 1 if enough else math.inf)
    reached = [each for each in more if each < math.inf]
    return {
        "as_good": sum(each <= 1e-9 for each in more),
        "not_reached": len(more) - len(reached),
        "most_more": round(max(reached, default=0.0), 4),
    }
