"""Cores of many lanes: banks, and control that takes clocks to reach them."""

import pytest
from core_bench import random_frames
from streampool_golden import PoolJob, PoolSpec
from streampool_sim import simulate


@pytest.mark.parametrize(
    ("spec", "size", "lanes"),
    [
        (PoolSpec("max", 2, dtype="int2"), 6, 224),
        (PoolSpec("max", 3, 2, 1, dtype="int2"), 7, 130),
        (PoolSpec("max", 3, 1, 1, dtype="int4"), 5, 17),
        (PoolSpec("max", 3, 1, 1, dtype="int4"), 5, 40),
        (PoolSpec("avg", 3, 1, 1, dtype="int4"), 5, 33),
    ],
)
def test_wide_cores_are_as_right_as_narrow_ones(spec, size, lanes):
    """Where a position is one beat, too."""
    job = PoolJob(spec, (lanes, size, size), lanes)
    frames = random_frames(job, 4, lanes)
    for stall in (0.0, 0.4):
        result = simulate(spec, frames, lanes=lanes, stall=stall, seed=lanes)
        assert result.mismatch is None
        if not stall:
            assert result.stats["cycles_per_frame"] == job.limit_cycles
