"""What stands at the edges: empty batches, odd containers, numbers beyond 64 bits."""

import json
import math
import time
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from streampool_golden import (
    BASES,
    OPS,
    ROUNDINGS,
    PoolJob,
    PoolSpec,
    SpecError,
    UnpoolJob,
    float32_ratio,
    plane_indices,
    pool,
    pool_with_indices,
    preset,
    round_root,
    unpool,
)

DTYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(OPS, ("int8", "uint16")),
    **dict.fromkeys(("lp4", "gem4"), ("int8", "uint15")),  # of more bits four are too many
    "max": ("int8", "float16", "bfloat16", "float32"),
    "min": ("uint5", "float16", "bfloat16", "float32"),
    "avg": ("int8", "float16", "bfloat16"),
    "sum": ("int8", "float16", "bfloat16"),
}
EMPTY = [(0, 3, 4, 4), (2, 0, 4, 4), (0, 4, 4), (0, 2, 3, 4, 4)]


def refused(call: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        call()
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 300
    return caught.value


@pytest.mark.parametrize("shape", EMPTY, ids=str)
@pytest.mark.parametrize(("op", "dtype"), [(op, dtype) for op in OPS for dtype in DTYPES[op]])
def test_empty_batches(op, dtype, shape):
    spec = PoolSpec(op, 2, dtype=dtype)
    x = np.zeros(shape, spec.in_dtype.numpy)
    y = pool(spec, x)
    assert y.shape == (*shape[:-2], 2, 2)
    assert y.dtype == PoolJob(spec, (1, 4, 4)).output.numpy
    assert pool(spec, np.moveaxis(x, -3, -1), "NHWC").shape == (*shape[:-3], 2, 2, shape[-3])


@pytest.mark.parametrize("shape", EMPTY, ids=str)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_indices_of_empty_batches(dtype, base, shape):
    spec = PoolSpec("max", 2, dtype=dtype, indices=base)
    values, indices = pool_with_indices(spec, np.zeros(shape, spec.in_dtype.numpy))
    assert values.shape == indices.shape == (*shape[:-2], 2, 2)
    assert indices.dtype == np.int64
    assert unpool(values, indices, (4, 4), indices_base=base).shape == shape
    assert plane_indices(indices, base, (4, 4)).shape == indices.shape


def test_jobs_of_no_frames():
    job = PoolJob(PoolSpec("max", 2, indices="plane", dtype="float16"), (3, 4, 4))
    assert [a.shape for a in job.reference(np.zeros((0, 3, 4, 4), np.float16))] == [
        (0, 3, 2, 2)
    ] * 2
    unpooling = UnpoolJob((3, 2, 2), (4, 4))
    none = np.zeros((0, 3, 2, 2), np.int8)
    assert unpooling.reference(none, none)[0].shape == (0, 3, 4, 4)


@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "uint2"])
def test_small_integers_of_ml_dtypes(name):
    values = np.array([[1, 0], [1, 1]])
    spec = PoolSpec("sum", 2, dtype=getattr(ml_dtypes, name))
    assert spec.dtype == name
    assert pool(spec, values.astype(getattr(ml_dtypes, name))).tolist() == [[3]]
    small = np.array([[1, 0]]).astype(getattr(ml_dtypes, name))
    assert unpool([[7, 3]], small, (2,)).tolist() == [[3, 7]]
    kept = unpool(small, [[1, 0]], (2,))
    assert (kept.dtype, kept.astype(int).tolist()) == (small.dtype, [[0, 1]])


def test_masked_arrays_lose_no_mask():
    masked = np.ma.masked_array([[1, 9], [3, 4]], [[False, True], [False, False]])
    assert "filled" in str(refused(lambda: pool(PoolSpec("max", 2), masked)))
    assert refused(lambda: unpool(masked, masked, (4,))).field == "values"
    assert refused(lambda: unpool([[1, 2], [3, 4]], masked, (9,))).field == "indices"
    assert refused(lambda: plane_indices(masked, "plane", (9,))).field == "indices"
    assert pool(PoolSpec("max", 2), np.ma.masked_array([[1, 9], [3, 4]])).tolist() == [[9]]


def test_ragged_lists():
    for ragged in ([[1, 2], [3]], [[[1], 2]], [[1, 2], 3]):
        error = refused(lambda ragged=ragged: pool(PoolSpec("max", 1), ragged))
        assert (error.field, "rows of one length" in str(error)) == ("x", True)
        assert refused(lambda ragged=ragged: unpool([[1]], ragged, (9,))).field == "indices"


SCALES: list[tuple[Any, Fraction]] = [
    (np.int64(3), Fraction(3)),
    (np.uint8(255), Fraction(255)),
    ("0.02/0.05", float32_ratio(0.02, 0.05)),
    ("0.5/2", Fraction(1, 4)),
    ("1e-2/1E-1", float32_ratio(0.01, 0.1)),
    ("3/4", Fraction(3, 4)),
    ("0.02", Fraction(1, 50)),
]


@pytest.mark.parametrize(("scale", "exact"), SCALES)
def test_scales(scale, exact):
    spec = PoolSpec("avg", 2, scale=scale)
    assert spec.scale == exact
    assert PoolSpec.from_json(json.dumps(spec.to_json())) == spec


BAD_SCALES = ["1e9999999", "1e-9999999", "9" * 5000, "1/" + "9" * 5000, "1e9999999/1.0", "1.0/0",
              "nan/1.5", "1.5/inf", "1/2/3", "0x3/4.0", "/", "1.5/", "e5", "1e"]  # fmt: skip


@pytest.mark.parametrize("scale", BAD_SCALES, ids=lambda text: text[:12])
def test_scales_are_refused_at_once(scale):
    began = time.process_time()
    assert refused(lambda: PoolSpec("avg", 2, scale=scale)).field == "scale"
    assert time.process_time() - began < 0.5


def test_json_nested_deeply_or_of_endless_digits():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for text in ("[" * 100_000, '{"op": "max", "kernel": ' + "[" * 100_000, "1" * 5000):
        error = refused(lambda text=text: PoolSpec.from_json(text))
        assert (error.field, "int_max_str" in str(error)) == ("json", False)
    for field in ("op", "kernel", "padding", "dtype", "clamp", "adaptive", "zero_points", "scale"):
        fields: dict[str, Any] = {
            "op": "max",
            "kernel": None if field == "adaptive" else 2,
            field: deep,
        }
        assert refused(lambda fields=fields: PoolSpec.from_json(fields)).field == field


def test_scalars_of_numpy_are_as_those_of_python():
    array: Any = np.array
    number: Any = np.uint8
    fields: dict[str, Any] = {
        "op": "avg", "kernel": 3, "stride": 2, "padding": 1, "dilation": 1, "ceil_mode": True,
        "count_include_pad": False, "divisor_override": 5, "rounding": "floor", "dtype": "int8",
        "out_dtype": "int9", "saturate": True, "ndim": 2, "scale": 3, "rounding_about": "raw",
    }  # fmt: skip
    kinds = {int: np.int16, bool: np.bool_, str: np.str_}
    taken = {name: kinds[type(value)](value) for name, value in fields.items()}
    spec, plain = (
        PoolSpec(**taken, zero_points=array([3, 4])),
        PoolSpec(**fields, zero_points=(3, 4)),
    )
    assert spec == plain
    assert repr(spec) == repr(plain)
    assert json.dumps(spec.to_json()) == json.dumps(plain.to_json())
    job = PoolJob(spec, array([3, 7, 7]), number(2))
    assert job == PoolJob(plain, (3, 7, 7), 2)
    assert json.dumps([job.shape, job.lanes, job.beats_out])
    pads = array([[1, 0], [0, 1]])
    assert PoolSpec("max", array([2, 3]), padding=pads).padding == ((1, 0), (0, 1))
    assert PoolSpec("max", adaptive=array([2, 2])).adaptive == (2, 2)
    assert PoolSpec("max", adaptive=number(2), ndim=1).adaptive == (2,)
    assert PoolSpec("avg", 2, clamp=array([-3, 4])).clamp == (-3, 4)
    whole = UnpoolJob(array([1, 2]), array([4]), number(1), np.str_("int8"))
    assert json.dumps(whole.to_json()) == json.dumps(UnpoolJob((1, 2), (4,), 1).to_json())
    quantised = preset("tflite", "max", 2, zero_points=array([3, 3]), scales=array([1.0, 1.0]))
    assert quantised.zero_points == (3, 3)


@pytest.mark.parametrize("dtype", ["int8", "uint32", "float16"])
def test_a_kernel_of_more_than_63_bits_of_taps(dtype):
    huge = 1 << 21
    spec = PoolSpec("avg", huge, 1, huge // 2, count_include_pad=True, dtype=dtype, ndim=3)
    x = np.full((2, 2, 2), 100, spec.in_dtype.numpy)
    with pytest.warns(UserWarning, match="larger than"):
        assert (pool(spec, x) == 0).all()
    job = PoolJob(spec, (1, 2, 2, 2))
    assert int(job.divisors[1, 1, 1]) == 1 << 63
    rescaled = PoolSpec("avg", huge, 1, huge // 2, count_include_pad=True, ndim=3, scale=(1 << 62))
    with pytest.warns(UserWarning, match="larger than"):
        # 800 * 2**62 / 2**63
        assert pool(rescaled.replace(out_dtype="int16"), x.astype(int))[1, 1, 1] == 400
    rooted = PoolSpec("l2", huge, 1, huge // 2, count_include_pad=True, ndim=3)
    with pytest.warns(UserWarning, match="larger than"):
        assert (pool(rooted, x.astype(int)) == 0).all()


@pytest.mark.parametrize("mode", ROUNDINGS)
def test_roots_over_more_than_63_bits(mode):
    for num, den, root in ((1 << 62, 1 << 64, Fraction(1, 2)), (3 << 60, 1 << 62, None),
                           ((1 << 63) - 1, 1 << 63, 1), (7, 1 << 90, 0)):  # fmt: skip
        root = math.sqrt(num / den) if root is None else root
        below = {"floor": 0, "trunc": 0, "half_even": 0}.get(mode, 1)
        near = below if root == Fraction(1, 2) else round(root)
        down = mode in ("floor", "trunc")
        assert int(round_root(num, den, mode)) == (0 if down and num < den else near)
    assert round_root([4, 1 << 62], [[1 << 64], [1]], mode).tolist()[1] == [2, 1 << 31]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("out_dtype", ["float16", "bfloat16", "float32"])
def test_no_floats_leave_for_integers(op, out_dtype):
    for kernel in (2, "global"):
        error = refused(lambda k=kernel: PoolSpec(op, k, dtype="uint8", out_dtype=out_dtype))
        assert (error.field, "integer type" in str(error)) == ("out_dtype", True)
    assert refused(lambda: PoolSpec(op, 2, out_dtype=out_dtype, saturate=True)).field == "out_dtype"
