"""What a run-time core is told of a division is exact, for every sum of every divisor."""

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.fields import ROUNDINGS
from streampool_golden.rounding import round_div
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_hw.runtime.quotients import shifts

MOST = Maxima(operations=("max", "avg", "sum"), max_taps=256)


def finished(exact: np.ndarray, job: RuntimeJob, kind: int = 0) -> np.ndarray:
    """Return what leaves of exact sums, by the words alone: written from docs/runtime.md."""
    finish, maxima = job.finish, job.maxima
    assert finish is not None
    word = finish.table[kind]
    turned = ~exact if word["negative"] else exact
    zero = word["zero"] - (word["zero"] >> maxima.dividend_bits - 1 << maxima.dividend_bits)
    dividend = turned + np.where(turned < zero, word["less"], word["plus"])
    assert dividend.min() >= 0 and dividend.max() < 1 << maxima.dividend_bits
    shift, factor = shifts(maxima)[word["shift"]], word["factor"]
    product = dividend.astype(object if maxima.dividend_bits > 31 else np.int64) * factor
    quotient, fraction = product >> shift, product & (1 << shift) - 1
    if word["even"]:
        quotient = np.where((fraction < factor) & (quotient % 2 == 1), quotient - 1, quotient)
    assert quotient.max() < 1 << maxima.quotient_bits
    kept = np.clip(quotient, finish.low, finish.high) + finish.lift & (1 << maxima.out_bits) - 1
    low_bits = job.job.output.bits
    kept &= (1 << low_bits) - 1
    return kept - (kept >> low_bits - 1 << low_bits) if job.job.output.signed else kept


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_sum_of_an_average_is_divided_and_rounded_as_golden_does(rounding: str, dtype: str):
    for n in [*range(1, 65), 81, 100, 121, 127, 128, 129, 169, 196, 225, 241, 255, 256]:
        spec = PoolSpec("avg", n, ndim=1, dtype=dtype, rounding=rounding)
        job = RuntimeJob(spec, (8, n), MOST)
        exact = np.arange(job.job.accumulator.low, job.job.accumulator.high + 1)
        assert np.array_equal(finished(exact, job), round_div(exact, n, rounding)), n


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_a_divisor_of_ones_own_of_either_sign_is_exact_or_refused(dtype: str):
    there = 0
    for taps in (2, 9, 49, 256):
        for divisor in (1, -1, 2, 3, -3, 5, 7, -9, 16, 48, -100, 255, -256):
            for rounding in ROUNDINGS:
                how = {"dtype": dtype, "rounding": rounding, "divisor_override": divisor}
                spec = PoolSpec("avg", taps, ndim=1, **how)
                if taps > 2 * abs(divisor) > 4 and _refused(spec, (8, taps)):
                    continue
                there += 1
                job = RuntimeJob(spec, (8, taps), MOST)
                exact = np.arange(job.job.accumulator.low, job.job.accumulator.high + 1)
                low, high = job.job.bounds
                want = np.clip(round_div(exact, divisor, rounding), low, high)
                assert np.array_equal(finished(exact, job), want), (taps, divisor)
    assert there > 230


def _refused(spec: PoolSpec, shape: tuple[int, ...]) -> bool:
    try:
        RuntimeJob(spec, shape, MOST)
    except SpecError as error:
        return error.field == "divisor_override"
    return False


@pytest.mark.parametrize("clamp", [(-128, -100), (5, 5), (-3, 40), (100, 127)])
def test_a_clamp_keeps_what_is_within(clamp: tuple[int, int]):
    for op, exact in (("avg", np.arange(-9 * 128, 9 * 127 + 1)), ("max", np.arange(-128, 128))):
        spec = PoolSpec(op, 3, clamp=clamp)
        job = RuntimeJob(spec, (8, 3, 3), MOST)
        values = round_div(exact, 9, "half_away") if op == "avg" else exact
        assert np.array_equal(finished(exact, job), np.clip(values, *clamp))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("about", ["raw", "zero_point"])
def test_zero_points_and_scales_that_leave_one_over_a_number_take_one_rounding(
    about: str, dtype: str
):
    low, high = (-128, 127) if dtype == "int8" else (0, 255)
    for zeros in ((low, low), (high, low), (low + 5, high - 9)):
        for scale in ("1", "1/2", "1/5", "3", "3/2"):
            for rounding in ROUNDINGS:
                how = {"scale": scale, "zero_points": zeros, "rounding_about": about}
                spec = PoolSpec("avg", 3, ndim=1, dtype=dtype, rounding=rounding, **how)
                job = RuntimeJob(spec, (8, 3), MOST)
                # all sums, made of taps that differ by one at the most
                exact = np.arange(3 * low, 3 * high + 1)
                taps = np.stack([(exact + k) // 3 for k in range(3)], -1)
                frames = taps.astype(dtype)[:, None, None, :]
                (want,) = PoolJob(spec, (1, 3), 1).reference(frames.reshape(-1, 1, 3))
                assert np.array_equal(finished(exact, job), want.reshape(-1)), (zeros, rounding)


def test_a_sum_leaves_whole_or_saturates():
    for dtype in ("int8", "uint8"):
        spec = PoolSpec("sum", 256, ndim=1, dtype=dtype)
        job = RuntimeJob(spec, (8, 256), MOST)
        exact = np.arange(job.job.accumulator.low, job.job.accumulator.high + 1)
        assert np.array_equal(finished(exact, job), exact)
        narrow = RuntimeJob(spec.replace(out_dtype="int10", saturate=True), (8, 256), MOST)
        assert np.array_equal(finished(exact, narrow), np.clip(exact, -512, 511))


@pytest.mark.parametrize(("bits", "taps"), [(1, 16), (2, 4096), (5, 64), (8, 4096), (16, 1024)])
def test_every_divisor_up_to_the_most_has_a_shift(bits: int, taps: int):
    maxima = Maxima(bits=bits, operations=("avg",), max_taps=taps)
    rng = np.random.default_rng(0)
    for n in {1, 2, 3, taps - 1, taps, *rng.integers(1, taps, 40, endpoint=True).tolist()}:
        for dtype in [f"uint{bits}", *([f"int{bits}"] if bits > 1 else [])]:
            spec = PoolSpec("avg", n, ndim=1, dtype=dtype, rounding=rng.choice(ROUNDINGS))
            job = RuntimeJob(spec, (8, n), maxima)
            exact = job.job.accumulator
            some = rng.integers(exact.low, exact.high, 300, endpoint=True)
            some[:2] = exact.low, exact.high
            assert np.array_equal(finished(some, job), round_div(some, n, spec.rounding)), n
