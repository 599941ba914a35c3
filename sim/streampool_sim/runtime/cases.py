"""Random jobs and sequences of them, and what has to come of a run."""

import random
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from streampool_golden import DType, PoolSpec, SpecError
from streampool_golden.fields import ROUNDING_ABOUT, ROUNDINGS
from streampool_golden.operations import OPERATIONS
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima

from .engine import Played, RuntimeModel, Turn


def random_job(
    rng: random.Random, maxima: Maxima, *, kernel: int = 5, stride: int = 4, beats: int = 0
) -> RuntimeJob:
    """Return a job that the maxima allow, of `beats` or more."""
    while True:
        ndim = 2 if rng.random() < 0.85 else 1
        kernels = [rng.randint(1, kernel) for _ in range(ndim)]
        how: dict[str, Any] = {"dtype": f"{rng.choice(('int', 'uint'))}{maxima.bits}"}
        if rng.random() < 0.1:
            how |= {"adaptive": rng.choice(("global", [rng.randint(1, 4) for _ in range(ndim)]))}
        else:
            how |= {"kernel": kernels, "stride": [rng.randint(1, stride) for _ in range(ndim)]}
            how |= {"dilation": [rng.choice((1, 1, 1, 2)) for _ in range(ndim)]}
            how |= {"padding": _padding(rng, kernels), "ceil_mode": rng.random() < 0.4}
        size = [rng.randint(1, rng.choice((4, 9, 16))) for _ in range(ndim)]
        shape = (rng.randint(1, maxima.lanes * rng.choice((1, 4, 15))), *size)
        op = rng.choice(maxima.operations)
        try:
            if maxima.sums:
                how |= _finish(rng, op, maxima, how["dtype"])
                if OPERATIONS[op].mean and "kernel" in how and rng.random() < 0.5:
                    # borders that are divided otherwise, and windows that leave in the drain
                    how |= {"kernel": [max(k, 2) for k in kernels], "count_include_pad": False}
                    how |= {"padding": [max(k, 2) // 2 for k in kernels], "stride": 1}
                    how |= {"divisor_override": None}
            spec = PoolSpec(op, ndim=ndim, **how)
            job = RuntimeJob(spec, shape, maxima)
        except SpecError:
            continue
        if job.job.beats_in >= beats:
            return job


def _padding(rng: random.Random, kernels: Sequence[int]) -> Any:
    if rng.random() < 0.3:
        return rng.choice(("same", "same_lower", "valid"))
    if rng.random() < 0.5:
        return [[rng.randint(-1, k - 1), rng.randint(-1, k - 1)] for k in kernels]
    return [rng.randint(0, k // 2) for k in kernels]


def _finish(rng: random.Random, op: str, maxima: Maxima, dtype: str) -> dict[str, Any]:
    """Return how averages are rounded and divided, and what is clamped."""
    how: dict[str, Any] = {"rounding": rng.choice(ROUNDINGS)}
    if OPERATIONS[op].mean:
        how["count_include_pad"] = rng.random() < 0.5
        if rng.random() < 0.2:
            divisor = rng.choice((1, 2, 3, rng.randint(1, 20), rng.randint(1, maxima.max_taps)))
            how["divisor_override"] = rng.choice((1, 1, -1)) * divisor
        if rng.random() < 0.3:
            low, high = DType.of(dtype).low, DType.of(dtype).high
            points = rng.choice((low, high, 0, rng.randint(low, high))), rng.randint(low, high)
            how |= {"zero_points": rng.choice((points, points[:1] * 2))}
            how |= {"rounding_about": rng.choice(ROUNDING_ABOUT)}
            how |= {"scale": rng.choice(("1", "1", "1/2", "1/7", "2", "3/2"))}
    out = DType.of(dtype)
    if rng.random() < 0.2:
        bits = rng.randint(2, maxima.out_bits)
        how |= {"out_dtype": f"{rng.choice(('int', 'uint'))}{bits}", "saturate": True}
        out = DType.of(how["out_dtype"])
    if rng.random() < 0.3:
        ends = rng.choice(((0, out.high), (0, 6), (rng.randint(out.low, out.high),) * 2, (-9, 40)))
        how["clamp"] = [min(max(end, out.low), out.high) for end in ends]
    return how


def random_frame(rng: np.random.Generator, job: RuntimeJob) -> np.ndarray:
    """Return a frame, of the whole range or of the extremes alone."""
    dtype, shape = job.job.input, job.job.shape
    if rng.random() < 0.2:
        return rng.choice([dtype.low, dtype.high], shape).astype(dtype.numpy)
    return rng.integers(dtype.low, dtype.high, shape, np.int64, endpoint=True).astype(dtype.numpy)


def random_turns(seed: int, maxima: Maxima, *, timed: bool = False) -> list[Turn]:
    """Return a sequence of frames whose job often changes.

    Those to be `timed` are long enough for the host, and nobody lets it wait.
    """
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    # with sums the host waits until the frame before has left
    beats = (400 if maxima.sums else 120) if timed else 0
    jobs = [random_job(rng, maxima, beats=beats) for _ in range(rng.randint(2, 4))]
    turns: list[Turn] = []
    for _ in range(rng.randint(2, 12)):
        job = rng.choice(jobs) if not turns or rng.random() < 0.6 else turns[-1].job
        delay, gap = (0 if timed else rng.choice((0, rng.randint(0, most))) for most in (300, 60))
        turns.append(Turn(job, random_frame(numbers, job), delay, gap))
    return turns


def changes(turns: Sequence[Turn]) -> int:
    """Return how often the job changes."""
    return sum(after.job is not before.job for before, after in pairwise(turns))


def fault(turns: Sequence[Turn], played: Played) -> str | None:
    """Say what is wrong with what left, or None."""
    for k, turn in enumerate(turns):
        (expected,) = turn.job.job.reference(turn.frame[None])
        if not np.array_equal(played.frames[k], expected[0]):
            return f"frame {k} is not what golden says"
        if played.last[k].tolist() != [0] * (len(played.last[k]) - 1) + [1]:
            return f"frame {k} does not end with its last beat"
    return None


def clocks_lost(model: RuntimeModel, turns: Sequence[Turn], played: Played) -> list[int]:
    """Return the clocks that each frame's input took beyond what its job takes in the steady state.

    A frame is counted from the last beat of the one before, and the first from its own first beat.
    """
    found, before = [], int(played.in_cycles[0][0]) - 1
    for turn, cycles in zip(turns, played.in_cycles, strict=True):
        found.append(int(cycles[-1]) - before - ceil(model.steady_cycles(turn.job)))
        before = int(cycles[-1])
    return found
