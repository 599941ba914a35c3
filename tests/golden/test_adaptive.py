"""Pooling to any size, roots of higher degree, and Caffe's ceil mode, by their definitions."""

import math
import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from pool_specs import naive_round, naive_round_root
from streampool_golden import (
    ROUNDINGS,
    AdaptiveAvgPool2d,
    Axis,
    PoolJob,
    PoolSpec,
    SpecError,
    pool,
    pool_with_indices,
    round_root,
)

PAIRS = [*product(range(1, 20), repeat=2), (64, 23), (23, 64), (97, 31), (200, 7)]


def windows(n: int, outputs: int) -> list[slice]:
    """torch's: from floor(i n / outputs) to below ceil((i + 1) n / outputs)."""
    return [slice(i * n // outputs, -(-(i + 1) * n // outputs)) for i in range(outputs)]


def test_every_size_is_pooled_to_every_other():
    rng = np.random.default_rng(1)
    for n, outputs in PAIRS:
        x = rng.integers(-128, 128, (1, n))
        taps = [x[0, each] for each in windows(n, outputs)]
        spec = PoolSpec("max", adaptive=outputs, ndim=1, indices="plane")
        values, indices = pool_with_indices(spec, x)
        assert values[0].tolist() == [each.max() for each in taps]
        first = [each.start + x[0, each].argmax() for each in windows(n, outputs)]
        assert indices[0].tolist() == first
        sums = [int(each.sum()) for each in taps]
        for op, expected in (
            ("min", [each.min() for each in taps]),
            ("sum", sums),
            (
                "avg",
                [
                    naive_round(Fraction(s, len(t)), "half_away")
                    for s, t in zip(sums, taps, strict=True)
                ],
            ),
        ):
            assert pool(PoolSpec(op, adaptive=outputs, ndim=1), x)[0].tolist() == expected


def test_any_input_to_7_by_7():
    for size in ((7, 7), (8, 8), (10, 10), (14, 9), (3, 25), (1, 1)):
        job = PoolJob(AdaptiveAvgPool2d((7, 7)), (2, *size))
        assert job.out_shape == (2, 7, 7) and not job.warnings
        assert [len(set(axis)) <= 2 for axis in job.axis_divisors] == [True, True]
    whole = AdaptiveAvgPool2d((None, 7))
    assert PoolJob(whole, (1, 5, 11)).out_size == (5, 7)


def test_padding_that_says_which_inputs_a_window_has_is_never_counted():
    axis = Axis.to_size(8, 3)
    assert (axis.kernel, axis.stride, axis.before) == (4, 3, 1)
    spec = PoolSpec("avg", adaptive=3, ndim=1, count_include_pad=True)
    assert pool(spec, np.full((1, 8), 100)).tolist() == [[100, 100, 100]]


@pytest.mark.parametrize("degree", [2, 3, 4])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_root_is_rounded_once(degree: int, rounding: str):
    rng = random.Random(degree)
    for den in (1, 2, 3, 8, 9, 16, 49, 256):
        near = [((2 * q + 1) ** degree * den >> degree) + e for q in range(40) for e in (-1, 0, 1)]
        wide = [rng.randrange(1 << rng.randrange(1, 63)) for _ in range(60)]
        # of the first of these, 4 times it and the square of the half are on either side of 2**63
        ends = [1 << 61, (1 << 63) - 1]
        numbers = [*range(40), *(n for n in near if n >= 0), *wide, *ends]
        found = round_root(numbers, den, rounding, degree).tolist()
        expected = [naive_round_root(Fraction(n, den), rounding, degree) for n in numbers]
        assert found == expected


def test_a_cube_root_that_floats_miss():
    """The cube root of 27 / 8 is 1.5 exactly, which is a tie."""
    assert round_root(27, 8, "half_away", 3) == 2 and round_root(125, 8, "half_even", 3) == 2
    x = np.zeros((1, 8), int)
    x[0, 0] = 3
    spec = PoolSpec("gem3", "global", ndim=1)
    assert pool(spec, x).tolist() == [[2]]
    assert pool(spec.replace(rounding="floor"), x).tolist() == [[1]]


def test_powers_are_of_magnitudes():
    x = np.array([[-3, 4, 0, -1]])
    assert pool(PoolSpec("lp3", 4, ndim=1), x).tolist() == [[round((27 + 64 + 1) ** (1 / 3))]]
    assert (
        pool(PoolSpec("lp4", 4, ndim=1), x).tolist()
        == pool(PoolSpec("lp4", 4, ndim=1), abs(x)).tolist()
    )
    wide = pool(PoolSpec("lp4", 2, ndim=1, dtype="int15"), np.array([[-(1 << 14)] * 2]))
    assert wide.tolist() == [[math.isqrt(math.isqrt(16 * 2 << 56)) + 1 >> 1]]


def caffe(size, kernel, stride, pad) -> list[int]:
    """Return the outputs as Caffe's PoolingLayer has them (two axes)."""
    each = zip(size, kernel, stride, pad, strict=True)
    out = [math.ceil((n + 2 * p - k) / s) + 1 for n, k, s, p in each]
    if any(pad):
        for i in range(2):
            out[i] -= (out[i] - 1) * stride[i] >= size[i] + pad[i]
    return out


def test_caffes_ceil_mode():
    rng = random.Random(3)
    refused = dropped = 0
    for _ in range(3000):
        size = [rng.randint(1, 9) for _ in range(2)]
        kernel = [rng.randint(1, min(4, n)) for n in size]
        stride = [rng.randint(1, 5) for _ in range(2)]
        pad = [rng.choice((0, 0, rng.randint(0, k // 2))) for k in kernel]
        spec = PoolSpec("max", kernel, stride, pad, ceil_mode="caffe")
        expected = caffe(size, kernel, stride, pad)
        starts = [(o - 1) * s - p for o, s, p in zip(expected, stride, pad, strict=True)]
        empty = any(start >= n for start, n in zip(starts, size, strict=True))
        torchs = PoolJob(spec.replace(ceil_mode=True), (1, *size)).out_size
        if empty:
            refused += 1
            assert not any(pad) and torchs != tuple(expected)
            with pytest.raises(SpecError, match=r"as Caffe does .* use ceil_mode=True") as error:
                PoolJob(spec, (1, *size))
            assert error.value.field == "ceil_mode"
            continue
        dropped += torchs != PoolJob(spec.replace(ceil_mode=False), (1, *size)).out_size
        assert PoolJob(spec, (1, *size)).out_size == tuple(expected) == torchs
    assert refused > 100 < dropped
    assert PoolSpec.from_json(PoolSpec("max", 2, ceil_mode="caffe").to_json()).ceil_mode == "caffe"


@pytest.mark.parametrize(("field", "beats"), [("columns", (2, None)), ("columns_out", (1, 2))])
def test_several_columns_need_windows_of_one_length(field: str, beats: tuple[int, int | None]):
    with pytest.raises(
        SpecError, match=r"^columns(_out)? 2 .*has two on 10; use columns 1"
    ) as error:
        PoolJob(PoolSpec("max", adaptive=4), (1, 8, 10), 1, *beats)
    assert error.value.field == field
    PoolJob(PoolSpec("max", adaptive=4), (1, 10, 8), 1, 2)
