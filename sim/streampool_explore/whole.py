"""How the search does on a space that was placed whole: the front it finds, and what it placed.

The placements of `training.WHOLE` are taken out of the shipped rows, the model is fitted on the
others alone, and the search places one core after the other.
"""

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

SHARE = 0.1
"""Of the space that may be placed."""


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

    by_model = _chosen(search)
    placed = sum(1 for _ in search.explore(place, int(SHARE * points), lambda: 1))
    by_search, wanted = _chosen(search), _chosen(real)
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
        "found_without": len(wanted & by_model),
        "wrong_without": len(by_model - wanted),
        "found": len(wanted & by_search),
        "wrong": len(by_search - wanted),
    }


def _chosen(search: Search) -> set[tuple[PoolJob, ...]]:
    """Return the designs of the front, as the job of each layer."""
    return {tuple(point.job for point in search.points(design)) for design in search.front()}
