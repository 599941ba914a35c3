"""Cores that give indices beside maxima: against the golden model, at the same two limits."""

import itertools
import warnings
from functools import cache

import numpy as np
import pytest
from core_bench import core_of
from core_jobs import JOBS as PLAIN
from streampool_golden import BASES, PoolJob, PoolSpec, SpecWarning, pool_with_indices
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_sim.engines import Trace, amaranth, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack

FRAMES = 6


def indexed(job: PoolJob, base: str) -> PoolJob:
    return PoolJob(job.spec.replace(indices=base), job.shape, job.lanes)


# every kind of core with a base, and some with all
JOBS = {
    f"{name}, {base}": indexed(job, base)
    for number, (name, job) in enumerate(PLAIN.items())
    if job.spec.op in ("max", "min")
    for base in (BASES if name[4:] == "k3 s2" else (BASES[number % 4],))
}
JOBS |= {
    # columns grow behind rows that shrink: rows are pooled first, and ties compare the index
    f"rows first, {base}": PoolJob(
        PoolSpec("max", 3, (3, 1), ((0, 0), (2, 2)), indices=base, dtype="uint2"), (3, 10, 3), 2
    )
    for base in BASES
}
JOBS |= {
    "clamped, many channels": PoolJob(
        PoolSpec("max", 2, indices="flat", clamp=(-3, 9)), (9, 4, 6), 2
    ),
    "one channel per beat": PoolJob(PoolSpec("min", 3, 2, indices="channels_last"), (6, 5, 5), 1),
    "every frame of a bit": PoolJob(
        PoolSpec("max", 2, 1, 1, indices="plane", dtype="uint1"), (1, 2, 4)
    ),
    "every frame of a bit, min": PoolJob(
        PoolSpec("min", (1, 3), 1, (0, 1), indices="flat_columns", dtype="uint1"), (1, 2, 4)
    ),
}


@cache
def built() -> dict[str, tuple[PoolCore, Model]]:
    cores = [core_of(job) for job in JOBS.values()]
    models = Build(cores, optimise="-O0").load()
    return dict(zip(JOBS, zip(cores, models, strict=True), strict=True))


def run(name: str, frames: np.ndarray, **options) -> Trace:
    core, model = built()[name]
    return fast.run(core, pack(core.job, frames), model=model, **options)


def expected(job: PoolJob, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and indices, those counted within each frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)
        each = [pool_with_indices(job.spec, frame) for frame in frames]
    return np.array([values for values, _ in each]), np.array([indices for _, indices in each])


def tied_frames(job: PoolJob, count: int) -> np.ndarray:
    """Few different values, the one that loses to everything among them; one frame of it alone."""
    dtype, rng = job.input, np.random.default_rng(job.beats_in)
    frames = rng.choice([dtype.low, dtype.high, 0, 1], (count, *job.shape))
    frames[-1] = dtype.low if job.spec.op == "max" else dtype.high
    return frames.astype(dtype.numpy)


@pytest.mark.parametrize("name", JOBS)
def test_values_and_indices_are_the_golden_model_s(name):
    job = JOBS[name]
    frames = tied_frames(job, FRAMES)
    values, indices = expected(job, frames)
    assert job.index_out is not None and indices.max() <= job.index_out.high
    for stall in (0.0, 0.5):
        trace = run(name, frames, stall=stall, seed=5)
        assert np.array_equal(unpack(job, trace.out), values)
        assert np.array_equal(unpack(job, trace.fields[1], 1), indices)
        assert np.flatnonzero(trace.last).tolist() == [
            job.beats_out * (k + 1) - 1 for k in range(FRAMES)
        ]


@pytest.mark.parametrize("name", JOBS)
def test_indices_cost_neither_a_cycle_nor_a_word(name):
    job, (core, _) = JOBS[name], built()[name]
    plain = asked(PoolCore(job.spec.replace(indices=None), job.shape, job.lanes))
    assert core.cycles_bound == plain.cycles_bound
    assert core.store_words == plain.store_words
    trace = run(name, tied_frames(job, FRAMES))
    taken = np.diff(trace.out_cycles[job.beats_out - 1 :: job.beats_out])[1:-1]
    assert (taken <= core.cycles_bound).all()
    if job.cycles_bound == job.limit_cycles:
        assert set(taken.tolist()) == {job.limit_cycles}


@pytest.mark.parametrize("name", [name for name in JOBS if name.startswith("every frame")])
def test_every_frame_of_a_bit(name):
    """The key of the last place with the lowest value is the identity: all ties with padding."""
    job = JOBS[name]
    frames = np.array(list(itertools.product((0, 1), repeat=8)), np.uint8).reshape(-1, *job.shape)
    values, indices = expected(job, frames)
    trace = run(name, frames)
    assert np.array_equal(unpack(job, trace.out), values)
    assert np.array_equal(unpack(job, trace.fields[1], 1), indices)
    assert indices.max() == 7


@pytest.mark.parametrize("name", ["max k3 s2, flat_columns", "rows first, channels_last"])
def test_engines_agree_and_a_reset_leaves_nothing(name):
    job, (core, _) = JOBS[name], built()[name]
    frames = tied_frames(job, 2)
    quick = run(name, frames, stall=0.4, seed=9)
    plain = amaranth.run(core, pack(job, frames), stall=0.4, seed=9)
    assert np.array_equal(plain.fields[1], quick.fields[1])
    for field in ("out", "last", "in_cycles", "out_cycles"):
        assert np.array_equal(getattr(plain, field), getattr(quick, field)), field
    for cycle in (1, job.beats_in // 2, job.beats_in + 5):
        again = run(name, frames, stall=0.4, seed=9, reset_at=cycle)
        assert np.array_equal(again.fields[1], quick.fields[1])
        assert np.array_equal(again.out_cycles, quick.out_cycles)


def test_what_travels_with_a_value():
    """Bits below the key: of a position where adding is all, of a column's start beside a row."""
    job = PoolJob(PoolSpec("max", 3, 2, 1, indices="plane"), (64, 112, 112), 8)
    bits = {}
    for base in BASES:
        core = asked(core_of(indexed(job, base)))
        words = sum(core.store_words.values()) * job.lanes
        bits[base] = core.store_bits // words - job.input.bits
    assert bits == {"plane": 14, "flat": 14, "flat_columns": 17, "channels_last": 14}
