"""Roots in gates: of every square and its parts, of sums, of what fills an accumulator."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from core_bench import core_of, golden
from pool_specs import naive_round_root
from streampool_golden import ROUNDINGS, PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_sim.engines import fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack


def alone(divisor: int, rounding: str, dtype: str, steps: int) -> PoolJob:
    """The root of each value's square over a number: no stage."""
    spec = PoolSpec(
        *("l2", 1),
        divisor_override=divisor,
        rounding=rounding,
        dtype=dtype,
        out_dtype="uint32",
        ndim=1,
    )
    return PoolJob(spec, (1, steps))


EVERY = {
    f"{rounding} by {divisor}": alone(divisor, rounding, "int8", 256)
    for rounding in ROUNDINGS
    for divisor in (3, 4)
}
WIDE = {
    f"{rounding} of {dtype}": PoolJob(
        PoolSpec(op, kernel, rounding=rounding, dtype=dtype, ndim=1), (1, 60 * kernel)
    )
    for op, rounding, dtype, kernel in (
        ("l2", "half_away", "int30", 3),
        ("l2", "half_even", "uint31", 1),
        ("lp2", "half_even", "int29", 16),
    )
}
JOBS = EVERY | WIDE


@cache
def built() -> dict[str, tuple[PoolCore, Model]]:
    cores = {name: core_of(job) for name, job in JOBS.items()}
    models = Build(list(cores.values()), optimise="-O0").load()
    return {name: (core, model) for (name, core), model in zip(cores.items(), models, strict=True)}


def run(name: str, frames: np.ndarray) -> np.ndarray:
    core, model = built()[name]
    return unpack(core.job, fast.run(core, pack(core.job, frames), model=model).out)


@pytest.mark.parametrize("name", EVERY)
def test_every_input_has_its_root(name):
    spec = JOBS[name].spec
    values = np.arange(-128, 128)
    expected = [
        naive_round_root(Fraction(int(v) ** 2, spec.divisor_override or 1), spec.rounding)
        for v in values
    ]
    assert run(name, values.reshape(1, 1, -1)).reshape(-1).tolist() == expected


def test_ties_are_among_them():
    """x / 2 lies halfway for every odd x, and the two roundings part at every second."""
    values = np.arange(-128, 128).reshape(1, 1, -1)
    away, even = (run(f"{rounding} by 4", values) for rounding in ("half_away", "half_even"))
    assert np.count_nonzero(away != even) == 64


@pytest.mark.parametrize("name", WIDE)
def test_sums_up_to_the_largest(name):
    job = JOBS[name]
    dtype = job.spec.in_dtype
    rng = np.random.default_rng(5)
    frames = rng.integers(dtype.low, dtype.high, (3, *job.shape), np.int64, endpoint=True)
    frames[1] = dtype.high
    frames[2] = dtype.low
    out = run(name, frames)
    assert np.array_equal(out, golden(job, frames))
    for frame, row in zip(frames.reshape(3, 60, -1).tolist(), out.reshape(3, 60), strict=True):
        for taps, value in zip(frame, row.tolist(), strict=True):
            square = Fraction(sum(v**2 for v in taps), len(taps) if job.spec.op == "l2" else 1)
            exact = naive_round_root(square, job.spec.rounding)
            assert value == min(exact, job.bounds[1])
