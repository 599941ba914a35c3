"""The golden model against ONNX's own node cases and a live onnxruntime."""

import warnings

import numpy as np
import pytest
from onnx_pools import spec_of
from streampool_golden import pool

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")
POOLS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool")


def test_every_node_case_of_one_or_two_axes():
    onnx = pytest.importorskip("onnx")
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow as they are made
        cases = collect_testcases(None)
    run = 0
    for case in cases:
        node = case.model.graph.node[-1] if case.model else None
        if node is None or node.op_type not in POOLS:
            continue
        assert case.data_sets is not None
        x, y = (np.asarray(arrays[0]) for arrays in case.data_sets[0])
        if x.ndim == 5:
            continue  # three spatial axes
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        layout = "NCW" if x.ndim == 3 else "NCHW"
        spec = spec_of(node.op_type, attributes, x.shape[2:], dtype="int32")
        if spec.op == "max":
            # A maximum commutes with ranks, so any reals are integers to it.
            ranked, ranks = np.unique(x, return_inverse=True)
            np.testing.assert_array_equal(ranked[pool(spec, ranks.reshape(x.shape), layout)], y)
        else:
            steps = np.rint(x.astype(np.float64) * 2**20).astype(np.int64)
            mean = pool(spec, steps, layout) / 2**20
            # One case gives its expected values to four digits only.
            np.testing.assert_allclose(mean, y, rtol=0, atol=6e-5, err_msg=case.name)
        run += 1
    assert run >= 30


NODES = [
    ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 2, 1]}),
    (
        "MaxPool",
        {"kernel_shape": [3, 3], "dilations": [2, 3], "pads": [2, 2, 0, 1], "ceil_mode": 1},
    ),
    ("MaxPool", {"kernel_shape": [1, 1], "strides": [4, 4], "auto_pad": "SAME_UPPER"}),
    ("MaxPool", {"kernel_shape": [4, 3], "strides": [3, 2], "auto_pad": "SAME_LOWER"}),
    ("AveragePool", {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [2, 1, 0, 1]}),
    (
        "AveragePool",
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 2, 2, 0], "ceil_mode": 1}
        | {"count_include_pad": 1},
    ),
    ("AveragePool", {"kernel_shape": [2, 3], "dilations": [3, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", {"kernel_shape": [2, 3], "dilations": [3, 2], "count_include_pad": 1}),
]


@pytest.mark.parametrize(("op_type", "attributes"), NODES)
@pytest.mark.parametrize("size", [(7, 8), (11, 9)])
def test_onnxruntime(op_type, attributes, size):
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    element = onnx.TensorProto.INT8 if op_type == "MaxPool" else onnx.TensorProto.FLOAT
    x = np.random.default_rng(1).integers(-128, 128, (2, 3, *size), dtype=np.int8)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op_type, ["x"], ["y"], **attributes)],
        "pool",
        [onnx.helper.make_tensor_value_info("x", element, x.shape)],
        [onnx.helper.make_tensor_value_info("y", element, None)],
    )
    opsets = [onnx.helper.make_opsetid("", 22)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    spec = spec_of(op_type, attributes, size, rounding="half_even")
    if op_type == "MaxPool":
        expected = session.run(None, {"x": x})[0]
    else:
        expected = np.rint(session.run(None, {"x": x.astype(np.float32)})[0])
    np.testing.assert_array_equal(spec(x), expected)
