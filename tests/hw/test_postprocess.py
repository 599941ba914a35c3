"""What leaves a core: division in gates over whole ranges, saturation, clamps."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from core_bench import core_of, golden, same
from pool_specs import naive_average
from streampool_golden import ROUNDINGS, PoolJob, PoolSpec, float32_ratio
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.blocks.division import Division
from streampool_sim import simulate
from streampool_sim.engines import fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack


def alone(divisor: int, rounding: str, dtype: str, steps: int, **fields) -> PoolJob:
    """Divide each value by a number: no stage, postprocessing alone."""
    spec = PoolSpec(
        "avg", 1, divisor_override=divisor, rounding=rounding, dtype=dtype, ndim=1, **fields
    )
    return PoolJob(spec, (1, steps))


DIVIDED = {
    **{
        f"{rounding} by {divisor}": alone(divisor, rounding, "int8", 256)
        for rounding in ROUNDINGS
        for divisor in (2, 7, -4)
    },
    **{f"{rounding} of int16": alone(6, rounding, "int16", 1 << 16) for rounding in ROUNDINGS[:2]},
    "uint8": alone(-3, "half_even", "uint8", 256, out_dtype="int8"),
    "int1 to 1": alone(200, "half_up", "int8", 256),
    "by 1 and not": alone(-1, "half_away", "int8", 256),
}
WIDE = {
    f"{rounding} of {dtype} by {divisor}": alone(divisor, rounding, dtype, 600)
    for rounding, dtype, divisor in (
        ("half_away", "int32", 9),
        ("half_even", "int24", -6),
        ("half_up", "int19", 4),
        ("floor", "int20", -5),
        ("trunc", "uint32", 48),
    )
}
RESCALED = {
    # each sum of 3x3 int8 windows, by every rounding, with a sign that is not the sum's
    **{
        f"{rounding} about {about}": alone(
            *(9, rounding, "int12", 1 << 12),
            out_dtype="int8",
            scale=float32_ratio(0.0173, 0.0291),
            zero_points=(77, -30),
            rounding_about=about,
        )
        for rounding in ROUNDINGS
        for about in ("raw", "zero_point")
    },
    "a negative divisor": alone(
        -4, "half_away", "int10", 1 << 10, scale="5/3", zero_points=(7, 100)
    ),
    "many bits": alone(
        *(49, "half_even", "uint12", 1 << 12),
        scale=Fraction((1 << 55) - 3, (1 << 53) + 5),
        zero_points=(900, 11),
    ),
    "powers of two": alone(1, "half_up", "int10", 1 << 10, scale="4", zero_points=(-3, 3)),
    "a zero alone": alone(1, "floor", "int8", 256, zero_points=(0, 100)),
    "halves": alone(2, "half_even", "int8", 256, zero_points=(1, 1)),
    "halves about a zero": alone(
        2, "half_even", "uint8", 256, zero_points=(1, 3), rounding_about="zero_point"
    ),
}
CUT = {
    "average into uint4": PoolJob(PoolSpec("avg", 2, dtype="int8", out_dtype="uint4"), (1, 8, 8)),
    "average into int4": PoolJob(PoolSpec("avg", 2, dtype="uint8", out_dtype="int4"), (1, 8, 8)),
    "average, clamp": PoolJob(PoolSpec("avg", 2, clamp=(-20, 30)), (1, 8, 8)),
    "average beyond its type": PoolJob(PoolSpec("avg", 3, divisor_override=2), (1, 9, 9)),
    "sum into int8": PoolJob(PoolSpec("sum", 2, out_dtype="int8", saturate=True), (1, 8, 8)),
    "sum into uint8": PoolJob(PoolSpec("sum", 2, out_dtype="uint8", saturate=True), (1, 8, 8)),
    "sum of uint8 into int9": PoolJob(
        PoolSpec("sum", 2, dtype="uint8", out_dtype="int9", saturate=True), (1, 8, 8)
    ),
    "max, ReLU": PoolJob(PoolSpec("max", 2, clamp=(0, 127)), (1, 8, 8)),
    "max, one value": PoolJob(PoolSpec("max", 2, clamp=(-5, -5)), (1, 8, 8)),
    "min into int4": PoolJob(PoolSpec("min", 2, out_dtype="int4", saturate=True), (1, 8, 8)),
    "max of uint8 into int8": PoolJob(
        PoolSpec("max", 2, dtype="uint8", out_dtype="int8", saturate=True), (1, 8, 8)
    ),
    "max into a wider type": PoolJob(
        PoolSpec("max", 2, out_dtype="int12", saturate=True), (1, 8, 8)
    ),
}
JOBS = DIVIDED | WIDE | RESCALED | CUT


@cache
def built() -> dict[str, tuple[PoolCore, Model]]:
    cores = {name: core_of(job) for name, job in JOBS.items()}
    models = Build(list(cores.values()), optimise="-O0").load()
    return {name: (core, model) for (name, core), model in zip(cores.items(), models, strict=True)}


def run(name: str, frames: np.ndarray) -> np.ndarray:
    core, model = built()[name]
    return unpack(core.job, fast.run(core, pack(core.job, frames), model=model).out)


def assert_divided(job: PoolJob, values: np.ndarray, out: np.ndarray):
    divisor, output = job.divisor_constant, job.output
    assert divisor is not None
    exact = [naive_average(job.spec, int(v), divisor, 1) for v in values.flat]
    assert out.ravel().tolist() == [min(max(v, output.low), output.high) for v in exact]


@pytest.mark.parametrize("name", [*DIVIDED, *RESCALED])
def test_every_value_is_divided_exactly(name):
    job = JOBS[name]
    dtype = job.spec.in_dtype
    values = np.arange(dtype.low, dtype.high + 1).astype(dtype.numpy).reshape(1, 1, -1)
    assert values.size == job.shape[1]
    assert_divided(job, values, run(name, values))


@pytest.mark.parametrize("name", WIDE)
def test_wide_values_are_divided_exactly_where_it_is_tight(name):
    job = JOBS[name]
    dtype, divisor = job.spec.in_dtype, job.divisor_constant
    assert divisor is not None
    most = -(-max(-dtype.low, dtype.high) // abs(divisor))
    assert not Division((divisor,), -most, most, job.spec.rounding).multiplies
    rng = np.random.default_rng(len(name))
    turns = rng.integers(dtype.low // abs(divisor) + 2, dtype.high // abs(divisor) - 2, 100)
    near = (turns[:, None] * abs(divisor) + np.arange(-2, 3)).ravel()
    ties = turns * abs(divisor) + abs(divisor) // 2
    ends = np.r_[np.arange(-10, 10), dtype.low + np.arange(5), dtype.high - np.arange(5)]
    values = np.r_[near, ties, ends]
    values = values[(values >= dtype.low) & (values <= dtype.high)]
    values = np.resize(values, 2 * job.shape[1]).astype(dtype.numpy).reshape(2, 1, -1)
    assert_divided(job, values, run(name, values))


@pytest.mark.parametrize("name", CUT)
def test_what_does_not_fit_is_cut_to_the_nearest_end(name):
    job = JOBS[name]
    rng, dtype = np.random.default_rng(0), job.spec.in_dtype
    frames = rng.integers(dtype.low, dtype.high, (6, *job.shape), endpoint=True)
    frames[3:] = rng.choice([dtype.low, dtype.high], frames[3:].shape)
    frames[5] //= 16  # some that fit
    frames = frames.astype(dtype.numpy)
    out = run(name, frames)
    assert same(out, golden(job, frames))
    assert {int(out.min()), int(out.max())} <= {*range(job.bounds[0], job.bounds[1] + 1)}


@pytest.mark.parametrize(
    ("job", "clocks"),
    [
        # nothing to do: wires behind the stages
        (PoolJob(PoolSpec("max", 2), (8, 8, 8), 1), 0),
        (PoolJob(PoolSpec("sum", 2), (8, 8, 8), 1), 0),
        (PoolJob(PoolSpec("avg", 2, divisor_override=1, out_dtype="int10"), (8, 8, 8), 1), 0),
        # compare, select, FIFO
        (PoolJob(PoolSpec("max", 2, clamp=(0, 6)), (8, 8, 8), 1), 3),
        # hold, offset, cut, end, FIFO
        (PoolJob(PoolSpec("avg", 2), (8, 8, 8), 1), 5),
        (PoolJob(PoolSpec("avg", 2, rounding="half_even"), (8, 8, 8), 1), 5),
        # and a multiplier of three
        (PoolJob(PoolSpec("avg", (2, 3)), (8, 8, 8), 1), 8),
        # by the even part of 12 in wires, by 3 = 4 - 1 in one clock; and a clamp of two
        (PoolJob(PoolSpec("avg", 2, rounding="half_up", scale=12), (8, 8, 8), 1), 8),
        # a sign that is not the sum's: looked up, compared; a clamp of two; a second FIFO
        (PoolJob(PoolSpec("avg", 2, zero_points=(5, 3)), (8, 8, 8), 1), 10),
        # zero points that add up to nothing
        (PoolJob(PoolSpec("avg", 2, zero_points=(5, 5)), (8, 8, 8), 1), 5),
    ],
)
def test_postprocessing_takes_the_clocks_that_it_needs(job, clocks):
    core, stages = (
        asked(core_of(each)) for each in (job, PoolJob(PoolSpec("max", 2), (8, 8, 8), 1))
    )
    assert core.latency - stages.latency == clocks


def test_a_core_for_frames_of_any_size_is_made_at_once():
    # one product of divisors a kind of window, not a window: else this would take minutes
    core = PoolCore(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (1, 8000, 8000), 1)
    assert core.job.limit_cycles == 8000**2


@pytest.mark.parametrize(
    ("op", "dtype", "out_dtype"),
    [("avg", "int16", "uint64"), ("min", "int32", "uint64"), ("gem4", "int16", "int64")],
)
def test_the_widest_outputs_have_a_core(op, dtype, out_dtype):
    spec = PoolSpec(op, 2, dtype=dtype, out_dtype=out_dtype, saturate=True)
    x = np.array([[[[-30000, 7], [30000, -1]]]], dtype)
    assert simulate(spec, x).mismatch is None
