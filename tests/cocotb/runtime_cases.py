"""The run-time core that the benches run, and random jobs for it."""

import random

import numpy as np
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.runtime.cases import random_frame, random_job

CORE = Maxima(
    lanes=2,
    operations=("max", "min", "avg", "sum"),
    max_fold=16,
    max_row=64,
    max_words=16,
    max_length=32,
    max_taps=32,
)


def job_and_frame(rng: random.Random, beats: int = 0) -> tuple[RuntimeJob, np.ndarray]:
    """Return a job of few beats, but so many at least, and a frame."""
    while True:
        job = random_job(rng, CORE, kernel=3, stride=3, beats=beats)
        if job.job.beats_in <= 240 and job.job.beats_out <= 240:
            return job, random_frame(np.random.default_rng(rng.getrandbits(32)), job)
