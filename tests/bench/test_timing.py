"""Rounds: everyone has a turn in each, in an order drawn anew, warm or after an eviction."""

from typing import Any

import pytest
from streampool_bench.software import timing
from streampool_bench.software.task import Ready
from streampool_bench.software.timing import COLD, WARM, Times, measure


class Watched:
    """Contenders that write down when they are called, and an eviction that does too."""

    def __init__(self, count: int):
        self.calls: list[Any] = []
        self.ready = [
            Ready(lambda i=i: self.calls.append(i), lambda y: y, prepare=self._prepared(i))
            for i in range(count)
        ]

    def _prepared(self, i: int):
        return lambda: self.calls.append(("prepare", i))

    def evict(self) -> None:
        self.calls.append("evict")


def test_cold_rounds():
    watched = Watched(4)
    found = measure(watched.ready, [1] * 4, rounds=20, cache=COLD, evict=watched.evict)
    assert [each.rounds for each in found] == [20] * 4
    assert [each.calls for each in found] == [1] * 4
    at = watched.calls.index("evict") - 1  # its contender was prepared before
    turns = [watched.calls[i : i + 3] for i in range(at, len(watched.calls), 3)]
    assert all(turn == [("prepare", turn[2]), "evict", turn[2]] for turn in turns)
    rounds = [tuple(turn[2] for turn in turns[i : i + 4]) for i in range(0, len(turns), 4)]
    assert all(sorted(each) == [0, 1, 2, 3] for each in rounds)
    assert len(rounds) == 20 and len(set(rounds)) > 5
    before = [call for call in watched.calls[:at] if isinstance(call, int)]
    assert sorted(before) == sorted([0, 1, 2, 3] * timing.WARM_UP)


def test_warm_rounds_come_after_a_call_that_does_not_count(monkeypatch):
    monkeypatch.setattr(timing, "MOST_CALLS", 1)
    watched = Watched(2)
    measure(watched.ready, [1, 1], rounds=15, cache=WARM)
    turns = watched.calls[-15 * 2 * 3 :]
    for i in range(0, len(turns), 3):
        assert turns[i : i + 3] == [("prepare", turns[i + 1]), turns[i + 1], turns[i + 1]]


def test_short_calls_are_repeated_within_a_sample():
    watched = Watched(1)
    [found] = measure(watched.ready, [1], rounds=15, cache=WARM)
    assert 1 < found.calls <= timing.MOST_CALLS
    counted = sum(call == 0 for call in watched.calls)
    assert counted == timing.WARM_UP + 2 + 15 * (1 + found.calls)


def test_what_is_said_of_samples():
    samples = [float(n) for n in (5, 1, 4, 2, 3, 9, 8)]
    found = Times.of(samples, 3)
    assert (found.min_s, found.q1_s, found.median_s, found.q3_s, found.max_s) == (1, 2.5, 4, 6.5, 9)
    assert (found.rounds, found.calls) == (7, 3)


def test_eviction_takes_more_than_the_last_cache(monkeypatch):
    monkeypatch.setattr(timing, "last_cache_bytes", lambda: 1 << 20)
    evict = timing.Evict()
    assert evict._other.nbytes > 1 << 20
    evict()
    evict()
    assert (evict._other == 2).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_is_that_of_the_seed(seed):
    orders = []
    for _ in range(2):
        watched = Watched(3)
        measure(watched.ready, [1] * 3, cache=COLD, evict=watched.evict, seed=seed)
        orders.append(watched.calls)
    assert orders[0] == orders[1]
