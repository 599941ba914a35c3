"""The golden model against ONNX's own node cases and a live onnxruntime."""

import json
from pathlib import Path

import numpy as np
import pytest
from conformance import onnx_cases
from onnx_pools import spec_of
from streampool_golden import pool

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")
ROOT = Path(__file__).resolve().parents[2]


def test_every_pooling_case_of_onnx_runs_as_the_table_says():
    pytest.importorskip("onnx")
    cases = onnx_cases.collected()
    assert len(cases) == 53 + 16
    for case in cases:
        onnx_cases.judge(case)  # fails where one differs
    rows = json.loads((ROOT / "docs" / "onnx_cases.json").read_text("utf-8"))
    assert [(row["name"], row["verdict"]) for row in rows] == [
        (case.name, case.verdict) for case in cases
    ], "make conformance ARGS=onnx"
    assert all(row["core"] == "yes" for row in rows if row["core"] != "-")


def test_a_case_that_differs_is_found():
    pytest.importorskip("onnx")
    x = np.array([[[1, 2, 3, 4]]], np.float32)
    attributes = {"kernel_shape": [2]}
    for op_type, y in (("MaxPool", [2, 3, 3.5]), ("AveragePool", [1.5, 2.5, 3.501])):
        case = onnx_cases.Case("wrong", op_type, attributes, [x], [np.array([[y]], np.float32)])
        with pytest.raises(AssertionError, match="wrong"):
            onnx_cases.judge(case)


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
    np.testing.assert_array_equal(pool(spec, x), expected)
