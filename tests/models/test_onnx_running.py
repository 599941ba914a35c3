"""ONNX models run with cores in the place of their pooling layers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import model_of, node, opened, pool_model
from streampool_models.layer import Arrays, Layer
from streampool_models.listing import ran as listed_run
from streampool_models.onnx import OnnxModel
from streampool_models.running import ModelRun, OutputRun, calibrated, run_model, scaled
from streampool_sim.refusals import Refused

F32 = np.float32
SECONDS = {"without": 0.0, "cores": 0.0, "rest": 0.0}
POOL: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}


def random(shape: tuple[int, ...], dtype: Any = F32, seed: int = 1) -> np.ndarray:
    numbers = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return numbers.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return numbers.integers(info.min, info.max, shape, dtype, endpoint=True)


def golden(layer: Layer, x: np.ndarray, made: Arrays) -> Arrays:
    """Put the golden model in a core's place, and hold it against what onnxruntime made."""
    job = layer.job
    assert job is not None
    found = job.counted_on(*job.reference(x))
    for ours, theirs in zip(found, made, strict=True):
        assert ours.shape == theirs.shape
        assert np.array_equal(ours, theirs)
    return tuple(found)


def net(folder: Path) -> OnnxModel:
    """Return a model of two convolutions, a pool behind each, one beside it and one of all."""
    numbers = np.random.default_rng(2)
    weights = {
        "w1": numbers.normal(size=(4, 2, 3, 3)).astype(F32),
        "w2": numbers.normal(size=(4, 4, 3, 3)).astype(F32),
        "w3": numbers.normal(size=(4, 5)).astype(F32),
    }
    nodes = [
        node("Conv", "x w1", "c1", pads=[1, 1, 1, 1]),
        node("Relu", "c1", "r1"),
        node("MaxPool", "r1", "p1", name="first", **POOL),
        node("Conv", "p1 w2", "c2", pads=[1, 1, 1, 1]),
        node("AveragePool", "c2", "p2", name="second", **POOL),
        node("MaxPool", "c2", "q2", name="beside", **POOL),
        node("Add", "p2 q2", "a"),
        node("ReduceMax", "a", "g", name="third", axes=[2, 3], keepdims=0),
        node("MatMul", "g w3", "y"),
    ]
    return opened(folder, model_of(nodes, {"x": (F32, (1, 2, 8, 8))}, ("y",), weights, 17))


def test_every_layer_goes_through_a_core_and_the_output_stays(tmp_path):
    model = net(tmp_path)
    x = random((1, 2, 8, 8))
    run = run_model(model, [x])
    assert [each.layer.name for each in run.layers] == ["first", "beside", "third"]
    assert all(each.good and not each.differing for each in run.layers)
    assert [each.stats["cycles_per_frame"] for each in run.layers] == [64, 16, 4]
    [output] = run.outputs
    assert (output.differing, output.largest) == (0, 0.0)
    assert output.labels is not None
    assert output.labels[0] == output.labels[1]


def test_what_leaves_a_core_goes_on_in_the_model(tmp_path):
    nodes = [
        node("MaxPool", "x", "p", name="pool", **POOL),
        node("Add", "p x2", "y"),
    ]
    inputs = {"x": (F32, (1, 1, 4, 4)), "x2": (F32, (1, 1, 2, 2))}
    model = opened(tmp_path, model_of(nodes, inputs))
    given = [random((1, 1, 4, 4)), random((1, 1, 2, 2))]
    [y] = model.run(given, lambda layer, x, made: (np.full_like(made[0], 5),))
    assert np.array_equal(y, given[1] + 5)


def test_a_float_average_is_quantised_by_its_activations(tmp_path):
    model = net(tmp_path)
    x = random((1, 2, 8, 8))
    calibrated(model, [[x]], "--calibrate")
    second = model.layers[1]
    assert second.job is not None
    assert second.scale is not None
    assert second.spec is not None
    assert (second.spec.dtype, second.spec.op) == ("int8", "avg")
    assert "int8 in steps of" in second.notes[0]
    run = run_model(model, [x])
    ran = next(each for each in run.layers if each.layer.name == "second")
    assert ran.good
    assert 0 < ran.largest <= second.scale * 1.01
    assert ran.why is not None


def test_what_is_beyond_the_steps_is_said(tmp_path):
    nodes = [node("GlobalAveragePool", "x", "y", name="pool")]
    model = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 1, 2, 2))}))
    scaled(model, 0.5)
    [ran] = run_model(model, [np.array([[[[100, 90], [1, 1]]]], F32)]).layers
    assert ran.saturated == 2
    assert ran.why == "its floats are taken in steps of 0.5, and 2 that came in are beyond int8"


def test_zeros_of_both_signs_are_said_to_differ_in_bits_alone():
    run = ModelRun([], [OutputRun(np.array([[0.0, 1]], F32), np.array([[-0.0, 1]], F32))], SECONDS)
    assert "1 value differs in bits alone, as -0 and 0 do" in listed_run(run)


def test_values_of_no_sign_take_all_of_the_range(tmp_path):
    nodes = [node("Relu", "x", "r"), node("GlobalAveragePool", "r", "y", name="pool")]
    model = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 2, 4, 4))}))
    x = random((1, 2, 4, 4))
    calibrated(model, [[x], [2 * x]], "--calibrate")
    [layer] = model.layers
    assert layer.spec is not None
    assert layer.spec.dtype == "uint8"
    assert layer.scale == pytest.approx(2 * x.max() / 255)


@pytest.mark.parametrize("p", [1, 2])
def test_a_norm_is_scaled_too(tmp_path, p):
    model = opened(tmp_path, pool_model("LpPool", (F32, (1, 2, 6, 6)), p=p, **POOL))
    scaled(model, 0.125)
    x = np.rint(random((1, 2, 6, 6)) * 16).astype(F32) / 8
    [ran] = run_model(model, [x]).layers
    assert ran.good
    assert ran.largest <= 0.0625 * 1.01
    assert p == 2 or not ran.differing


FIXED = [
    ("MaxPool", 12, np.int8, {"kernel_shape": [3, 3], "pads": [1, 0, 2, 1]}),
    ("MaxPool", 12, np.uint8, {"kernel_shape": [2, 3], "strides": [2, 1], "ceil_mode": 1}),
    ("MaxPool", 21, F32, {"kernel_shape": [2, 2], "dilations": [2, 3]}),
    ("MaxPool", 7, F32, {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("MaxPool", 7, F32, {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    ("MaxPool", 21, F32, {"kernel_shape": [3, 3], "auto_pad": "VALID", "ceil_mode": 1}),
    ("MaxPool", 21, np.float16, {"kernel_shape": [3, 3]}),
    ("GlobalMaxPool", 21, F32, {}),
    ("ReduceMin", 13, F32, {"axes": [2, 3]}),
    ("ReduceMax", 13, np.int8, {"axes": [1, 2]}),
]


@pytest.mark.parametrize(("op", "opset", "dtype", "attributes"), FIXED)
def test_each_attribute_in_a_simulated_core(tmp_path, op, opset, dtype, attributes):
    model = opened(tmp_path, pool_model(op, (dtype, (2, 2, 6, 5)), opset, **attributes))
    [ran] = run_model(model, [random((2, 2, 6, 5), dtype)]).layers
    assert ran.good
    assert not ran.differing


@pytest.mark.parametrize("order", [0, 1])
def test_indices_count_through_the_batch(tmp_path, order):
    x = (F32, (2, 3, 5, 4))
    made = pool_model("MaxPool", x, outputs="y i", storage_order=order, kernel_shape=[2, 2])
    run = run_model(opened(tmp_path, made), [random(x[1])])
    assert run.layers[0].differing == 0
    assert [each.differing for each in run.outputs] == [0, 0]


@st.composite
def pools(draw: Any) -> tuple[tuple[int, ...], dict[str, Any]]:
    axes = draw(st.integers(1, 3))
    size = draw(st.lists(st.integers(1, 9), min_size=axes, max_size=axes))
    attributes: dict[str, Any] = {
        "kernel_shape": draw(st.lists(st.integers(1, 4), min_size=axes, max_size=axes)),
        "strides": draw(st.lists(st.integers(1, 4), min_size=axes, max_size=axes)),
    }
    attributes["auto_pad"] = draw(st.sampled_from(["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    attributes["ceil_mode"] = draw(st.integers(0, 1))
    if attributes["auto_pad"] in ("NOTSET", "VALID"):
        several = st.lists(st.integers(1, 3), min_size=axes, max_size=axes)
        attributes["dilations"] = draw(several)
    if attributes["auto_pad"] == "NOTSET":
        attributes["pads"] = [draw(st.integers(0, k - 1)) for k in attributes["kernel_shape"] * 2]
    return (2, draw(st.integers(1, 3)), *size), attributes


@settings(max_examples=60)
@given(pools(), st.sampled_from([np.int8, np.uint8, F32]), st.booleans())
def test_random_maxima_are_those_of_onnxruntime(tmp_path_factory, pool, dtype, indices):
    shape, attributes = pool
    outputs = "y i" if indices else "y"
    made = pool_model("MaxPool", (dtype, shape), 22, outputs, **attributes)
    model = opened(tmp_path_factory.mktemp("net"), made)
    [layer] = model.layers
    if layer.job is None:
        assert layer.refusal
        return
    x = random(shape, dtype)
    try:
        model.run([x])
    except Refused:  # its own kernels refuse more, such as SAME that crops
        return
    model.run([x], golden)


@settings(max_examples=60)
@given(pools(), st.sampled_from(["AveragePool", "LpPool"]), st.booleans())
def test_random_averages_and_norms_are_those_of_onnxruntime(tmp_path_factory, pool, op, counted):
    shape, attributes = pool
    attributes |= {"p": 1 + counted} if op == "LpPool" else {"count_include_pad": int(counted)}
    made = pool_model(op, (F32, shape), 22, **attributes)
    model = opened(tmp_path_factory.mktemp("net"), made)
    scaled(model, 1.0)
    [layer] = model.layers
    if layer.job is None:
        assert layer.refusal
        return
    x = np.random.default_rng(3).integers(-128, 128, shape).astype(F32)

    def near(layer: Layer, x: np.ndarray, made: Arrays) -> Arrays:
        assert layer.job is not None
        [values] = layer.job.reference(x.astype(np.int8))
        assert values.shape == made[0].shape
        assert np.abs(values - made[0]).max() <= 0.5 + 1e-4
        return made

    try:
        model.run([x])
    except Refused:  # its own kernels refuse more
        return
    model.run([x], near)


def test_a_model_that_onnxruntime_does_not_take_is_refused(tmp_path):
    made = node("Nothing", "p", "y", domain="my.ops")
    nodes = [node("MaxPool", "x", "p", name="pool", **POOL), made]
    model = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 1, 4, 4))}, domains=["my.ops"]))
    with pytest.raises(Exception, match="onnxruntime cannot run"):
        run_model(model, [random((1, 1, 4, 4))])


def test_functions_and_branches_run(tmp_path):
    inner = node("MaxPool", "x", "y", name="pool", **POOL)
    opsets = [helper.make_opsetid("", 21)]
    pool = helper.make_function("local", "Pool", ["x"], ["y"], [inner], opsets)
    branches = {}
    for name, op in ("then_branch", "Relu"), ("else_branch", "MaxPool"):
        attributes = {"kernel_shape": [1, 1]} if op == "MaxPool" else {}
        output = helper.make_empty_tensor_value_info("o")
        made = node(op, "p", "o", name="in", **attributes)
        branches[name] = helper.make_graph([made], name, [], [output])
    nodes = [
        node("Pool", "x", "p", name="call", domain="local"),
        node("If", "c", "y", name="choice", **branches),
    ]
    inputs = {"x": (F32, (1, 1, 4, 4)), "c": (np.bool_, ())}
    model = opened(tmp_path, model_of(nodes, inputs, functions=[pool], domains=["local"]))
    run = run_model(model, [random((1, 1, 4, 4)), np.array(False)])
    assert [each.layer.name for each in run.layers] == ["call/pool"]
    assert run.left == ["choice/else_branch/in"]
    assert "choice/else_branch/in: left to the framework" in listed_run(run)
    assert run.outputs[0].differing == 0


@pytest.mark.parametrize(
    ("op", "taken", "weights", "clamp"),
    [
        ("Relu", "c", {}, (0, np.inf)),
        ("Clip", "c low high", {"low": F32(0), "high": F32(0.1)}, (0, float(F32(0.1)))),
        ("Clip", "c low", {"low": F32(-0.5)}, (-0.5, np.inf)),
        ("Clip", "c low high", {"low": F32(2), "high": F32(1)}, None),
        ("Clip", "c low", {}, None),
    ],
)
@pytest.mark.parametrize("others", [False, True])
def test_a_core_takes_what_an_activation_takes(tmp_path, op, taken, weights, clamp, others):
    inputs: dict[str, Any] = {"x": (F32, (1, 2, 9, 9))}
    if "low" in taken and not weights:
        inputs["low"] = (F32, ())
    nodes = [
        node("Neg", "x", "c"),
        node(op, taken, "r", name="activation"),
        node("MaxPool", "r", "p", name="pool", **POOL),
        *([node("Neg", "r", "z")] if others else []),
    ]
    given = {name: np.array(value) for name, value in weights.items()}
    model = opened(tmp_path, model_of(nodes, inputs, ("p", "z")[: 1 + others], given, 17))
    [layer] = model.layers
    assert layer.spec is not None
    assert layer.spec.clamp == (None if others else clamp)
    assert bool(layer.notes) == (layer.spec.clamp is not None)
    run = run_model(model, [random(shape) for _, shape in inputs.values()])
    assert [(each.good, each.differing) for each in run.layers] == [(True, 0)]
    assert not any(output.differing for output in run.outputs)


def test_an_activation_stays_before_indices(tmp_path):
    nodes = [node("Relu", "x", "r"), node("MaxPool", "r", "p i", name="pool", **POOL)]
    model = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 2, 8, 8))}, ("p", "i"), {}, 17))
    assert [layer.spec and layer.spec.clamp for layer in model.layers] == [None]
    [run] = run_model(model, [random((1, 2, 8, 8))]).layers
    assert (run.good, run.differing) == (True, 0)


def test_an_old_clip_has_its_ends_as_attributes(tmp_path):
    nodes = [
        node("Clip", "x", "r", name="six", min=0.0, max=6.0),
        node("MaxPool", "r", "p", name="pool", **POOL),
    ]
    model = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 2, 8, 8))}, ("p",), {}, 8))
    assert [layer.spec and layer.spec.clamp for layer in model.layers] == [(0, 6)]
    [run] = run_model(model, [5 * random((1, 2, 8, 8))]).layers
    assert (run.good, run.differing) == (True, 0)
