"""The engines: the same beats in the same clocks, and no fault of a core goes by."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from broken_cores import FAULTS, BrokenCore
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw import PoolCore
from streampool_sim.engines import EngineError, Trace, amaranth, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack

ENGINES = ("amaranth", "fast")

JOBS = {
    "2-D, max": PoolJob(PoolSpec("max", 3, 2, 1), (3, 7, 9), 2),
    "2-D, average": PoolJob(PoolSpec("avg", (2, 3), 1, "same", rounding="half_even"), (2, 5, 6), 2),
    "1-D, min": PoolJob(PoolSpec("min", 2, ndim=1, dtype="uint5"), (5, 14), 3),
    "growing": PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint16"), (1, 4, 5), 1),
    "wide": PoolJob(PoolSpec("sum", 3, 1, 1, dtype="int32"), (1, 4, 6), 1),
    "narrow": PoolJob(PoolSpec("min", 2, dtype="uint1"), (7, 4, 4), 7),
    "dropped rows": PoolJob(PoolSpec("max", (2, 1), (9, 1)), (1, 10, 4), 1),
    "a register": PoolJob(PoolSpec("max", 1, clamp=(-3, 20)), (2, 3, 5), 2),
    "one value": PoolJob(PoolSpec("avg", 1, dtype="int17"), (1, 1, 1), 1),
}


@cache
def models() -> dict[str, tuple[PoolCore, Model]]:
    cores = {name: PoolCore(job) for name, job in JOBS.items()}
    cores |= {fault: BrokenCore(fault) for fault in FAULTS}
    built = Build(list(cores.values()), optimise="-O0").load()
    return {name: (core, model) for (name, core), model in zip(cores.items(), built, strict=True)}


def run(engine: str, name: str, beats: Sequence[np.ndarray], **options) -> Trace:
    core, model = models()[name]
    if engine == "fast":
        return fast.run(core, beats, model=model, **options)
    return amaranth.run(core, beats, **options)


def random_frames(job: PoolJob, count: int) -> np.ndarray:
    dtype = job.spec.in_dtype
    rng = np.random.default_rng(job.beats_in)
    x = rng.integers(dtype.low, dtype.high, (count, *job.shape), np.int64, endpoint=True)
    return x.astype(dtype.numpy)


def assert_same(one: Trace, other: Trace) -> None:
    for field in ("out", "last", "in_cycles", "out_cycles", "cycles"):
        assert np.array_equal(getattr(one, field), getattr(other, field)), field
    assert one.out.dtype == other.out.dtype


@pytest.mark.parametrize("stall", [0, 0.4, (0.1, 0.8), (0.8, 0.1)])
@pytest.mark.parametrize("name", JOBS)
def test_engines_agree_to_the_cycle_and_with_the_golden_model(name, stall):
    job = JOBS[name]
    x = random_frames(job, 3)
    beats = pack(job, x)
    plain, quick = (run(engine, name, beats, stall=stall, seed=11) for engine in ENGINES)
    assert (plain.engine, quick.engine) == ENGINES
    assert_same(plain, quick)
    assert np.array_equal(unpack(job, plain.out), pool(job.spec, x))
    ends = np.flatnonzero(plain.last) + 1
    assert ends.tolist() == [job.beats_out, 2 * job.beats_out, 3 * job.beats_out]
    assert (np.diff(plain.out_cycles) > 0).all()
    assert (np.diff(plain.in_cycles) > 0).all()


def test_inputs_that_no_window_reads_are_taken_though_all_outputs_are_there():
    """With the source idle most of the time, they come long after the last output."""
    job = JOBS["dropped rows"]
    beats = pack(job, random_frames(job, 2))
    plain, quick = (run(engine, "dropped rows", beats, stall=0.9, seed=5) for engine in ENGINES)
    assert_same(plain, quick)
    assert len(plain.in_cycles) == 2 * job.beats_in
    assert plain.in_cycles[-1] > plain.out_cycles[-1] + 64


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["2-D, max", "growing"])
def test_a_reset_in_mid_frame_leaves_a_clean_core(engine, name):
    job = JOBS[name]
    beats = pack(job, random_frames(job, 2))
    fresh = run(engine, name, beats, stall=0.3, seed=2)
    for cycle in (0, 1, 17, job.beats_in + 3, fresh.cycles // 2):
        assert_same(run(engine, name, beats, stall=0.3, seed=2, reset_at=cycle), fresh)


@pytest.mark.parametrize("engine", ENGINES)
def test_count_goes_round_the_frames_again(engine):
    job = JOBS["2-D, max"]
    [beats] = pack(job, random_frames(job, 2))
    twice = run(engine, "2-D, max", [beats], count=5)
    assert_same(twice, run(engine, "2-D, max", [beats[[0, 1, 0, 1, 0]]]))


@pytest.mark.parametrize("engine", ENGINES)
def test_seeds_move_the_beats_and_change_none(engine):
    job = JOBS["1-D, min"]
    beats = pack(job, random_frames(job, 3))
    one, other = (run(engine, "1-D, min", beats, stall=0.5, seed=seed) for seed in (-1, 2**70))
    assert np.array_equal(one.out, other.out)
    assert not np.array_equal(one.out_cycles, other.out_cycles)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_beat_once_shown_stays_until_it_is_taken(engine):
    beats = np.random.default_rng(0).integers(0, 256, (40, 12, 2)).astype(np.uint8)
    trace = run(engine, "unstable input", [beats], stall=0.5, seed=3)
    refused = np.diff(trace.in_cycles) > 1
    assert refused.any()
    assert not trace.out.any()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_core_without_a_fault_passes(engine):
    beats = np.random.default_rng(0).integers(0, 256, (3, 12, 2)).astype(np.uint8)
    trace = run(engine, "none", [beats])
    assert np.array_equal(trace.out, beats.reshape(-1, 2))


@pytest.mark.parametrize("stall", [0, 0.6])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_core_that_stops_is_reported(engine, stall):
    beats = np.zeros((3, 12, 2), np.uint8)
    with pytest.raises(EngineError, match=r"stopped after 17 of 36 output beats"):
        run(engine, "stuck", [beats], stall=stall)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_beat_too_many_is_reported(engine):
    beats = np.zeros((2, 12, 2), np.uint8)
    with pytest.raises(EngineError, match=r"more than the 24 output beats"):
        run(engine, "surplus", [beats])


@pytest.mark.parametrize("fault", ["unstable output", "withdrawn"])
def test_a_beat_that_changes_while_it_waits_is_reported(fault):
    beats = np.zeros((3, 12, 2), np.uint8)
    said = set()
    for engine in ENGINES:
        assert not run(engine, fault, [beats]).out.any()  # where it never waits
        with pytest.raises(EngineError, match="changed an output beat before") as raised:
            run(engine, fault, [beats], stall=0.7, seed=1)
        said.add(str(raised.value))
    assert len(said) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(12, 2), (1, 11, 2), (1, 12, 3)])
def test_frames_of_another_shape_are_refused(engine, shape):
    with pytest.raises(ValueError, match=r"use \(frames, 12, 2\)"):
        run(engine, "none", [np.zeros(shape, np.uint8)])


@pytest.mark.parametrize("engine", ENGINES)
def test_progress_is_told(engine):
    job = JOBS["a register"]
    said: list[tuple[int, int]] = []
    run(
        engine,
        "a register",
        pack(job, random_frames(job, 2)),
        count=300,
        progress=lambda done, total: said.append((done, total)),
    )
    assert said
    assert all(0 < done <= total == 300 * job.beats_out for done, total in said)
