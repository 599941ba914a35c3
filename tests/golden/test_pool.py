"""The golden model on examples whose results others published or a person can check."""

import numpy as np
import pytest
from streampool_golden import ROUNDINGS, AvgPool2d, MaxPool2d, PoolSpec, pool, round_div

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")


def line(op: str, values: list[int], kernel: int, stride: int | None = None, **fields) -> list[int]:
    return pool(PoolSpec(op, kernel, stride, ndim=1, **fields), values).tolist()


def test_what_the_frameworks_give():
    # TensorFlow's SAME, upper and lower.
    assert line("max", [1, 2, 3, 4], 2, 1, padding="same") == [2, 3, 4, 4]
    assert line("max", [1, 2, 3, 4], 2, 1, padding="same_lower") == [1, 2, 3, 4]
    # A stride above the kernel: TensorFlow's total ends at 0, onnxruntime's crops.
    assert line("max", [1, 2, 3, 4, 5, 6, 7], 1, 4, padding="same") == [1, 5]
    assert line("max", [1, 2, 3, 4, 5, 6, 7], 1, 4, padding=-1) == [2, 6]
    # torch, with a last window over the padding's end.
    x = [1, 2, 3, 4]
    assert line("avg", x, 3, 2, padding=1, ceil_mode=True) == [1, 3, 2]
    assert line("sum", x, 3, 2, padding=1, ceil_mode=True) == [3, 9, 4]
    assert line("avg", x, 3, 2, padding=1, ceil_mode=True, count_include_pad=False) == [2, 3, 4]


def test_padding_never_wins():
    assert line("max", [-100, -120], 2, 1, padding=1) == [-100, -100, -120]
    assert line("max", [-128, -128], 3, 1, padding=1) == [-128, -128]
    assert line("min", [100, 120], 2, 1, padding=1) == [100, 100, 120]
    assert line("min", [127, 127], 3, 1, padding=1) == [127, 127]
    assert line("max", [0, 0], 3, 1, padding=1, dtype="uint8") == [0, 0]


@pytest.mark.parametrize(
    ("rounding", "rounded"),
    [
        ("half_away", [-3, -2, -1, 1, 2, 3, 1, -1]),
        ("half_even", [-2, -2, 0, 0, 2, 2, 1, -1]),
        ("half_up", [-2, -1, 0, 1, 2, 3, 1, -1]),
        ("floor", [-3, -2, -1, 0, 1, 2, 0, -1]),
        ("trunc", [-2, -1, 0, 0, 1, 2, 0, 0]),
    ],
)
def test_roundings(rounding, rounded):
    numerators, divisors = [-5, -3, -1, 1, 3, 5, 3, -3], [2, 2, 2, 2, 2, 2, 4, 4]
    assert round_div(numerators, divisors, rounding).tolist() == rounded
    assert round_div(-np.array(numerators), -np.array(divisors), rounding).tolist() == rounded


def test_half_away_is_that_of_tflite_and_cmsis_nn():
    def in_c(total: int, n: int) -> int:  # C's / cuts toward zero
        shifted = total + n // 2 if total > 0 else total - n // 2
        return abs(shifted) // n * (1 if shifted > 0 else -1)

    totals = np.arange(-1300, 1300)
    for n in (1, 2, 3, 4, 6, 9, 49):
        expected = [in_c(int(total), n) for total in totals]
        assert round_div(totals, n).tolist() == expected


def test_halves_turn_about_raw_zero_and_the_clamp_comes_after_rounding():
    x = [[1, 0], [-1, 0], [-3, -2], [127, 126]]
    for row, mean in zip(x, [1, -1, -3, 127], strict=True):
        assert line("avg", row, 2) == [mean]
    assert line("avg", [1, 0, 12, 13, -9, -8], 2, clamp=(0, 6)) == [1, 6, 0]
    # 2.5 rounds to 3 and stays below the clamp; a clamp before rounding could not tell.
    assert line("avg", [2, 3], 2, clamp=(0, 3)) == [3]


def test_averages_saturate_to_the_output_and_sums_where_allowed():
    assert line("avg", [100, 90, -100, -90], 2, divisor_override=1) == [127, -128]
    assert line("avg", [100, 90], 2, divisor_override=-1, out_dtype="int16") == [-190]
    assert line("avg", [100, 91], 2, divisor_override=-2) == [-96]
    assert line("avg", [-3, -5], 2, out_dtype="uint8") == [0]
    assert line("avg", [200, 255], 2, dtype="uint8", out_dtype="int8") == [127]
    assert line("sum", [100, 90, -100, -90], 2, out_dtype="int8", saturate=True) == [127, -128]
    assert line("max", [100, 90, -3, -4], 2, out_dtype="uint4", saturate=True) == [15, 0]
    assert line("max", [1, 2], 2, clamp=(3, 5)) == [3]


def test_wide_sums_are_exact():
    x = np.full((3, 3), -(2**31), np.int32)
    assert pool(PoolSpec("sum", 3, dtype="int32"), x).tolist() == [[-9 * 2**31]]
    x = np.full((64, 64), 2**32 - 1, np.uint32)
    spec = PoolSpec("sum", 64, dtype="uint32")
    assert pool(spec, x).tolist() == [[4096 * (2**32 - 1)]]
    assert pool(spec, x).dtype == np.uint64
    assert pool(spec.replace(op="avg"), x).tolist() == [[2**32 - 1]]
    # TFLite's 32-bit accumulator wraps here.
    x = np.full((300, 300), 32767, np.int16)
    assert pool(PoolSpec("avg", 300, dtype="int16"), x).tolist() == [[32767]]


@pytest.mark.parametrize(
    ("dtype", "container"),
    [("int2", "int8"), ("uint1", "uint8"), ("int11", "int16"), ("uint24", "uint32")],
)
def test_sub_byte_types_sit_in_their_container(dtype, container):
    x = np.array([[0, 1], [1, 0]], np.int64)
    y = pool(MaxPool2d(2, dtype=dtype), x)
    assert y.tolist() == [[1]]
    assert y.dtype == np.dtype(container)


def test_layouts_are_transposes_of_each_other():
    spec = AvgPool2d((3, 2), 2, (1, 0), ceil_mode=True, count_include_pad=False)
    x = np.random.default_rng(3).integers(-128, 128, (2, 5, 7, 6), dtype=np.int8)
    y = pool(spec, x)
    assert y.shape == (2, 5, 4, 3)
    np.testing.assert_array_equal(pool(spec, x, "NCHW"), y)
    last = pool(spec, np.moveaxis(x, 1, -1), layout="NHWC")
    np.testing.assert_array_equal(last, np.moveaxis(y, 1, -1))
    spec = PoolSpec("avg", 3, 2, 1, count_include_pad=False, ndim=1)
    x = x[0]
    y = pool(spec, x, "NCW")
    assert y.shape == (5, 7, 3)
    last = pool(spec, np.moveaxis(x, 1, -1), layout="NWC")
    np.testing.assert_array_equal(last, np.moveaxis(y, 1, -1))


@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 1, 2, 3), (0, 3)])
def test_any_number_of_leading_axes(leading):
    spec = MaxPool2d(2)
    x = np.random.default_rng(4).integers(-128, 128, (*leading, 4, 6), dtype=np.int8)
    y = pool(spec, x)
    assert y.shape == (*leading, 2, 3)
    for index in np.ndindex(leading):
        np.testing.assert_array_equal(y[index], pool(spec, x[index]))
    np.testing.assert_array_equal(pool(spec, x[..., np.newaxis], "NHWC"), y[..., np.newaxis])


def test_any_integer_array_will_do_and_none_is_changed():
    spec = PoolSpec("avg", 2, 1, dtype="uint8")
    x = np.arange(20, dtype=np.int64).reshape(4, 5)
    before = x.copy()
    expected = pool(spec, x).tolist()
    for like in (x.astype(">i2"), x.astype(np.uint64), x.T.copy().T, x.tolist()):
        assert pool(spec, like).tolist() == expected
    np.testing.assert_array_equal(x, before)
    identity = PoolSpec("max", 1, dtype="uint8")
    small = x.astype(np.uint8)
    assert not np.shares_memory(pool(identity, small), small)


def test_every_rounding_agrees_where_the_quotient_is_whole():
    x = np.array([[4, -8], [12, 8]], np.int8)
    for rounding in ROUNDINGS:
        assert pool(PoolSpec("avg", 2, rounding=rounding), x).tolist() == [[4]]
