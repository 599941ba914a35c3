"""Clamps of floats, against the rule put in plain Python and against frameworks."""

import json
import math

import numpy as np
import pytest
from streampool_golden import DType, PoolJob, PoolSpec, SpecError, pool

INF = math.inf
CLAMPS = [(0, INF), (0, 6), (-1, 1), (-INF, 0), (-INF, INF), (0.5, 0.5), (-INF, -INF), (INF, INF)]


def bits_of(x: np.ndarray) -> np.ndarray:
    return x.view({2: np.uint16, 4: np.uint32}[x.dtype.itemsize])


def every(dtype: str) -> np.ndarray:
    """Return every value of a type of 16 bits; of float32 those that end in zeros."""
    high = np.arange(1 << 16, dtype=np.uint16)
    kind = DType.of(dtype)
    return (high if kind.bits == 16 else high.astype(np.uint32) << 16).view(kind.numpy)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.filterwarnings("error")
def test_what_is_outside_becomes_the_end_and_anything_else_stays(dtype, clamp):
    x = every(dtype)
    y = pool(PoolSpec("max", 1, dtype=dtype, clamp=clamp, ndim=1), x[np.newaxis])[0]
    low, high = clamp
    expected = [low if v < low else high if v > high else v for v in map(float, x)]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(y.astype(np.float64), expected)
    kept = [not (v < low or v > high) for v in map(float, x)]
    np.testing.assert_array_equal(bits_of(y)[kept], bits_of(x)[kept])
    zeros = bits_of(y)[np.array(expected) == 0]
    assert set(zeros.tolist()) <= {0, 1 << (DType.of(dtype).bits - 1)}


@pytest.mark.parametrize("nan", ["propagate", "ignore"])
def test_it_is_the_result_that_is_clamped(nan):
    x = np.array([[[-3, -2, np.nan, -1], [-0.0, -1, 9, 2], [np.nan, np.nan, 1, 1.5]]], np.float16)
    spec = PoolSpec("max", (1, 2), dtype="float16", nan=nan, clamp=(0, 6))
    nothing = np.nan if nan == "propagate" else 0
    first = np.nan if nan == "propagate" else 0
    expected = np.array([[[0, first], [-0.0, 6], [nothing, 1.5]]], np.float16)
    np.testing.assert_array_equal(bits_of(pool(spec, x) + 0), bits_of(expected + 0))
    assert np.signbit(pool(spec, x)[0, 1, 0])
    average = PoolSpec("avg", (1, 2), dtype="float16", clamp=(0, 6))
    given = np.array([[[-4, 2, 6, 8, 1, 2]]], np.float16)
    assert pool(average, given).tolist() == [[[0, 6, 1.5]]]


def test_a_clamp_of_floats_comes_back_from_json():
    spec = PoolSpec("max", 2, dtype="float32", clamp=(np.float32(0.1), INF))
    text = json.dumps(spec.to_json(), allow_nan=False)
    assert '[0.10000000149011612, "inf"]' in text
    assert PoolSpec.from_json(text) == spec
    assert spec.replace(clamp=("-inf", "inf")).clamp == (-INF, INF)
    assert spec.replace(clamp=(0, 6)) == spec.replace(clamp=(0.0, 6.0))
    signs = [math.copysign(1, end) for end in spec.replace(clamp=(-0.0, -0.0)).clamp or ()]
    assert signs == [1, 1]
    assert PoolJob(spec.replace(clamp=None), (1, 4, 4)).bounds == PoolJob(spec, (1, 4, 4)).bounds


@pytest.mark.parametrize(
    ("clamp", "says"),
    [
        ((0, 0.1), r"clamp 0\.1 is no value of float32; use 0\.10000000149011612, the nearest\."),
        ((0, 1e39), r"clamp 1e\+39 is no value of float32; use inf, the nearest\."),
        ((0, 2**24 + 1), r"clamp 16777217 is no value of float32; use 16777216\.0, the nearest\."),
        ((0, math.nan), r"must be two values of float32, .* not nan\."),
        ((6, 0), r"not \(6, 0\)\."),
        ((0, "6"), r"not '6'\."),
        ((0, 10**400), r"two values of float32"),
        ((False, 1), r"not False\."),
        (6, r"not 6\."),
    ],
)
def test_ends_that_are_none_of_the_type_are_refused(clamp, says):
    with pytest.raises(SpecError, match=says) as caught:
        PoolSpec("max", 2, dtype="float32", clamp=clamp)
    assert caught.value.field == "clamp"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("low", [0.0, -1.0])
@np.errstate(invalid="ignore")
def test_torch_clamps_as_this_does(dtype, low):
    torch = pytest.importorskip("torch")
    bits = {16: (np.int16, torch.int16), 32: (np.int32, torch.int32)}[DType.of(dtype).bits]
    x = every(dtype)
    given = torch.from_numpy(x.view(bits[0]).copy()).view(getattr(torch, dtype))
    for high in (6.0, INF):
        mine = pool(PoolSpec("max", 1, dtype=dtype, clamp=(low, high), ndim=1), x[np.newaxis])[0]
        theirs = [torch.clamp(given, low, high)]
        theirs += [torch.relu(given)] * (low == 0 and high == INF)
        for each in theirs:
            back = each.view(bits[1]).numpy().view(x.dtype)
            number = ~np.isnan(x)
            np.testing.assert_array_equal(bits_of(mine)[number], bits_of(back)[number])
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(back))


def test_torch_pools_what_a_relu_gives_to_the_same_numbers():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(3).choice(
        np.array([-2, -1, -0.0, 0, 1, np.nan, INF, -INF], np.float32), (1, 4, 12, 12)
    )
    theirs = torch.nn.functional.max_pool2d(torch.relu(torch.from_numpy(x)), 2).numpy()
    mine = pool(PoolSpec("max", 2, dtype="float32", clamp=(0, INF)), x)
    np.testing.assert_array_equal(mine, theirs)
    differ = bits_of(mine) != bits_of(theirs)
    assert not theirs[differ].any()  # zeros alone differ, in their sign
    whole = ~np.signbit(x) | (x != 0)
    none = np.where(whole, x, np.float32(0))
    theirs = torch.nn.functional.max_pool2d(torch.relu(torch.from_numpy(none)), 2).numpy()
    mine = pool(PoolSpec("max", 2, dtype="float32", clamp=(0, INF)), none)
    np.testing.assert_array_equal(bits_of(mine), bits_of(theirs))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_onnxruntime_clips_as_this_does(dtype):
    runtime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    kind = DType.of(dtype).numpy
    ends = [onnx.numpy_helper.from_array(np.array(v, kind), n) for n, v in (("l", 0), ("h", 6))]
    value = onnx.helper.np_dtype_to_tensor_dtype(kind)
    x = every(dtype)
    for op, high in (("Relu", INF), ("Clip", 6)):
        node = onnx.helper.make_node(op, ["x", "l", "h"][: 3 if op == "Clip" else 1], ["y"])
        ios = [onnx.helper.make_tensor_value_info(n, value, [x.size]) for n in "xy"]
        graph = onnx.helper.make_graph([node], "g", ios[:1], ios[1:], ends)
        opset = [onnx.helper.make_opsetid("", 17)]
        model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
        session = runtime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        [theirs] = session.run(None, {"x": x})
        mine = pool(PoolSpec("max", 1, dtype=dtype, clamp=(0, high), ndim=1), x[np.newaxis])[0]
        number = ~np.isnan(x)
        np.testing.assert_array_equal(bits_of(mine)[number], bits_of(theirs)[number])
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
