"""Cores of every kind, a batch of frames at a time: beats, cycles, latency, store, ports."""

import gc
import re
from functools import cache

import numpy as np
import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from amaranth.hdl import signed, unsigned
from amaranth.lib import data, wiring
from core_bench import core_of, golden, random_frames, same
from core_jobs import DEPTH, JOBS
from step_model import core_steps
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw import PoolCore
from streampool_hw.reduce.stage import AxisStage
from streampool_sim.cases import case
from streampool_sim.engines import Trace, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack

FRAMES = 8


@cache
def built() -> tuple[dict[str, tuple[PoolCore, Model]], list[list]]:
    """Every job's core, all compiled at once, and the payloads of the streams they connect."""
    connect = wiring.connect
    connected = []

    def note(m, *ends):
        connected.append([end.payload.shape() for end in ends])
        connect(m, *ends)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "connect", note)
        cores = [core_of(job) for job in JOBS.values()]
        models = Build(cores, optimise="-O0").load()
    return dict(zip(JOBS, zip(cores, models, strict=True), strict=True)), connected


def core_named(name: str) -> PoolCore:
    return built()[0][name][0]


def run(name: str, frames: np.ndarray, **options) -> Trace:
    core, model = built()[0][name]
    return fast.run(core, pack(core.job, frames), model=model, **options)


def growing(job: PoolJob) -> bool:
    return any(axis.outputs > axis.length for axis in job.axes)


def shrinking(job: PoolJob) -> bool:
    return any(axis.outputs < axis.length for axis in job.axes)


@pytest.mark.parametrize("name", JOBS)
def test_frames_come_out_as_the_golden_model_has_them(name):
    job = JOBS[name]
    frames = random_frames(job, FRAMES, 1)
    for stall, seed in ((0.0, 0), (0.2, 1), (0.5, 2), (0.8, 3)):
        trace = run(name, frames, stall=stall, seed=seed)
        assert same(unpack(job, trace.out), golden(job, frames))
        ends = np.flatnonzero(trace.last) + 1
        assert ends.tolist() == [job.beats_out * (k + 1) for k in range(FRAMES)]


@pytest.mark.parametrize("name", JOBS)
def test_a_frame_takes_exactly_its_beats(name):
    """From a frame's last output to the next one's, of five frames in the steady state."""
    job, core = JOBS[name], core_named(name)
    trace = run(name, random_frames(job, FRAMES))
    ends = trace.out_cycles[job.beats_out - 1 :: job.beats_out]
    taken = np.diff(ends)[1:-1]
    assert len(taken) == 5
    if any(plan.idle for plan in core.plans) or (growing(job) and shrinking(job)):
        assert (taken <= core.cycles_bound).all()
        assert core.cycles_bound <= job.cycles_bound
        assert job.cycles_bound > job.limit_cycles
    else:
        assert taken.tolist() == [max(job.beats_in, job.beats_out)] * 5
    if len(job.stages) == 1:  # one axis alone takes no more than its period
        [plan], [stage] = core.plans, job.stages
        assert taken.tolist() == [plan.period * stage.m * stage.runs] * 5


def test_the_bend_costs_no_more_than_stated():
    """A frame of 6 x 112 pooled to 7 x 56: rows grow behind columns that shrink."""
    job = JOBS["columns shrink, rows grow"]
    rows = job.axes[0]
    [stage] = [stage for stage in job.stages if stage.axis == 0]
    assert job.cycles_bound == job.limit_cycles + (rows.outputs - rows.length) * stage.m


# where a stage waits for the next one, beats are kept between them, which `core_steps` leaves out
LATENCY_NOT_MODELLED = {
    *("both grow", "columns shrink, rows grow", "rows shrink, columns grow"),
    *("planes of one grow behind rows", "l2 that grows", "avg bfloat16 that grows"),
    # slots without an input are not modelled either
    *(name for name, job in JOBS.items() if job.spec.adaptive and growing(job)),
}


@pytest.mark.parametrize("name", sorted(JOBS.keys() - LATENCY_NOT_MODELLED))
def test_every_output_comes_a_constant_latency_after_its_step(name):
    job, core = JOBS[name], core_named(name)
    trace = run(name, random_frames(job, FRAMES))
    idle = [plan.idle for plan in core.plans]
    takes, leaves = core_steps(job, range(FRAMES * job.beats_in), idle)
    assert (trace.in_cycles - trace.in_cycles[0]).tolist() == takes
    delays = trace.out_cycles - trace.in_cycles[0] - np.array(leaves)
    assert set(delays.tolist()) == {core.latency}


@pytest.mark.parametrize(
    ("name", "latency"),
    [
        ("identity", 1),
        ("subsampling", 2),
        (f"max k3 s2, m {DEPTH - 1}", 3),
        (f"max k3 s2, m {DEPTH}", 7),
        ("max k3 s1, one lane", 8 + 7),
        ("max k3 s2", 3 + 7),
    ],
)
def test_the_latency_of_usual_cores(name, latency):
    assert core_named(name).latency == latency


@pytest.mark.parametrize("name", JOBS)
def test_a_reset_in_mid_frame_leaves_a_clean_core(name):
    job = JOBS[name]
    frames = random_frames(job, 2, 5)
    fresh = run(name, frames, stall=0.3, seed=7)
    assert same(unpack(job, fresh.out), golden(job, frames))
    last = fresh.cycles
    for cycle in sorted({*range(min(last, 40)), *range(40, last, 1 + last // 20)}):
        again = run(name, frames, stall=0.3, seed=7, reset_at=cycle)
        assert np.array_equal(again.out, fresh.out), cycle
        assert np.array_equal(again.out_cycles, fresh.out_cycles), cycle
        assert np.array_equal(again.in_cycles, fresh.in_cycles), cycle
        assert np.array_equal(again.last, fresh.last), cycle


def elaborated_stores(core: PoolCore) -> dict[int, tuple[str, int]]:
    """Return the kind and the bits of each axis' store, counted in the core's RTLIL."""
    modules = re.split(r"^module ", rtlil.convert(core, name="top", emit_src=False), flags=re.M)
    found = {}
    for text in modules[1:]:
        match = re.match(r"\\top\.axis_(\d+)\.(?:history|(?:groups\.)?bank_\d+\.store_\d+)\s", text)
        if not match:
            continue
        axis = int(match[1])
        before = found.get(axis, ("", 0))[1]
        memories = re.findall(r"^  memory width (\d+) size (\d+) ", text, flags=re.M)
        if memories:
            [(width, size)] = memories
            found[axis] = "RAM", before + int(width) * int(size)
        else:
            registers = re.findall(r"^    parameter \\WIDTH (\d+)$", text, flags=re.M)
            assert text.count("cell $dff") == text.count("cell ") == len(registers)
            found[axis] = "registers", before + sum(map(int, registers))
    return found


def assert_store_is_as_stated(job: PoolJob) -> PoolCore:
    core = core_of(job)
    found = elaborated_stores(core)
    assert sum(bits for _, bits in found.values()) == core.store_bits
    assert core.store_words.keys() == {stage.axis for stage in job.stages}
    for plan, stage in zip(core.plans, job.stages, strict=True):
        built = core.stages[stage.axis]
        if not isinstance(built, AxisStage):
            continue  # of several columns: test_columns counts its words
        kind, bits = found.get(stage.axis, ("none", 0))
        extremes = job.spec.op in ("max", "min")
        lane = job.spec.in_dtype.bits if extremes else stage.accumulator.bits
        if job.spec.in_dtype.is_float:  # the sign, and whether it is NaN; or four flags
            lane += (1 + (job.spec.nan == "propagate")) if extremes else 4
        words, rest = divmod(bits, built.lanes * lane)
        assert not rest
        assert words == core.store_words[stage.axis] == plan.partials * stage.m
        assert words <= stage.along.limit_partials * stage.m
        if plan.partials:
            assert kind == ("registers" if stage.m < DEPTH else "RAM")
    return core


@pytest.mark.parametrize("name", list(JOBS)[::3])
def test_the_store_has_the_words_that_the_plan_needs(name):
    assert_store_is_as_stated(JOBS[name])


@pytest.mark.parametrize("index", range(8))
def test_the_store_of_any_core_is_as_stated(index):
    assert_store_is_as_stated(case(7, index).job)


@pytest.mark.parametrize(
    ("spec", "shape", "lanes", "words"),
    [
        (PoolSpec("max", 3, 2, 1), (64, 112, 112), 8, {1: 8, 0: 56 * 8}),
        (PoolSpec("max", 2, 2), (64, 224, 224), 8, {1: 8, 0: 112 * 8}),
        (PoolSpec("max", 3, 1, 1), (1, 28, 28), 1, {1: 2, 0: 2 * 28}),
        # each row of windows ends at its last input: one lives at a time, not six
        (PoolSpec("avg", 7, 1), (64, 7, 7), 8, {1: 8, 0: 8}),
        # one partial a channel, whatever the frame's size
        (PoolSpec("avg", "global"), (64, 7, 7), 8, {0: 8}),
        (PoolSpec("max", "global", ndim=3), (64, 2, 3, 4), 8, {0: 8}),
        (PoolSpec("l2", "global"), (64, 9, 9), 8, {0: 8}),
        # C3D's second: planes are held as rows and columns are
        (PoolSpec("max", 2, 2, ndim=3), (128, 4, 28, 28), 8, {2: 16, 1: 14 * 16, 0: 14 * 14 * 16}),
    ],
)
def test_the_stores_of_networks_layers(spec, shape, lanes, words):
    assert assert_store_is_as_stated(PoolJob(spec, shape, lanes)).store_words == words


@pytest.mark.parametrize(
    ("job", "i_lane", "o_lane"),
    [
        (PoolJob(PoolSpec("max", 2, dtype="int5"), (3, 4, 4)), signed(5), signed(5)),
        (PoolJob(PoolSpec("max", 2, dtype="uint5"), (3, 4, 4)), unsigned(5), unsigned(5)),
        (PoolJob(PoolSpec("sum", 2, dtype="int8"), (3, 4, 4)), signed(8), signed(10)),
        (PoolJob(PoolSpec("sum", 2, dtype="uint8"), (3, 4, 4)), unsigned(8), unsigned(10)),
        (PoolJob(PoolSpec("avg", 2, out_dtype="uint4"), (3, 4, 4)), signed(8), unsigned(4)),
        (PoolJob(PoolSpec("min", 1, dtype="uint1"), (9, 4, 4)), unsigned(1), unsigned(1)),
        (PoolJob(PoolSpec("l2", 2, dtype="int8"), (3, 4, 4)), signed(8), signed(8)),
        (PoolJob(PoolSpec("lp1", 2, dtype="int8"), (3, 4, 4)), signed(8), unsigned(10)),
        (PoolJob(PoolSpec("lp2", 2, dtype="int8"), (3, 4, 4)), signed(8), unsigned(9)),
    ],
)
def test_ports_carry_lanes_of_the_types(job, i_lane, o_lane):
    core = core_of(job)
    assert core.i.payload.shape() == data.ArrayLayout(i_lane, job.lanes)
    assert core.o.payload.shape() == data.StructLayout(
        {"data": data.ArrayLayout(o_lane, job.lanes), "last": 1}
    )
    rtlil.convert(core, name="top")  # elaborated, as a core that is made wants to be


def test_no_connection_joins_streams_of_different_layouts():
    """`connect` itself does not look at them."""
    _, connected = built()
    assert len(connected) > len(JOBS)  # what is before and after the stages is joined by wires
    for shapes in connected:
        assert all(shape == shapes[0] for shape in shapes), shapes


def test_the_core_has_its_job():
    spec = PoolSpec("max", 3, 2, 1)
    core = PoolCore(spec, (16, 12, 12))
    assert core.job == PoolJob(spec, (16, 12, 12)) and core.job.lanes == 8
    assert [plan.axis for plan in core.plans] == [core.job.axes[1], core.job.axes[0]]
    rtlil.convert(core, name="top")


@pytest.mark.parametrize(
    ("shape", "lanes", "field"),
    [
        ((16, 12), None, "shape"),
        ((0, 12, 12), None, "shape"),
        ((16, 12, 12), 0, "lanes"),
        ((16, 2, 12), None, "kernel"),
    ],
)
@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_what_cannot_work_is_refused(shape, lanes, field):
    refused = ""
    try:
        PoolCore(PoolSpec("max", 3), shape, lanes)
    except SpecError as error:
        refused = error.field
    gc.collect()  # the core that was not made
    assert refused == field
