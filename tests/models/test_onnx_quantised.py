"""Quantised ONNX models: QDQ nodes, onnxruntime's own operators, and QONNX's of Brevitas."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import model_of, node, opened
from streampool_models.layer import Arrays, Layer
from streampool_models.onnx import OnnxModel
from streampool_models.running import run_model

F32 = np.float32
POOL: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
QONNX = "qonnx.custom_op.general"
SHAPE = (2, 3, 6, 4)


def qdq(
    op: str,
    scales: tuple[Any, Any],
    zeros: tuple[Any, Any],
    dtypes: tuple[Any, Any] = (np.uint8, np.uint8),
    axis: int = 1,
    shape: tuple[int, ...] = SHAPE,
    **attributes: Any,
) -> onnx.ModelProto:
    """Return a model of integers that are pooled between DequantizeLinear and QuantizeLinear."""
    constants = {}
    for k, (scale, zero, dtype) in enumerate(zip(scales, zeros, dtypes, strict=True)):
        constants |= {f"s{k}": np.array(scale, F32), f"z{k}": np.array(zero, dtype)}
    nodes = [
        node("DequantizeLinear", "x s0 z0", "d", axis=axis),
        node(op, "d", "p", name="pool", **attributes),
        node("QuantizeLinear", "p s1 z1", "y", axis=axis),
    ]
    return model_of(nodes, {"x": (dtypes[0], shape)}, constants=constants)


def integers(dtype: Any, shape: tuple[int, ...] = SHAPE, seed: int = 1) -> np.ndarray:
    info = np.iinfo(dtype)
    numbers = np.random.default_rng(seed)
    return numbers.integers(info.min, info.max, shape, dtype, endpoint=True)


def held(model: OnnxModel, x: np.ndarray, off: int = 0) -> None:
    """Run a model with the golden model in its layers' place; it may be off by so much."""
    seen = []

    def golden(layer: Layer, x: np.ndarray, made: Arrays) -> Arrays:
        assert layer.job is not None
        found = tuple(layer.job.reference(x))
        assert found[0].shape == made[0].shape
        assert np.abs(found[0].astype(int) - made[0].astype(int)).max(initial=0) <= off
        seen.append(layer.name)
        return found

    without, through = model.run([x]), model.run([x], golden)
    assert len(seen) == len(model.layers)
    if not off:
        assert all(np.array_equal(*pair) for pair in zip(without, through, strict=True))


def test_an_average_between_qdq_nodes_is_one_integer_core(tmp_path):
    model = opened(tmp_path, qdq("AveragePool", (0.5, 0.25), (3, 7), **POOL))
    [layer] = model.layers
    assert layer.spec is not None
    assert (layer.spec.dtype, layer.spec.zero_points, layer.spec.scale) == ("uint8", (3, 7), 2)
    assert (layer.spec.rounding, layer.spec.rounding_about) == ("half_even", "zero_point")
    [ran] = run_model(model, [integers(np.uint8)]).layers
    assert ran.good
    assert not ran.differing


@pytest.mark.parametrize("op", ["MaxPool", "GlobalMaxPool"])
@pytest.mark.parametrize("second", [(0.5, 3), (0.25, 4)])
def test_a_maximum_commutes_with_its_scale(tmp_path, op, second):
    attributes = POOL if op == "MaxPool" else {}
    model = opened(tmp_path, qdq(op, (0.5, second[0]), (3, second[1]), **attributes))
    [layer] = model.layers
    assert layer.spec is not None
    assert (layer.spec.op, layer.spec.dtype) == ("max", "uint8")
    held(model, integers(np.uint8))


def test_a_maximum_takes_a_scale_per_channel(tmp_path):
    scales, zeros = [0.5, 0.25, 1.0], [0, 0, 0]
    model = opened(tmp_path, qdq("MaxPool", (scales, 0.5), (zeros, 0), (np.int8, np.int8), **POOL))
    held(model, integers(np.int8))


def test_a_scale_along_positions_is_refused(tmp_path):
    scales, zeros = [0.5, 0.25, 1.0, 2.0], [0, 0, 0, 0]
    model = qdq("MaxPool", (scales, 0.5), (zeros, 0), (np.int8, np.int8), axis=3, **POOL)
    [layer] = opened(tmp_path, model).layers
    assert "a scale for each place along axis 3" in (layer.refusal or "")


def test_an_average_takes_scales_per_channel_whose_ratio_is_one(tmp_path):
    scales, zeros = [0.5, 0.25, 1.0], [0, 0, 0]
    pair = (scales, [2 * each for each in scales])
    model = opened(tmp_path, qdq("AveragePool", pair, (zeros, zeros), (np.int8, np.int8), **POOL))
    assert model.layers[0].spec is not None
    assert str(model.layers[0].spec.scale) == "1/2"
    held(model, integers(np.int8))
    model = qdq("AveragePool", (scales, 0.5), (zeros, 0), (np.int8, np.int8), **POOL)
    [layer] = opened(tmp_path, model).layers
    assert "differ from channel to channel" in (layer.refusal or "")


@pytest.mark.parametrize("op", ["LpPool", "ReduceSum"])
def test_a_norm_has_no_scale(tmp_path, op):
    attributes: dict[str, Any] = {**POOL, "p": 2} if op == "LpPool" else {"keepdims": 0}
    for scales, fits in ((0.5, 0.5), True), ((0.5, 0.25), False):
        model = qdq(op, scales, (0, 0), (np.int8, np.int8), **attributes)
        if op == "ReduceSum":
            model.graph.node[1].input.append("axes")
            axes = onnx.numpy_helper.from_array(np.array([2, 3]), "axes")
            model.graph.initializer.append(axes)
        read = opened(tmp_path, model)
        assert (read.layers[0].job is not None) == fits
        if fits:
            held(read, integers(np.int8))
        else:
            assert "has the same scale and 0" in (read.layers[0].refusal or "")


def test_an_average_that_is_not_quantised_again_waits_for_a_scale(tmp_path):
    constants = {"s": F32(0.5), "z": np.uint8(3)}
    nodes = [node("DequantizeLinear", "x s z", "d"), node("AveragePool", "d", "y", **POOL)]
    model = model_of(nodes, {"x": (np.uint8, SHAPE)}, constants=constants)
    [layer] = opened(tmp_path, model).layers
    assert layer.waits


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16])
def test_types_between_qdq_nodes(tmp_path, dtype):
    for op in "MaxPool", "AveragePool":
        model = opened(tmp_path, qdq(op, (0.5, 1.0), (2, 1), (dtype, np.int8), **POOL))
        held(model, integers(dtype))


def test_indices_go_with_a_quantised_maximum(tmp_path):
    model = qdq("MaxPool", (0.5, 0.5), (3, 3), **POOL)
    model.graph.node[1].output.append("i")
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info("i"))
    read = opened(tmp_path, model)
    run = run_model(read, [integers(np.uint8)])
    assert run.good
    assert [each.differing for each in run.outputs] == [0, 0]


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("op", ["QLinearAveragePool", "QLinearGlobalAveragePool"])
def test_averages_of_onnxruntime(tmp_path, op, last):
    constants = {"a": F32(0.5), "b": np.uint8(5), "c": F32(0.25), "d": np.uint8(9)}
    attributes = {"channels_last": last}
    if op == "QLinearAveragePool":
        attributes |= {**POOL, "pads": [1, 0, 0, 1], "count_include_pad": 1}
    made = node(op, "x a b c d", "y", name="pool", domain="com.microsoft", **attributes)
    shape = (2, 6, 4, 3) if last else SHAPE
    model = opened(tmp_path, model_of([made], {"x": (np.uint8, shape)}, constants=constants))
    assert model.layers[0].shape == (3, 6, 4)
    held(model, integers(np.uint8, shape), off=0)


def test_maxima_with_the_channels_last(tmp_path):
    made = node("NhwcMaxPool", "x", "y", name="pool", domain="com.microsoft", **POOL)
    model = opened(tmp_path, model_of([made], {"x": (np.int8, (2, 6, 4, 3))}))
    assert model.layers[0].out_shape == (3, 3, 2)
    held(model, integers(np.int8, (2, 6, 4, 3)))


def test_an_attribute_of_onnxruntime_that_is_not_known_is_refused(tmp_path):
    made = node("NhwcMaxPool", "x", "y", domain="com.microsoft", colour=1, **POOL)
    [layer] = opened(tmp_path, model_of([made], {"x": (np.int8, SHAPE)})).layers
    assert "attribute 'colour', which NhwcMaxPool has not" in (layer.refusal or "")


def qonnx(nodes: list[onnx.NodeProto], bits: int = 4, **constants: Any) -> onnx.ModelProto:
    quant = node("Quant", "x s z b", "q", domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")
    common = {"s": F32(0.25), "z": F32(0), "b": F32(bits)}
    inputs = {"x": (F32, SHAPE)}
    return model_of([quant, *nodes], inputs, constants=common | constants, domains=[QONNX])


def test_a_maximum_of_quantised_values_of_qonnx_is_of_their_integers(tmp_path):
    model = opened(tmp_path, qonnx([node("MaxPool", "q", "y", name="pool", **POOL)]))
    [layer] = model.layers
    assert layer.spec is not None
    assert layer.spec.dtype == "int4"
    held(model, np.random.default_rng(1).normal(size=SHAPE).astype(F32) * 2)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((3, 1, 1), None), ((6, 1), "axis -2"), ((4,), "axis -1"), ((3, 6, 1), "2 axes")],
)
def test_scales_of_qonnx_stand_along_the_axes_of_their_shape(tmp_path, shape, reason):
    pool = node("MaxPool", "q", "y", name="pool", **POOL)
    scale = (0.25 * 2 ** np.arange(np.prod(shape))).astype(F32).reshape(shape)
    model = opened(tmp_path, qonnx([pool], s=scale))
    if reason is None:
        held(model, np.random.default_rng(1).normal(size=SHAPE).astype(F32) * 2)
    else:
        assert reason in (model.layers[0].refusal or "")


def test_scales_that_are_not_of_the_channels_are_refused(tmp_path):
    model = qdq("MaxPool", ([0.5, 0.25], 0.5), ([0, 0], 0), (np.int8, np.int8), **POOL)
    [layer] = opened(tmp_path, model).layers
    assert "2 scales for 3 channels" in (layer.refusal or "")


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "HALF_UP"])
@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool"])
def test_a_truncated_average_of_brevitas_is_one_core(tmp_path, op, mode):
    attributes, taps = (POOL, 4) if op == "AveragePool" else ({}, 24)
    nodes = [
        node(op, "q", "p", name="pool", **attributes),
        node("Mul", "p k", "m"),
        node("Trunc", "m s z i o", "y", domain=QONNX, rounding_mode=mode),
    ]
    model = opened(tmp_path, qonnx(nodes, k=F32(taps), i=F32(10), o=F32(8)))
    [layer] = model.layers
    assert layer.spec is not None
    assert (layer.spec.dtype, layer.spec.divisor_override) == ("int4", 4)
    held(model, np.random.default_rng(1).normal(size=SHAPE).astype(F32) * 2)


def test_a_truncation_that_is_bounded(tmp_path):
    nodes = [
        node("AveragePool", "q", "p", name="pool", **POOL),
        node("Mul", "p k", "m"),
        node("Trunc", "m s z i t o", "y", domain=QONNX, narrow=1, rounding_mode="FLOOR"),
    ]
    model = opened(tmp_path, qonnx(nodes, k=F32(4), i=F32(6), t=F32(0.5), o=F32(4)))
    [layer] = model.layers
    assert layer.spec is not None
    assert (layer.spec.out_dtype, layer.spec.clamp) == ("int4", (-7, 7))
    held(model, np.random.default_rng(1).normal(size=SHAPE).astype(F32) * 4)


def test_what_rounds_twice_is_refused(tmp_path):
    nodes = [
        node("AveragePool", "q", "p", name="pool", **POOL),
        node("Trunc", "p s z i o", "y", domain=QONNX, rounding_mode="FLOOR"),
    ]
    [layer] = opened(tmp_path, qonnx(nodes, i=F32(10), o=F32(8))).layers
    assert "rounds an average twice" in (layer.refusal or "")


@pytest.mark.parametrize("mode", ["CEIL", "UP", "HALF_DOWN", "SIDEWAYS"])
def test_rounding_that_no_core_has_is_refused(tmp_path, mode):
    quant = node("Quant", "p s z b", "y", domain=QONNX, signed=1, narrow=1, rounding_mode=mode)
    nodes = [node("AveragePool", "q", "p", name="pool", **POOL), quant]
    [layer] = opened(tmp_path, qonnx(nodes)).layers
    assert f"rounds {mode}, which no core does" in (layer.refusal or "")


def test_an_average_that_qonnx_quantises_again(tmp_path):
    quant = node("Quant", "p t z c", "y", domain=QONNX, signed=1, narrow=1)
    nodes = [node("AveragePool", "q", "p", name="pool", **POOL), quant]
    model = opened(tmp_path, qonnx(nodes, t=F32(0.5), c=F32(3)))
    [layer] = model.layers
    assert layer.spec is not None
    assert (layer.spec.out_dtype, layer.spec.clamp) == ("int3", (-3, 3))
    held(model, np.random.default_rng(1).normal(size=SHAPE).astype(F32) * 2)


POWERS = st.sampled_from([0.125, 0.25, 0.5, 1.0])


@settings(max_examples=60)
@given(
    st.sampled_from(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"]),
    st.tuples(POWERS, POWERS),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.tuples(*[st.sampled_from([np.int8, np.uint8])] * 2),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
    st.booleans(),
)
def test_random_qdq_pools_are_those_of_onnxruntime(
    tmp_path_factory, op, scales, zeros, dtypes, pads, counted
):
    attributes: dict[str, Any] = {}
    if not op.startswith("Global"):
        attributes = {"kernel_shape": [2, 2], "strides": [1, 2], "pads": pads}
    if op == "AveragePool":
        attributes["count_include_pad"] = int(counted)
    made = qdq(op, scales, zeros, dtypes, **attributes)
    model = opened(tmp_path_factory.mktemp("net"), made)
    assert model.layers[0].job is not None
    # thirds and others are no floats: next to a half onnxruntime may round the other way
    held(model, integers(dtypes[0]), off=int("Average" in op))


RECORDED = {
    "ROUND": ([-8, -5, -3, -1, 1, 1, 4, 6], [-12, -5, -2, -2, 0, 2, 4, 20]),
    "FLOOR": ([-8, -6, -3, -2, 0, 1, 3, 6], [-12, -6, -3, -2, 0, 1, 3, 20]),
    "CEIL": ([-8, -5, -2, -1, 1, 2, 4, 6], [-12, -5, -2, -1, 1, 2, 4, 20]),
    "UP": ([-8, -6, -3, -2, 1, 2, 4, 6], [-12, -6, -3, -2, 1, 2, 4, 20]),
    "DOWN": ([-8, -5, -2, -1, 0, 1, 3, 6], [-12, -5, -2, -1, 0, 1, 3, 20]),
    "HALF_UP": ([-8, -5, -3, -2, 1, 2, 4, 6], [-12, -5, -3, -2, 1, 2, 4, 20]),
    "HALF_DOWN": ([-8, -5, -2, -1, 0, 1, 4, 6], [-12, -5, -2, -1, 0, 1, 3, 20]),
}
"""What Quant and Trunc of qonnx 1.0.0 make of `VALUES`, in steps of the scale."""

VALUES = np.array([-3, -1.3125, -0.625, -0.375, 0.125, 0.375, 0.9, 5], F32)


@pytest.mark.parametrize("mode", RECORDED)
def test_the_operators_of_qonnx_run_as_qonnx_has_them(tmp_path, mode):
    quant = node("Quant", "x s z b", "q", domain=QONNX, signed=1, narrow=1, rounding_mode=mode)
    trunc = node("Trunc", "v s n i o", "t", domain=QONNX, rounding_mode=mode)
    constants = {"s": F32(0.25), "z": F32(1), "n": F32(0), "b": F32(4), "i": F32(6), "o": F32(4)}
    inputs = {"x": (F32, (8,)), "v": (F32, (8,))}
    made = model_of([quant, trunc], inputs, ["q", "t"], constants, domains=[QONNX])
    found = opened(tmp_path, made).run([VALUES, 4 * VALUES])
    assert [(each / F32(0.25)).tolist() for each in found] == list(RECORDED[mode])
