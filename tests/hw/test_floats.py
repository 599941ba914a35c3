"""Cores of floats over whole ranges, and where ties are settled by the place."""

from functools import cache

import numpy as np
import pytest
from core_bench import core_of, golden, same
from streampool_golden import PoolJob, PoolSpec
from streampool_sim import simulate
from streampool_sim.cases import random_floats
from streampool_sim.engines import fast
from streampool_sim.engines.model import Build
from streampool_sim.frames import pack, unpack

EVERY = 1 << 16

JOBS: dict[str, PoolJob] = {
    "max": PoolJob(PoolSpec("max", 2, 1, dtype="float16", ndim=1), (2, EVERY), 2),
    "min": PoolJob(PoolSpec("min", 2, 1, dtype="float16", nan="ignore", ndim=1), (2, EVERY), 2),
    "third": PoolJob(PoolSpec("avg", 1, divisor_override=3, dtype="float16", ndim=1), (1, EVERY)),
    "relu": PoolJob(
        PoolSpec("max", 1, dtype="float16", clamp=(0, float("inf")), ndim=1), (1, EVERY)
    ),
    "cut": PoolJob(
        PoolSpec("avg", 1, dtype="bfloat16", clamp=(-1.5, 6), divisor_override=3, ndim=1),
        (1, EVERY),
    ),
    "seventh": PoolJob(
        PoolSpec("avg", 1, divisor_override=-7, dtype="bfloat16", ndim=1), (1, EVERY)
    ),
}


@cache
def models():
    cores = [core_of(job) for job in JOBS.values()]
    built = Build(cores, optimise="-O0").load()
    return dict(zip(JOBS, zip(cores, built, strict=True), strict=True))


def pooled(name: str, frames: np.ndarray) -> np.ndarray:
    core, model = models()[name]
    return unpack(core.job, fast.run(core, pack(core.job, frames), model=model).out)


def every(dtype: type) -> np.ndarray:
    return np.arange(EVERY).astype(np.uint16).view(dtype)


@pytest.mark.parametrize("op", ["max", "min"])
def test_every_float16_is_in_order(op):
    """All of them ascending and descending: with each pair of neighbours, all are in order."""
    x = every(np.float16)
    nans, numbers = x[np.isnan(x)], x[~np.isnan(x)]
    # -0 and +0 are next to each other, and equal
    up = np.concatenate([np.sort(numbers, kind="stable"), nans])
    frames = np.stack([up, up[::-1]])[np.newaxis]
    y = pooled(op, frames)[0].view(np.uint16)
    bits = frames[0].view(np.uint16)
    zero = np.flatnonzero(up == 0)
    assert len(zero) == 2
    many, few = len(numbers), len(nans)
    if op == "max":  # NaN wins, of two the last
        expected = [bits[0, 1:].copy(), bits[1, :-1].copy()]
        expected[0][zero[0]] = bits[0, zero[0]]
        expected[1][: few - 1] = bits[1, 1:few]
    else:  # NaN loses, and two are as the highest number
        expected = [bits[0, :-1].copy(), bits[1, 1:].copy()]
        nothing = np.array(np.finfo(np.float16).max).view(np.uint16)
        expected[0][many:] = nothing
        expected[1][: few - 1] = nothing
        at = EVERY - 2 - zero[0]  # descending, the two zeros the other way round
        expected[1][at] = bits[1, at]
    np.testing.assert_array_equal(y, np.stack(expected))


@pytest.mark.parametrize(("name", "divisor"), [("third", 3.0), ("seventh", -7.0)])
def test_every_float_divided_is_the_nearest(name, divisor):
    """In float64 no quotient of so few bits comes near a half, so its cast rounds rightly."""
    kind = JOBS[name].spec.in_dtype.numpy
    x = every(kind.type)
    with np.errstate(invalid="ignore"):
        expected = (x.astype(np.float64) / divisor).astype(kind)
        nan = np.isnan(x)
    y = pooled(name, x.reshape(1, 1, -1)).ravel()
    np.testing.assert_array_equal(y[~nan].view(np.uint16), expected[~nan].view(np.uint16))
    [quiet] = {int(bits) for bits in y[nan].view(np.uint16)}
    assert quiet == {"third": 0x7E00, "seventh": 0x7FC0}[name]


@pytest.mark.parametrize("name", ["relu", "cut"])
def test_every_float_is_clamped(name):
    job = JOBS[name]
    x = every(job.spec.in_dtype.numpy.type).reshape(1, 1, -1)
    y = pooled(name, x)
    np.testing.assert_array_equal(y.view(np.uint16), golden(job, x).view(np.uint16))


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("max", {"dtype": "float32", "clamp": (0, "inf")}),
        ("max", {"dtype": "float16", "clamp": (0, 6), "indices": "plane", "nan": "ignore"}),
        ("min", {"dtype": "bfloat16", "clamp": (-1, 1)}),
        ("avg", {"dtype": "float16", "clamp": (0, 6)}),
        ("sum", {"dtype": "float16", "clamp": ("-inf", 0)}),
    ],
)
def test_clamps_with_stalls(op, fields):
    spec = PoolSpec(op, 2, 1, 1, **fields)
    frames = random_floats(np.random.default_rng(5), spec.in_dtype, (6, 2, 4, 5))
    result = simulate(spec, frames, engine="amaranth", stall=0.4)
    assert result.mismatch is None
    assert same(result.output, golden(PoolJob(spec, (2, 4, 5)), frames))


@pytest.mark.parametrize(("nan", "indices"), [("propagate", None), ("ignore", "plane")])
def test_the_first_in_row_major_order_wins_whichever_axis_is_first(nan, indices):
    """Rows are pooled before columns, which grow: equal zeros come in another order."""
    spec = PoolSpec(
        *("max", (2, 3), (2, 1), ((0, 0), (2, 2))), dtype="float16", nan=nan, indices=indices
    )
    job = PoolJob(spec, (2, 8, 5))
    assert [stage.axis for stage in job.stages] == [0, 1]
    frames = random_floats(np.random.default_rng(7), spec.in_dtype, (6, *job.shape))
    zeros = np.random.default_rng(8).choice([0, 1 << 15, 0x7E01, 0xFE02], (6, *job.shape))
    frames[::2] = zeros.astype(np.uint16).view(np.float16)[::2]
    result = simulate(spec, frames, engine="amaranth")
    assert result.mismatch is None
    assert same(result.output, golden(job, frames))
