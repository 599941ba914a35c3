"""How the search does on a space that was placed whole: the front it finds, and what it placed.

The placements of `training.WHOLE` are taken out of the shipped rows, the model is fitted on the
others alone, and the search places one after the other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from streampool_golden import PoolJob

from .front import Design
from .rows import DATA, Row, shipped
from .search import Goal, Search
from .space import Layer
from .training import WHOLE as LAYER
from .training import WHOLE_DEVICE, whole_space

WHOLE = DATA.with_name("whole.json")
"""What `judged` has found, as ``python -m streampool_explore.fit`` writes it."""

LEAST = 20
"""Points from which on a space says something."""

SHARE = 0.1
"""Of the space that may be placed."""


def truth() -> dict[PoolJob, Row]:
    """Return the rows of the whole space that were placed."""
    jobs = set(whole_space())
    return {row.job: row for row in shipped() if row.device == WHOLE_DEVICE and row.job in jobs}


def judged() -> dict[str, Any]:
    """Return how the search does with a share of the space, and what it would have without."""
    found = truth()
    if len(found) < LEAST:
        return {"points": len(found), "of": len(whole_space())}
    others = tuple(row for row in shipped() if row.job not in found or row.device != WHOLE_DEVICE)
    goal, layer = Goal(WHOLE_DEVICE), Layer("whole", *LAYER)
    jobs = [[*found]]
    real = Search([layer], goal, jobs=jobs)
    search = Search([layer], goal, jobs=jobs, placed=others)

    def place(wanted: Sequence[PoolJob]) -> Iterator[tuple[PoolJob, Row | str]]:
        return ((job, found[job]) for job in wanted)

    by_model = _jobs(search, search.front())
    placed = sum(1 for _ in search.explore(place, int(SHARE * len(found)), lambda: 1))
    by_search = _jobs(search, search.front())
    wanted = _jobs(real, real.front())
    most = max(job.layout_in.values for job in found)
    return {
        "kind": next(iter(found.values())).kind,
        "shape": [*LAYER[1]],
        "device": WHOLE_DEVICE,
        "values": most,
        "is_whole": len(found) == len(whole_space(most)),
        "points": len(found),
        "of": len(whole_space()),
        "placed": placed,
        "front": len(wanted),
        "found_without": len(wanted & by_model),
        "wrong_without": len(by_model - wanted),
        "found": len(wanted & by_search),
        "wrong": len(by_search - wanted),
    }


def _jobs(search: Search, front: Sequence[Design]) -> set[PoolJob]:
    return {search.points(design)[0].job for design in front}
