"""Pooling layers of ONNX models: their names, specifications and shapes."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import model_of, node, opened, pool_model
from streampool_models import from_onnx
from streampool_models.onnx import OnnxModel
from streampool_sim.refusals import Refused

F32 = np.float32
X = (F32, (1, 3, 12, 10))
POOL: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}


def listed(model: OnnxModel) -> list[str]:
    return [layer.name for layer in model.layers]


def test_a_maximum_is_bit_for_bit_and_leaves_nan_out(tmp_path):
    [layer] = opened(tmp_path, pool_model("MaxPool", X, kernel_shape=[3, 2])).layers
    assert (layer.name, layer.op, layer.refusal) == ("pool", "MaxPool", None)
    assert layer.job is not None
    assert (layer.shape, layer.job.out_shape) == ((3, 12, 10), (3, 10, 9))
    assert (layer.job.spec.dtype, layer.job.spec.nan) == ("float32", "ignore")


@pytest.mark.parametrize("op", ["AveragePool", "LpPool"])
def test_what_has_no_core_of_floats_says_what_to_use(tmp_path, op):
    [layer] = opened(tmp_path, pool_model(op, X, **POOL)).layers
    assert layer.job is None
    assert layer.refusal is not None
    assert layer.refusal.endswith("of float32 has no exact core; use --calibrate or --scale")
    assert layer.out_shape == (3, 6, 5)


def test_an_average_of_half_precision_is_exact(tmp_path):
    x = (np.float16, (1, 3, 8, 8))
    [layer] = opened(tmp_path, pool_model("AveragePool", x, opset=22, **POOL)).layers
    assert layer.job is not None
    assert (layer.job.spec.op, layer.job.spec.dtype) == ("avg", "float16")
    assert not layer.job.spec.count_include_pad


@pytest.mark.parametrize(
    ("op", "attributes", "reason"),
    [
        ("MaxPool", {}, "it has no kernel_shape"),
        ("MaxPool", {**POOL, "pads": [-1, 0, 0, 0]}, "pads [-1, 0, 0, 0] go below 0"),
        ("MaxPool", {**POOL, "pads": [1]}, "its pads are 1 for 2 axes"),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [0, 1]}, "strides is [0, 1]"),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [1]}, "strides are 1 for 2 axes"),
        ("MaxPool", {**POOL, "auto_pad": "LEFT"}, "auto_pad is LEFT"),
        ("MaxPool", {**POOL, "storage_order": 2}, "storage_order is 2"),
        ("MaxPool", {**POOL, "colour": 2}, "attribute 'colour', which MaxPool of opset 21"),
        ("MaxPool", {"kernel_shape": 2}, "attribute kernel_shape is of the wrong type"),
        ("MaxPool", {"kernel_shape": [2]}, "shape"),
        ("MaxPool", {"kernel_shape": [2, 2, 2, 2]}, "it has 4 axes of positions"),
        ("MaxPool", {"kernel_shape": [13, 2]}, "kernel 13 gives no output"),
        (
            "MaxPool",
            {**POOL, "auto_pad": "SAME_UPPER", "dilations": [2, 1]},
            "auto_pad SAME_UPPER has dilations",
        ),
        ("LpPool", {**POOL, "p": 7}, "its p is 7"),
        ("MaxRoiPool", {"pooled_shape": [2, 2]}, "its windows come with its input"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(tmp_path, op, attributes, reason):
    [layer] = opened(tmp_path, pool_model(op, X, **attributes)).layers
    assert layer.job is None
    assert reason in (layer.refusal or "")


@pytest.mark.parametrize(
    ("op", "opset", "attribute"),
    [
        ("MaxPool", 9, {"ceil_mode": 1}),
        ("MaxPool", 9, {"dilations": [1, 1]}),
        ("MaxPool", 7, {"storage_order": 0}),
        ("AveragePool", 6, {"count_include_pad": 1}),
        ("AveragePool", 9, {"ceil_mode": 1}),
        ("AveragePool", 18, {"dilations": [1, 1]}),
        ("LpPool", 17, {"ceil_mode": 1}),
    ],
)
def test_an_attribute_is_known_from_its_opset_on(tmp_path, op, opset, attribute):
    [old] = opened(tmp_path, pool_model(op, X, opset, **POOL, **attribute)).layers
    [new] = opened(tmp_path, pool_model(op, X, opset + 1, **POOL, **attribute)).layers
    assert f"which {op} of opset {opset} has not" in (old.refusal or "")
    assert new.out_shape == (3, 6, 5)


def test_the_power_of_the_first_opset_is_a_float(tmp_path):
    [layer] = opened(tmp_path, pool_model("LpPool", X, 1, p=1.0, **POOL)).layers
    assert layer.spec is not None
    assert layer.spec.op == "lp1"


def test_indices_and_their_order(tmp_path):
    model = pool_model("MaxPool", X, outputs="y i", storage_order=1, **POOL)
    [layer] = opened(tmp_path, model).layers
    assert layer.spec is not None
    assert layer.spec.indices == "flat_columns"


def test_an_unpooling_is_refused_by_name(tmp_path):
    nodes = [
        node("MaxPool", "x", "p i", name="pool", **POOL),
        node("MaxUnpool", "p i", "y", name="back", **POOL),
    ]
    pool, back = opened(tmp_path, model_of(nodes, {"x": X})).layers
    assert pool.job is not None
    assert "--op unpool" in (back.refusal or "")


def test_unnamed_nodes_get_a_name_that_no_other_has(tmp_path):
    nodes = [
        node("MaxPool", "x", "a", **POOL),
        node("MaxPool", "a", "b", name="MaxPool_0", kernel_shape=[1, 1]),
        node("MaxPool", "b", "y", name="MaxPool_0", kernel_shape=[1, 1]),
    ]
    assert listed(opened(tmp_path, model_of(nodes, {"x": X}))) == [
        "MaxPool_1",
        "MaxPool_0",
        "MaxPool_0_0",
    ]


def test_a_function_is_listed_at_each_call_with_the_attributes_of_the_call(tmp_path):
    inner = node("MaxPool", "x", "y", name="pool", strides=[2, 2])
    inner.attribute.add(name="kernel_shape", ref_attr_name="k", type=onnx.AttributeProto.INTS)
    opsets = [helper.make_opsetid("", 21)]
    pool = helper.make_function("local", "Pool", ["x"], ["y"], [inner], opsets, ["k"])
    call = node("Pool", "x", "y", name="inner", domain="local", k=[3, 3])
    opsets = [*opsets, helper.make_opsetid("local", 1)]
    twice = helper.make_function("local", "Twice", ["x"], ["y"], [call], opsets)
    nodes = [
        node("Pool", "x", "a", name="first", domain="local", k=[2, 2]),
        node("Twice", "a", "y", name="second", domain="local"),
    ]
    model = model_of(nodes, {"x": X}, functions=[pool, twice], domains=["local"])
    first, second = opened(tmp_path, model).layers
    assert (first.name, first.out_shape) == ("first/pool", (3, 6, 5))
    assert (second.name, second.out_shape) == ("second/inner/pool", (3, 2, 2))


def test_branches_are_listed_with_their_path(tmp_path):
    branches = {}
    for name, kernel in ("then_branch", 2), ("else_branch", 3):
        pool = node("MaxPool", "r", "y", name="pool", kernel_shape=[kernel, kernel])
        output = helper.make_empty_tensor_value_info("y")
        branches[name] = helper.make_graph([pool], name, [], [output])
    nodes = [node("Relu", "x", "r"), node("If", "c", "y", name="choice", **branches)]
    model = model_of(nodes, {"x": X, "c": (np.bool_, ())})
    layers = opened(tmp_path, model).layers
    shapes = {layer.name: layer.out_shape for layer in layers}
    assert shapes == {
        "choice/else_branch/pool": (3, 10, 8),
        "choice/then_branch/pool": (3, 11, 9),
    }


def test_a_size_that_is_not_known_is_asked_for(tmp_path):
    model = pool_model("MaxPool", (F32, ("N", 3, "H", "W")), **POOL)
    [layer] = opened(tmp_path, model).layers
    assert layer.refusal == "its input's size is not known; use --input-shape"
    [layer] = opened(tmp_path, model, [(4, 3, 9, 8)]).layers
    assert (layer.shape, layer.out_shape) == ((3, 9, 8), (3, 4, 4))


def test_a_batch_that_is_not_known_needs_nothing(tmp_path):
    [layer] = opened(tmp_path, pool_model("MaxPool", (F32, ("N", 3, 9, 8)), **POOL)).layers
    assert layer.shape == (3, 9, 8)


def test_shapes_behind_a_ceil_mode_are_those_of_onnxruntime(tmp_path):
    # ONNX below opset 22 has a last window that starts in the padding
    ceil = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    nodes = [
        node("MaxPool", "x", "a", **ceil),
        node("MaxPool", "a", "b", **ceil),
        node("MaxPool", "b", "y", kernel_shape=[1, 1]),
    ]
    layers = opened(tmp_path, model_of(nodes, {"x": (F32, (1, 1, 5, 5))}, opset=11)).layers
    assert [layer.shape for layer in layers] == [(1, 5, 5), (1, 3, 3), (1, 2, 2)]


@pytest.mark.parametrize(
    ("op", "axes", "shape", "frame"),
    [
        ("ReduceMax", [2, 3], (1, 3, 5, 4), (3, 5, 4)),
        ("ReduceMax", [-1, -2], (1, 3, 5, 4), (3, 5, 4)),
        ("ReduceMax", [1], (1, 7, 3), (3, 7)),
        ("ReduceMean", [1, 2], (1, 5, 4, 3), (3, 5, 4)),
    ],
)
@pytest.mark.parametrize("opset", [11, 20])
def test_a_reduction_of_all_positions_is_a_pooling(tmp_path, op, axes, shape, frame, opset):
    constants, attributes, names = {}, {"axes": axes}, "x"
    if opset == 20:
        constants, attributes, names = {"a": np.array(axes)}, {}, "x a"
    made = node(op, names, "y", keepdims=0, name="pool", **attributes)
    model = model_of([made], {"x": (F32, shape)}, constants=constants, opset=opset)
    [layer] = opened(tmp_path, model).layers
    assert layer.shape == frame
    assert layer.spec is not None
    assert layer.spec.adaptive == "global"


@pytest.mark.parametrize(
    ("nodes", "axes"),
    [
        (["ReduceMean x m", "Sub x,m y"], [2]),
        (["Mul x,x s", "ReduceMean s y"], [2]),
        (["ReduceMax x m", "Sub x,m y"], [2]),
        (["ReduceMax x y"], [0]),
        (["ReduceMax x y"], [1, 2]),
    ],
)
def test_a_reduction_of_a_normalisation_is_none(tmp_path, nodes, axes):
    made = []
    for each in nodes:
        op, inputs, output = each.split()
        more = {"axes": axes} if op.startswith("Reduce") else {}
        made.append(node(op, inputs.replace(",", " "), output, **more))
    assert not opened(tmp_path, model_of(made, {"x": (F32, (2, 3, 4))}, opset=11)).layers


def test_a_pooling_of_an_unknown_domain_is_refused_by_name(tmp_path):
    made = node("MaxPool", "x", "y", name="pool", domain="my.ops")
    [layer] = opened(tmp_path, model_of([made], {"x": X}, domains=["my.ops"])).layers
    assert "the operators of my.ops are not known" in (layer.refusal or "")


def test_doubles_are_refused(tmp_path):
    [layer] = opened(tmp_path, pool_model("MaxPool", (np.float64, (1, 1, 4, 4)), **POOL)).layers
    assert "double" in (layer.refusal or "")


def test_a_large_constant_is_not_kept(tmp_path):
    weight = np.zeros((64, 3, 16, 16), F32)
    nodes = [node("Conv", "x w", "c"), node("MaxPool", "c", "y", name="pool", **POOL)]
    model = model_of(nodes, {"x": (F32, (1, 3, 32, 32))}, constants={"w": weight})
    read = opened(tmp_path, model)
    assert read.layers[0].shape == (64, 17, 17)


def test_the_operations_are_there_for_a_picture(tmp_path):
    nodes = [node("Relu", "x", "r"), node("MaxPool", "r", "y", name="pool", **POOL)]
    relu, pool = opened(tmp_path, model_of(nodes, {"x": X})).nodes
    assert (relu.op, relu.outputs, relu.layer) == ("Relu", ("r",), None)
    assert (pool.inputs, pool.layer) == (("r",), "pool")


def test_external_data_is_not_needed(tmp_path):
    nodes = [node("Conv", "x w", "c"), node("MaxPool", "c", "y", name="pool", **POOL)]
    model = model_of(nodes, {"x": X})
    tensor = model.graph.initializer.add(name="w", dims=[4, 3, 3, 3], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="nowhere.bin")
    [layer] = opened(tmp_path, model).layers
    assert layer.shape == (4, 10, 8)


def test_a_model_that_is_broken_anywhere_is_listed_or_refused(tmp_path):
    numbers = np.random.default_rng(1)
    scale = {"s": np.array(0.25, F32), "z": np.array(3, np.uint8)}
    nodes = [
        node("MaxPool", "x", "a", name="one", **POOL),
        node("QuantizeLinear", "a s z", "b"),
        node("DequantizeLinear", "b s z", "c"),
        node("AveragePool", "c", "d", name="two", **POOL),
        node("QuantizeLinear", "d s z", "y"),
    ]
    ops = ["MaxPool", "GlobalLpPool", "ReduceMax", "Quant", "If", "DequantizeLinear", "Identity"]
    said = []
    for _ in range(60):
        model = model_of(nodes, {"x": X}, constants=scale)
        for _ in range(3):
            each = model.graph.node[numbers.integers(len(model.graph.node))]
            kind = numbers.integers(6)
            if kind == 0:
                del each.input[:1]
            elif kind == 1:
                del each.output[:]
            elif kind == 2:
                each.op_type = str(numbers.choice(ops))
            elif kind == 3 and each.attribute and each.attribute[0].ints:
                each.attribute[0].ints[0] = int(numbers.choice([0, -1, 2**40, -(2**62)]))
            elif kind == 4:
                each.input[:1] = [str(numbers.choice(["x", "y", "", "nothing"]))]
            else:
                model.graph.initializer[0].raw_data = b"\xff" * int(numbers.integers(9))
        try:
            read = opened(tmp_path, model)
        except Refused as refusal:
            said.append(str(refusal))
        else:
            assert all(layer.job is not None or layer.refusal for layer in read.layers)
    assert not any("\n" in each for each in said)


def test_a_function_that_calls_itself_is_refused(tmp_path):
    inner = node("Again", "x", "y", domain="local")
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("local", 1)]
    again = helper.make_function("local", "Again", ["x"], ["y"], [inner], opsets)
    model = model_of([inner], {"x": X}, functions=[again], domains=["local"])
    with pytest.raises(Refused, match="the model's function Again calls itself"):
        opened(tmp_path, model)


def test_functions_that_grow_without_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("streampool_models.onnx.graphs.MOST_NODES", 1000)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("local", 1)]
    functions = []
    for k in range(20):
        calls = [node(f"F{k + 1}", "x", name, domain="local") for name in ("y", "z")]
        functions.append(helper.make_function("local", f"F{k}", ["x"], ["y"], calls, opsets))
    leaf = node("MaxPool", "x", "y", **POOL)
    functions.append(helper.make_function("local", "F20", ["x"], ["y"], [leaf], opsets))
    first = node("F0", "x", "y", domain="local")
    model = model_of([first], {"x": X}, functions=functions, domains=["local"])
    with pytest.raises(Refused, match="more than 1,000 nodes"):
        opened(tmp_path, model)


def test_layers_are_there_from_python_too(tmp_path):
    model = pool_model("MaxPool", (F32, ("N", 3, "H", "W")), **POOL)
    (tmp_path / "net").write_bytes(model.SerializeToString())  # whatever it is called
    for each in model, tmp_path / "net", str(tmp_path / "net"):
        [layer] = from_onnx(each, (1, 3, 8, 6))
        assert (layer.name, layer.shape) == ("pool", (3, 8, 6))
    read = OnnxModel(model, [(1, 3, 8, 6)])
    x = np.ones((1, 3, 8, 6), F32)
    [y] = read.run([x], lambda layer, x, made: made)
    assert np.array_equal(y, read.run([x])[0])


def test_what_python_is_given_has_to_be_a_model():
    with pytest.raises(Refused, match="is no ONNX model"):
        from_onnx(3)
