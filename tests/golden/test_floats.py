"""Floats in the golden model, against frameworks, the table of all values, and fractions."""

import bisect
import itertools
import json
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from streampool_golden import NANS, DType, PoolSpec, SpecError, pool, pool_with_indices

VECTORS = Path(__file__).parent / "vectors"
pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")


def from_bits(bits, dtype: str) -> np.ndarray:
    """Return the floats of given bits, signed or not."""
    kind = DType.of(dtype)
    return (np.array(bits, np.int64) & kind.high).astype(kind.raw.numpy).view(kind.numpy)


def bits_of(x: np.ndarray) -> np.ndarray:
    return x.view({2: np.uint16, 4: np.uint32}[x.dtype.itemsize])


def recorded(name: str) -> list[dict]:
    return json.loads((VECTORS / f"{name}.json").read_text())["cases"]


@pytest.mark.parametrize("source", ["torch", "onnxruntime"])
def test_maxima_are_those_of_the_frameworks_bit_for_bit(source):
    cases = recorded(f"floats_{source}")
    assert len(cases) >= 100
    for case in cases:
        spec = PoolSpec.from_json(case["spec"])
        x, y = (from_bits(case[name], spec.dtype) for name in "xy")
        np.testing.assert_array_equal(bits_of(pool(spec, x)), bits_of(y))
        if spec.indices:
            np.testing.assert_array_equal(pool_with_indices(spec, x)[1], case["indices"])


def test_what_is_special_is_among_what_the_frameworks_recorded():
    for source, nans, zeros in (("torch", 200, 50), ("onnxruntime", 0, 20)):
        outputs = [
            from_bits(case["y"], case["spec"]["dtype"]).ravel().astype(np.float64)
            for case in recorded(f"floats_{source}")
        ]
        y = np.concatenate(outputs)
        assert np.isnan(y).sum() >= nans
        assert ((y == 0) & np.signbit(y)).sum() >= zeros
        assert ((y == 0) & ~np.signbit(y)).sum() >= zeros


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("nan", "window", "largest", "least"),
    [
        ("propagate", [1.0, NAN, 3.0], NAN, NAN),
        ("propagate", [-INF, -INF], -INF, -INF),
        ("propagate", [-0.0, 0.0], -0.0, -0.0),
        ("propagate", [-1.0, 0.0, -0.0], 0.0, -1.0),
        ("ignore", [NAN, 1.0, 3.0], 3.0, 1.0),
        ("ignore", [1.0, 3.0, NAN], 3.0, 1.0),
        ("ignore", [-INF, NAN], -INF, -INF),
        ("ignore", [NAN, -0.0, 0.0], -0.0, -0.0),
        ("ignore", [NAN, NAN], -math.inf, math.inf),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_extremes_of_special_values(dtype, nan, window, largest, least):
    kind = DType.of(dtype)
    x = np.array(window).astype(kind.numpy)
    for op, expected in (("max", largest), ("min", least)):
        y = pool(PoolSpec(op, len(window), dtype=dtype, nan=nan, ndim=1), x)
        wanted = np.array([expected]).astype(kind.numpy)
        if nan == "ignore" and all(map(math.isnan, window)):
            wanted = np.nextafter(wanted, np.zeros(1, kind.numpy))  # the last finite one
        np.testing.assert_array_equal(bits_of(y), bits_of(wanted))


def test_the_last_nan_travels_with_its_bits():
    x = from_bits([0x7E01, 0x3C00, 0xFE02, 0x0000], "float16")
    y = pool(PoolSpec("min", 4, dtype="float16", ndim=1), x)
    assert bits_of(y).tolist() == [0xFE02]


def finite(dtype: str) -> list[tuple[Fraction, int]]:
    """Return every finite value that is not negative and its bits, in order."""
    kind = DType.of(dtype)
    bits = range(((1 << kind.exponent) - 1) << kind.fraction)
    values = from_bits(list(bits), dtype).astype(np.float64)
    return [(Fraction(value), n) for value, n in zip(values.tolist(), bits, strict=True)]


TABLES = {dtype: finite(dtype) for dtype in ("float16", "bfloat16")}


def nearest(value: Fraction, dtype: str) -> int:
    """Return the bits of the value's neighbour in the table: to even bits where it is halfway."""
    table, size = TABLES[dtype], abs(value)
    sign = (value < 0) << 15
    above = bisect.bisect_left(table, (size, 0))
    if above == len(table):  # the step beyond the largest would have been as wide as the last
        last, before = table[-1][0], table[-2][0]
        return sign | table[-1][1] + (size - last >= (last - before) / 2)
    if above == 0 or table[above][0] == size:
        return sign | table[above][1]
    below, (over, odd) = table[above - 1][0], table[above]
    up = size - below > over - size or (size - below == over - size and odd % 2 == 0)
    return sign | (odd if up else odd - 1)


def naive_mean(window: list[float], divisor: int, dtype: str) -> int:
    """Return the bits of the window's mean, by IEEE 754's words."""
    kind = DType.of(dtype)
    inf = ((1 << kind.exponent) - 1) << kind.fraction
    flip = (divisor < 0) << 15
    if any(map(math.isnan, window)) or {INF, -INF} <= set(window):
        return inf | 1 << (kind.fraction - 1)
    for end, sign in ((INF, 0), (-INF, 1 << 15)):
        if end in window:
            return (sign ^ flip) | inf
    if all(value == 0 and math.copysign(1, value) < 0 for value in window):
        return flip ^ 1 << 15
    total = sum(map(Fraction, window))
    if total == 0:
        return flip
    return nearest(total / divisor, dtype) | ((total < 0) ^ (divisor < 0)) << 15


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("override", [None, -3, 1, 2**20 + 1])
def test_means_are_the_nearest_of_all_values(dtype, override):
    kind = DType.of(dtype)
    rng = np.random.default_rng(3)
    x = some_floats(rng, dtype, (60, 2, 7))
    spec = PoolSpec("avg", (2, 3), 1, 1, divisor_override=override, dtype=dtype)
    y = bits_of(pool(spec, x))
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    inside = np.pad(np.ones((2, 7), bool), 1)
    for frame, row, column in itertools.product(*map(range, y.shape)):
        window = padded[frame, row : row + 2, column : column + 3]
        taps = window[inside[row : row + 2, column : column + 3]].tolist()
        expected = naive_mean(taps, override or 6, dtype)
        assert y[frame, row, column] == expected, (taps, kind)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_are_the_nearest_of_all_values(dtype):
    x = some_floats(np.random.default_rng(4), dtype, (400, 4))
    y = bits_of(pool(PoolSpec("sum", 4, dtype=dtype, ndim=1), x))
    expected = [naive_mean(row, 1, dtype) for row in x.astype(np.float64).tolist()]
    assert y.ravel().tolist() == expected
    infinite = np.isinf(from_bits(y, dtype)).ravel() & np.isfinite(x.astype(np.float64)).all(1)
    assert infinite.sum() > 0  # some are beyond the largest value


def some_floats(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return floats of every kind: any bits, few exponents (which cancel), numbers, corners."""
    kind = DType.of(dtype)
    count = math.prod(shape)
    anything = rng.integers(0, 1 << 16, count)
    near = rng.integers(0, 3, count) << kind.fraction | rng.integers(0, 2, count) << 15
    near += rng.integers(0, 4, count) + (rng.integers(0, 2, count) << kind.fraction) * 5
    numbers = rng.integers(0, 1 << 16, count) & ~(1 << kind.fraction)  # no exponent of ones
    inf = ((1 << kind.exponent) - 1) << kind.fraction
    corners = rng.choice([0, 1 << 15, 1, 1 << 15 | 1, inf - 1, 1 << 15 | (inf - 1), inf], count)
    rows = rng.choice(4, (shape[0], *[1] * (len(shape) - 1)), p=[0.2, 0.4, 0.2, 0.2])
    rows = np.broadcast_to(rows, shape).ravel()
    return from_bits(np.choose(rows, [anything, near, numbers, corners]), dtype).reshape(shape)


def test_means_of_two_are_those_of_wide_floats():
    # all of 22 bits and their half are exact in float64, whose cast rounds once
    bits = np.random.default_rng(5).integers(0x3000, 0x5000, (20000, 2))
    x = from_bits(bits, "float16")
    y = pool(PoolSpec("avg", 2, dtype="float16", ndim=1), x)
    wide = x.astype(np.float64).mean(axis=1, keepdims=True)
    np.testing.assert_array_equal(bits_of(y), bits_of(wide.astype(np.float16)))


def test_layouts_agree():
    x = some_floats(np.random.default_rng(6), "float16", (2, 3, 5, 6))
    for op in ("max", "avg"):
        spec = PoolSpec(op, (2, 3), 2, 1, dtype="float16", count_include_pad=False)
        last = pool(spec, np.moveaxis(x, 1, -1), "NHWC")
        np.testing.assert_array_equal(
            bits_of(np.moveaxis(last, -1, 1).copy()), bits_of(pool(spec, x))
        )


def test_wider_floats_are_taken_where_they_lose_nothing():
    spec = PoolSpec("max", 2, dtype="float16", ndim=1)
    assert pool(spec, [1.0, 2.5, NAN, 0.0])[0] == 2.5
    with pytest.raises(SpecError, match=r"x must be of values that float16 holds, and has 0\.1"):
        pool(spec, [1.0, 0.1])
    with pytest.raises(SpecError, match="x must be an array of float16, not of int64"):
        pool(spec, [1, 2])


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("dtype", {"op": "avg", "dtype": "float32"}),
        ("dtype", {"op": "sum", "dtype": "float32"}),
        ("rounding", {"op": "avg", "rounding": "floor"}),
        ("out_dtype", {"out_dtype": "float32"}),
        ("clamp", {"clamp": (0, 0.1)}),
        ("clamp", {"clamp": (0, 65520)}),
        ("clamp", {"clamp": (0, 2049)}),
        ("saturate", {"saturate": True}),
    ],
)
def test_what_floats_have_not_is_refused(field, fields):
    with pytest.raises(SpecError) as caught:
        PoolSpec(**{"op": "max", "kernel": 2, "dtype": "float16"} | fields)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)
    assert re.search(r"; use [^;]+\.$", str(caught.value))
    assert str(caught.value).count(". ") == 0


def test_a_specification_of_floats_comes_back_from_json():
    spec = PoolSpec("avg", 2, dtype="bfloat16")
    assert PoolSpec.from_json(json.dumps(spec.to_json())) == spec
    assert spec.rounding == "half_even"
    assert spec.replace(dtype="int8").rounding == "half_away"
    assert PoolSpec("max", 2, nan="ignore", dtype=np.float32).dtype == "float32"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
@pytest.mark.parametrize("nan", NANS)
def test_no_bit_pattern_makes_numpy_warn(op: str, dtype: str, nan: str):
    x = np.arange(1 << 16, dtype=np.uint16).reshape(1, 256, 256).view(DType.of(dtype).numpy)
    pool(PoolSpec(op, 2, dtype=dtype, nan=nan), x)
