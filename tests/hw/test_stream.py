"""The streams of a core, clock by clock: gaps, silence, stalls, resets, stability."""

import random

import numpy as np
import pytest
from axes import axes
from core_bench import Log, core_of, drive, from_bits, golden, random_frames, same, to_bits
from core_jobs import DEPTH, JOBS
from hypothesis import given, settings
from hypothesis import strategies as st
from step_model import core_steps, leave_slots
from streampool_golden import PoolJob, PoolSpec, SpecError, pool
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.reduce.timing import Timing
from streampool_sim import simulate

MODELLED = [
    "max k3 s2",
    "min k2x3",
    "avg k3 pads not counted",
    "avg restoring",
    "sum k4 s1, m 2",
    f"max k3 s2, m {DEPTH}",
    "grows, RAM",
    "max, crops",
]


def assert_frames(job: PoolJob, log: Log, frames: np.ndarray):
    out, last = from_bits(job, log.beats)
    assert same(out, golden(job, frames))
    assert last == ([0] * (job.beats_out - 1) + [1]) * len(frames)
    log.assert_stable()


@pytest.mark.parametrize("name", MODELLED)
@pytest.mark.parametrize("share", [0.05, 0.4])
def test_each_output_is_latency_after_its_step_whatever_the_gaps(name, share):
    job = JOBS[name]
    core = core_of(job)
    frames = random_frames(job, 4)
    rng = random.Random(name)
    gaps = [
        rng.choice([1, 2, 3, 9]) if rng.random() < share else 0 for _ in range(4 * job.beats_in)
    ]
    gaps[2 * job.beats_in] = 3 * job.beats_out + 20  # a frame that comes when all has drained
    log = drive(
        core,
        to_bits(job, frames),
        gaps=gaps.__getitem__,
        clocks=sum(gaps) + 5 * core.job.cycles_bound + 60,
    )
    assert_frames(job, log, frames)
    takes, leaves = core_steps(job, log.offers, [plan.idle for plan in core.plans])
    assert log.takes == takes
    assert log.gives == [t + core.latency for t in leaves]


@pytest.mark.parametrize(
    "job",
    [
        PoolJob(PoolSpec("max", 3, 2, 1, ndim=1), (1, 9)),
        PoolJob(PoolSpec("max", 5, 1, 2, ndim=1), (4, 6), 1),
        PoolJob(PoolSpec("sum", 5, 1, 2, ndim=1, dtype="uint4"), (DEPTH, 5), 1),
        PoolJob(PoolSpec("max", 4, 3, ((0, 3),), ndim=1), (2, 7), 1),
        PoolJob(PoolSpec("max", 4, 1, ((1, 2),), ndim=1), (3, 2), 1),
        PoolJob(PoolSpec("max", (3, 1), 1, (1, 0)), (1, 4, 3)),
        PoolJob(PoolSpec("max", 2, 1, 1, ndim=1), (1, 5)),
        PoolJob(PoolSpec("max", 2, 1, 1, ndim=1), (DEPTH, 3), 1),
        PoolJob(PoolSpec("min", 6, 1, ((5, 5),), ndim=1), (2, 3), 1),
        PoolJob(PoolSpec("max", 5, 2, 4, ndim=1), (2, 2), 1),
        PoolJob(PoolSpec("max", 2, 1, 1, ndim=1), (2, 1), 1),
        PoolJob(PoolSpec("max", 7, 2, 6, ndim=1), (1, 3)),
        PoolJob(PoolSpec("sum", 7, 2, 6, ndim=1, dtype="int4"), (DEPTH + 1, 1), 1),
        # pads so wide that the plan takes an idle slot
        PoolJob(PoolSpec("max", 3, 2, 2, ndim=1), (2, 3), 1),
        PoolJob(PoolSpec("max", 7, 2, ((4, 6),), ndim=1), (DEPTH, 5), 1),
    ],
    ids=lambda job: f"k{job.spec.kernel[0]} s{job.spec.stride[0]} {job.shape}",
)
def test_a_frame_waits_for_the_one_before_only_where_outputs_are_more(job):
    """Every gap between two frames, from none to past the end of the drain."""
    core = core_of(job)
    [plan], [stage] = core.plans, job.stages
    axis, m = stage.along, stage.m
    leave, _ = leave_slots(axis, plan.idle)
    drain = sum(slot >= axis.length for slot in leave)
    between = range((axis.length + drain) * m + 10)
    frames = random_frames(job, len(between) + 1)
    gaps = dict(
        zip(range(job.beats_in, len(frames) * job.beats_in, job.beats_in), between, strict=True)
    )
    log = drive(
        core,
        to_bits(job, frames),
        gaps=lambda beat: gaps.get(beat, 0),
        clocks=sum(between) + len(frames) * job.cycles_bound + 80,
    )
    assert_frames(job, log, frames)
    offers = log.offers
    assert len(offers) == len(frames) * job.beats_in
    more = max(0, axis.outputs - axis.length) + plan.idle
    assert plan.idle == 0 or axis.idle_bound > 0
    for beat, (since, taken) in enumerate(zip(offers, log.takes, strict=True)):
        expected = max(0, more * m - gaps[beat]) if beat in gaps else 0
        assert taken - since == expected, (beat, gaps.get(beat))


@pytest.mark.parametrize("name", [*MODELLED, "both grow", "columns shrink, rows grow", "identity"])
def test_the_end_of_a_frame_comes_out_by_itself(name):
    """One frame, then a long silence; and a second one after it."""
    job = JOBS[name]
    core = core_of(job)
    frames = random_frames(job, 2)
    silence = 4 * job.cycles_bound + 100
    log = drive(
        core,
        to_bits(job, frames),
        gaps=lambda beat: silence if beat == job.beats_in else 0,
        clocks=2 * silence + 2 * job.cycles_bound,
    )
    assert_frames(job, log, frames)
    first = [t for t in log.gives if t < log.takes[job.beats_in]]
    assert len(first) == job.beats_out
    assert first[-1] - log.takes[0] < job.cycles_bound + job.beats_out + core.latency


@pytest.mark.parametrize("name", [*MODELLED, "both grow", "columns shrink, rows grow", "identity"])
def test_gaps_and_stalls_change_no_beat(name):
    job = JOBS[name]
    frames = random_frames(job, 4)
    rng = random.Random(name)
    # long quiet on either side now, short ones then
    ready = [rng.random() < (0.2, 0.9, 0.5)[t // 40 % 3] for t in range(20 * job.cycles_bound)]
    log = drive(
        core_of(job),
        to_bits(job, frames),
        gaps=lambda beat: rng.choice((0, 0, 0, 1, 2, 5)) if beat // 30 % 2 else 0,
        ready=lambda t: t >= len(ready) or ready[t],
        clocks=20 * job.cycles_bound,
    )
    assert_frames(job, log, frames)


@pytest.mark.parametrize("name", [*MODELLED, "both grow", "identity"])
def test_a_core_whose_output_is_never_taken_holds_still(name):
    """Valid does not wait for ready, and input is refused before anything is lost."""
    job = JOBS[name]
    core = core_of(job)
    held = 16 * (len(job.stages) + 4)  # more beats than there are places in its FIFOs
    count = held // min(job.beats_in, job.beats_out) + 3
    frames = random_frames(job, count)
    hold = count * job.cycles_bound
    log = drive(
        core,
        to_bits(job, frames),
        ready=lambda t: t >= hold,
        clocks=hold + count * job.cycles_bound + 100,
    )
    assert_frames(job, log, frames)
    assert log.o_valid[hold // 2 : hold] == [1] * (hold - hold // 2)
    assert log.i_ready[hold - 5 : hold] == [0] * 5


@pytest.mark.parametrize(
    "job",
    [
        PoolJob(PoolSpec("max", 7, 1, 3, ndim=1), (DEPTH + 2, 3), 1),
        PoolJob(PoolSpec("max", 13, 1, 6, ndim=1), (DEPTH - 1, 9), 1),
        PoolJob(PoolSpec("max", 3, 1, 1), (1, 2, 24)),
        PoolJob(PoolSpec("sum", 4, 1, 3, ndim=1, dtype="uint3"), (2 * DEPTH, 2), 1),
    ],
    ids=["RAM", "registers", "rows", "grows"],
)
def test_a_drain_waits_for_room(job):
    """More is left of a frame than the FIFO holds, and nobody takes it once all input is in."""
    frames = random_frames(job, 2)
    quiet = 4 * job.cycles_bound
    log = drive(
        core_of(job),
        to_bits(job, frames),
        gaps=lambda beat: 2 * quiet if beat == job.beats_in else 0,
        ready=lambda t: not job.beats_in <= t <= quiet,
        clocks=6 * quiet,
    )
    assert sum(t <= quiet for t in log.takes) == job.beats_in
    assert_frames(job, log, frames)


@pytest.mark.parametrize("name", ["max k3 s2", "avg restoring", "grows, RAM", "identity"])
def test_no_output_without_input(name):
    job = JOBS[name]
    log = drive(core_of(job), [], clocks=4 * job.cycles_bound + 100)
    assert not any(log.o_valid)
    assert all(log.i_ready)


@pytest.mark.parametrize("name", ["max k3 s2", "avg k3 pads not counted", "grows, RAM", "identity"])
def test_resets_at_any_time_and_length(name):
    job = JOBS[name]
    frames = random_frames(job, 2)
    rng = random.Random(name)
    resets, t = set(), 0
    for _ in range(12):
        t += rng.randrange(1, 2 * job.beats_in)
        resets |= set(range(t, t + rng.choice((1, 1, 3))))
    end = max(resets) + 1
    ready = [rng.random() < 0.7 for _ in range(end)]
    log = drive(
        core_of(job),
        to_bits(job, frames),
        gaps=lambda beat: int(beat % 7 == 3),
        ready=lambda t: t >= end or ready[t],
        resets=resets,
        clocks=end + 6 * job.cycles_bound + 100,
    )
    log.assert_stable(resets)
    assert not any(log.o_valid[t + 1] for t in resets)
    whole = Log(*(getattr(log, name)[end:] for name in vars(log)))
    assert_frames(job, whole, frames)


@given(
    axes(longest=12),
    st.integers(1, DEPTH + 2),
    st.sampled_from(["max", "sum"]),
    st.integers(0, 2**32),
)
@settings(max_examples=40)
def test_any_axis_keeps_its_times_with_any_gaps(axis, m, op, seed):
    """One axis of any kind: every beat, and the clock of every take and every output."""
    pads = ((axis.before, axis.after),)
    try:
        spec = PoolSpec(
            op, axis.kernel, axis.stride, pads, axis.dilation, dtype="int6", ndim=1, ceil_mode=True
        )
        job = PoolJob(spec, (m, axis.length), 1)
    except SpecError:
        return
    rng = random.Random(seed)
    frames = random_frames(job, 4, seed)
    beats = to_bits(job, frames)
    gaps = [rng.choice((0, 0, 0, 0, 1, 4)) for _ in beats]
    for start in range(0, len(gaps), job.beats_in):
        gaps[start] = rng.choice((0, 1, 3 * m, 40))
    core = core_of(job)
    log = drive(
        core,
        beats,
        gaps=gaps.__getitem__,
        clocks=sum(gaps) + 4 * job.cycles_bound + job.beats_out + 40,
    )
    assert_frames(job, log, frames)
    takes, leaves = core_steps(job, log.offers, [plan.idle for plan in core.plans])
    assert log.takes == takes
    assert log.gives == [t + core.latency for t in leaves]


@pytest.mark.parametrize("shape", [(1, 4, 16), (1, 4, 4)], ids=["in a RAM", "in turns"])
def test_a_deeper_pipeline_is_one_number(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch):
    spec = PoolSpec("max", 2)
    before = asked(PoolCore(spec, shape)).latency
    monkeypatch.setattr(Timing, "COMBINE", Timing.COMBINE + 1)
    monkeypatch.setattr(AxisStage, "DEPTH", Timing.ram(1).depth + 1)
    assert asked(PoolCore(spec, shape)).latency > before
    x = np.random.default_rng(3).integers(-128, 128, (3, *shape), dtype=np.int8)
    result = simulate(spec, x, engine="amaranth", stall=0.3, seed=1)
    assert np.array_equal(result.output, pool(spec, x))
