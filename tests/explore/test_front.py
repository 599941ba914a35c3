"""The front of a network's designs, against all of them tried."""

import itertools

import numpy as np
import pytest
from streampool_explore.front import Figures, choice, front_of


def layer(random: np.random.Generator, points: int) -> Figures:
    return Figures(
        random.integers(10, 200, points).astype(float),
        random.integers(1, 50, (points, 4)).astype(float),
        random.integers(1, 30, points) * 10,
        random.integers(5, 12, points) * 20.0,
    )


def all_fronts(layers: list[Figures], limits: np.ndarray) -> list[tuple[float, float]]:
    """Return cells and speed of what no other design beats, of all that fit."""
    found = []
    for chosen in itertools.product(*(range(len(each.cells)) for each in layers)):
        pairs = [*zip(layers, chosen, strict=True)]
        if (sum(each.needs[k] for each, k in pairs) <= limits).all():
            clock = min(each.mhz[k] for each, k in pairs)
            cycles = max(each.cycles[k] for each, k in pairs)
            found.append((sum(each.cells[k] for each, k in pairs), clock * 1e6 / cycles))
    best: list[tuple[float, float]] = []
    for cells, fps in sorted(found, key=lambda each: (each[0], -each[1])):
        if not best or fps > best[-1][1]:
            best.append((cells, fps))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_nothing_beats_the_front_and_nothing_is_missing(seed):
    random = np.random.default_rng(seed)
    layers = [layer(random, points) for points in (6, 5, 4)[: 1 + seed % 3]]
    limits = np.full(4, 1e9)
    found = front_of(layers, limits, None)
    assert [(each.cells, each.fps) for each in found] == all_fronts(layers, limits)


def test_what_does_not_fit_is_on_no_front():
    random = np.random.default_rng(1)
    layers = [layer(random, 8)]
    limits = np.array([25.0, 1e9, 1e9, 1e9])
    for design in front_of(layers, limits, None):
        assert layers[0].needs[design.chosen[0], 0] <= 25
    assert not front_of(layers, np.zeros(4), None)


def test_a_given_clock_is_reached_by_all_and_is_that_of_all():
    random = np.random.default_rng(2)
    layers = [layer(random, 8), layer(random, 8)]
    found = front_of(layers, np.full(4, 1e9), 150.0)
    assert found
    for design in found:
        assert design.mhz == 150
        assert all(each.mhz[k] >= 150 for each, k in zip(layers, design.chosen, strict=True))


def test_the_choice_is_the_smallest_that_is_fast_enough_or_the_fastest():
    random = np.random.default_rng(3)
    front = front_of([layer(random, 30)], np.full(4, 1e9), None)
    assert len(front) > 3
    assert choice(front, None) == front[-1]
    assert choice(front, front[1].fps) == front[1]
    assert choice(front, front[-1].fps * 2) is None
    assert choice([], None) is None
