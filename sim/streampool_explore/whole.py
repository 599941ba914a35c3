"""How the search does on a space that was placed whole: the front it finds, and what it placed.

The placements of `training.WHOLE` are taken out of the shipped rows, the model is fitted on the
others alone, and the search places one core after the other.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from streampool_golden import PoolJob

from .front import Design, together
from .rows import DATA, Row, kind_of, shipped
from .search import Goal, Search, figures_of
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

    figures = [figures_of(points) for points in real.usable()]
    places = [{point.job: k for k, point in enumerate(points)} for points in real.usable()]

    def front(each: Search) -> list[Design]:
        """Return a search's front, with the figures that were placed."""
        return [
            together(
                figures,
                tuple(at[point.job] for at, point in zip(places, each.points(design), strict=True)),
            )
            for design in each.front()
        ]

    wanted, by_model = real.front(), front(search)
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
        "with": _compared(wanted, front(search)),
    }


def _compared(wanted: Sequence[Design], found: Sequence[Design]) -> dict[str, Any]:
    """Return how many designs of the front others are as good as, and what the rest take more."""
    more = []
    for design in wanted:
        enough = [each.cells for each in found if each.fps >= design.fps * (1 - 1e-9)]
        more.append(min(enough) / design.cells - 1 if enough else math.inf)
    reached = [each for each in more if each < math.inf]
    return {
        "as_good": sum(each <= 1e-9 for each in more),
        "not_reached": len(more) - len(reached),
        "most_more": round(max(reached, default=0.0), 4),
    }
