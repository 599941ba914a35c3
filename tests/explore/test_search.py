"""The search: what it looks at, what it places, and what it learns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError

pytest.importorskip("sklearn")

from made_up_placements import DEVICE, Truth
from streampool_explore.rows import Row
from streampool_explore.search import Goal, Search
from streampool_explore.space import Layer, Point, jobs_of

LAYER = Layer("6x12x12", PoolSpec("avg", 2), (6, 12, 12))


def _chosen(search: Search) -> list[Point]:
    design = search.choice()
    assert design is not None
    return search.points(design)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth()


def test_candidates_have_no_lanes_or_columns_to_no_purpose():
    found = {(job.lanes, job.columns) for job in jobs_of(LAYER)}
    assert (1, 1) in found and (6, 4) in found and (2, 2) in found
    assert not [each for each in found if each[0] == 5]
    assert max(lanes * columns for lanes, columns in found) <= 32


def test_the_search_ends_with_the_front_of_what_is_placed(truth):
    search = Search([LAYER], Goal(DEVICE))
    assert sum(1 for _ in search.explore(truth, 30, lambda: 2)) == len(set(truth.placed)) > 2
    real = Search([LAYER], Goal(DEVICE))
    for job in jobs_of(LAYER):
        real.learn(job, truth.row(job))
    wanted = [search.points(each)[0].job for each in real.front()]
    found = [search.points(each)[0].job for each in search.front()]
    assert found[-1] == wanted[-1]
    assert len(set(found) & set(wanted)) >= 0.8 * len(wanted)
    assert all(point.placed for point in _chosen(search))


def test_no_more_is_placed_than_is_allowed(truth):
    search = Search([LAYER], Goal(DEVICE))
    assert sum(1 for _ in search.explore(truth, 1, lambda: 2)) == 1


def test_what_could_not_be_placed_is_never_chosen():
    search = Search([LAYER], Goal(DEVICE))
    best = _chosen(search)[0].job
    search.learn(best, f"{DEVICE} is too small")
    assert _chosen(search)[0].job != best
    for job in jobs_of(LAYER):
        search.learn(job, "no")
    assert search.choice() is None


def test_as_many_are_placed_at_once_as_there_are_workers(truth):
    search, rounds = Search([LAYER], Goal(DEVICE)), list[int]()

    def place(jobs: Sequence[PoolJob]) -> Iterator[tuple[PoolJob, Row | str]]:
        rounds.append(len(jobs))
        return truth(jobs)

    assert sum(1 for _ in search.explore(place, 4, lambda: 3)) == sum(rounds)
    assert rounds[0] == 3


def test_a_core_that_is_placed_again_is_one(truth):
    search = Search([LAYER], Goal(DEVICE))
    job = _chosen(search)[0].job
    for seeds in (1, 3):
        search.learn(job, replace(truth.row(job), seeds=seeds))
    assert search.tried == 1 and [row.seeds for row in search.more] == [3]


def test_a_layer_that_no_core_can_do_is_refused():
    for shape in ((1, 4, 4), (1, -4, 4)):
        with pytest.raises(SpecError):
            jobs_of(Layer("small", PoolSpec("max", 9), shape))
