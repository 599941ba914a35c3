"""Cores with several columns a beat: values, cycles, latency, words, resets, streams."""

import gc
import random
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Fragment
from column_jobs import COLUMN_JOBS
from core_bench import Log, drive, from_bits, random_frames, same, to_bits
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw import PoolCore
from streampool_hw.schedule.columns import ApartPlan, UniformPlan
from streampool_sim.engines import Trace, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack
from streampool_sim.simulation import compare
from streampool_sim.stats import frame_cycles

FRAMES = 6
BENDS = {"columns grow behind rows", "idle"}


@cache
def built() -> dict[str, tuple[PoolCore, Model]]:
    """Every job's core, all compiled at once."""
    cores = [PoolCore(job) for job in COLUMN_JOBS.values()]
    models = Build(cores, optimise="-O0").load()
    return dict(zip(COLUMN_JOBS, zip(cores, models, strict=True), strict=True))


def made(*what) -> PoolCore:
    """Make a core that is not run, without Amaranth's warning that it is never used."""
    core = PoolCore(*what)
    Fragment.get(core, None)
    return core


def run(name: str, frames: np.ndarray, **options) -> Trace:
    core, model = built()[name]
    return fast.run(core, pack(core.job, frames, seed=3), model=model, **options)


@pytest.mark.parametrize("name", COLUMN_JOBS)
def test_frames_come_out_as_the_golden_model_has_them(name):
    job, (core, _) = COLUMN_JOBS[name], built()[name]
    frames = random_frames(job, FRAMES, 1)
    right = job.reference(frames)
    for stall, seed in ((0.0, 0), (0.2, 1), (0.5, 2), (0.8, 3)):
        trace = run(name, frames, stall=stall, seed=seed)
        _, mismatch = compare(job, trace, *right)
        assert mismatch is None
    taken = frame_cycles(run(name, frames), job.beats_out)
    assert core.cycles_bound <= job.cycles_bound
    if name in BENDS:
        assert (taken <= core.cycles_bound).all() and job.cycles_bound > job.limit_cycles
    else:
        assert set(taken.tolist()) == {max(job.beats_in, job.beats_out)}
        assert core.cycles_bound == job.limit_cycles


def test_the_jobs_reach_both_forms_and_every_corner():
    plans = [plan for core, _ in built().values() for plan in core.plans]
    uniform = [plan for plan in plans if isinstance(plan, UniformPlan)]
    assert any(isinstance(plan, ApartPlan) for plan in plans)
    for found in (
        [plan.waits for plan in uniform],
        [plan.idle > 0 for plan in uniform],
        [plan.drain > 1 for plan in uniform],
        [plan.drain > 0 and plan.axis.stride > 1 for plan in uniform],
        [len(plan.masked_ages) > 1 for plan in uniform],
        [bool(plan.masked_columns) for plan in uniform],
        [plan.axis.groups == 1 for plan in uniform],
        [bool(plan.kept) for plan in uniform],
    ):
        assert any(found) and not all(found)


@pytest.mark.parametrize("name", COLUMN_JOBS)
def test_words_are_those_of_the_schedule_and_within_the_limit(name):
    core, _ = built()[name]
    for plan, stage in zip(core.plans, core.job.stages, strict=True):
        assert core.store_words[stage.axis] == plan.partials * stage.m
        assert core.store_words[stage.axis] <= core.words_bound[stage.axis]


@pytest.mark.parametrize("name", sorted(COLUMN_JOBS.keys() - BENDS))
def test_the_first_output_comes_a_constant_latency_after_its_beat(name):
    """The beat that lets the first group leave, whatever comes before and after it."""
    core, _ = built()[name]
    job = core.job
    frames, delays = random_frames(job, 2, 2), set()
    if any(plan.waits for plan in core.plans):
        pytest.skip("it waits for an axis that grows")
    slots = {stage.axis: plan.leave[0] for plan, stage in zip(core.plans, job.stages, strict=True)}
    lengths = [*job.size[:-1], -(-job.size[-1] // job.columns)]
    if job.stages and job.stages[0].along not in job.axes:
        lengths = [int(np.prod(lengths))]
    at = 0
    for axis, length in enumerate(lengths):
        at = at * length + slots.get(axis, 0)
    for stall in (0.0, 0.4):
        trace = run(name, frames, stall=stall, seed=5)
        delays.add(int(trace.out_cycles[0] - trace.in_cycles[at * job.fold]))
        if not stall:
            assert delays == {core.latency}
    assert min(delays) == core.latency


@pytest.mark.parametrize("name", COLUMN_JOBS)
def test_a_reset_in_mid_frame_leaves_a_clean_core(name):
    job = COLUMN_JOBS[name]
    frames = random_frames(job, 2, 5)
    right = job.reference(frames)
    fresh = run(name, frames, stall=0.3, seed=7)
    last = fresh.cycles
    for cycle in sorted({*range(min(last, 40)), *range(40, last, 1 + last // 20)}):
        again = run(name, frames, stall=0.3, seed=7, reset_at=cycle)
        found, _ = compare(job, again, *right)
        assert all(map(same, found, right)), cycle
        assert np.array_equal(again.out_cycles, fresh.out_cycles), cycle


STREAMED = ["max k3 s2", "min k5, dilated", "sum, crop and pad", "apart, in a RAM", "columns grow"]


@pytest.mark.parametrize("name", STREAMED)
def test_a_beat_shown_stays_and_frames_may_come_late(name):
    """In Amaranth's simulator: gaps of any length between beats and frames, stalls and resets."""
    job, rng = COLUMN_JOBS[name], random.Random(name)
    frames = random_frames(job, 3)
    gaps = [rng.choice([1, 2, 9]) if rng.random() < 0.3 else 0 for _ in range(3 * job.beats_in)]
    gaps[2 * job.beats_in] = 3 * job.beats_out + 40  # a frame that comes when all has drained
    resets = set(range(job.beats_in, job.beats_in + 3))
    ready = [rng.random() < 0.7 for _ in range(2 * job.beats_in)]
    log = drive(
        PoolCore(job),
        to_bits(job, frames),
        gaps=gaps.__getitem__,
        ready=lambda t: t >= len(ready) or ready[t],
        resets=resets,
        clocks=sum(gaps) + 6 * job.cycles_bound + 150,
    )
    log.assert_stable(resets)
    end = max(resets) + 1
    whole = Log(*(getattr(log, each)[end:] for each in vars(log)))
    out, last = from_bits(job, whole.beats)
    assert same(out, job.reference(frames)[0])
    assert last == ([0] * (job.beats_out - 1) + [1]) * 3


def test_a_core_feeds_the_next():
    first = PoolJob(PoolSpec("max", 2), (2, 8, 32), 1, 8)
    then = PoolJob(PoolSpec("avg", 3, 1, 1), first.out_shape, 1, first.columns_out)
    one, other = made(first), made(then)
    assert one.o.payload.data.shape() == other.i.payload.shape()


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_a_job_says_its_columns_itself():
    job, refused = COLUMN_JOBS["max k3 s1"], ""
    assert made(job.spec, job.shape, job.lanes, 4).job == job
    try:
        PoolCore(job, columns=4)
    except SpecError as error:
        refused = str(error)
    gc.collect()  # the core that was not made
    assert refused == "columns 4 has no meaning with a job, which has it; leave it out."
