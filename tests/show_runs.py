"""Runs of small cores as the page of ``streampool show`` has them."""

from functools import cache

import numpy as np
from core_jobs import JOBS as ODD
from streampool_golden import PoolJob, PoolSpec
from streampool_sim.show import Recording, record

JOBS: dict[str, tuple[PoolJob, float]] = {
    "max": (PoolJob(PoolSpec("max", 3, 2, 1), (1, 8, 8), 1), 0.0),
    "avg": (PoolJob(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (1, 6, 7), 1), 0.2),
    "steps": (PoolJob(PoolSpec("max", 3, 1, 1, ndim=1), (4, 20), 2), 0.6),
}
"""What is run, and how often either side stalls."""

FRAMES = 2


SOME = ("max k3 s2, m 2", "grows, stride 2", "global avg, planes", "l2 k3 s2, pads not counted",
        "rows shrink, columns grow", "planes of one grow behind rows",
        "max, stride beyond the kernel", "identity", "avg bfloat16",
        "to 4 x 5 of 14 x 7")  # fmt: skip
"""Odd jobs that have between them drains that wait, pipelines, no stage, and floats."""


@cache
def recorded(name: str) -> Recording:
    """Return the recording of a job of `JOBS`."""
    job, stall = JOBS[name]
    frames = np.random.default_rng(7).integers(-99, 100, (FRAMES, *job.shape)).astype(np.int8)
    return record(job, frames, count=FRAMES, clocks=2000, stall=stall, seed=5)


def odd(name: str, stall: float) -> Recording:
    """Return the recording of a job of `core_jobs`, three frames of it."""
    job = ODD[name]
    x = np.random.default_rng(3).integers(0, 8, (3, *job.shape)).astype(job.input.numpy)
    return record(job, x, count=3, clocks=5000, stall=stall, seed=11)
