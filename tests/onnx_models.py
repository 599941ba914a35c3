"""Small ONNX models, made node by node."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper
from streampool_models.onnx import OnnxModel


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """Return a node; the names of its values have spaces between, ``-`` for one left out."""
    taken, given = (
        ["" if name == "-" else name for name in each.split()] for each in (inputs, outputs)
    )
    return helper.make_node(op, taken, given, **attributes)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[Any, Sequence[Any]]],
    outputs: Sequence[str] = ("y",),
    constants: dict[str, Any] | None = None,
    opset: int = 21,
    functions: Sequence[onnx.FunctionProto] = (),
    domains: Sequence[str] = ("com.microsoft",),
) -> onnx.ModelProto:
    """Return a model; an input has a NumPy type and a shape, an output nothing but a name."""
    graph = helper.make_graph(
        nodes,
        "net",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape
            )
            for name, (kind, shape) in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(c), n) for n, c in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=functions)


def pool_model(
    op: str, x: tuple[Any, Sequence[Any]], opset: int = 21, outputs: str = "y", **attributes: Any
) -> onnx.ModelProto:
    """Return a model of one pooling node, ``pool``, of one input."""
    made = node(op, "x", outputs, name="pool", **attributes)
    return model_of([made], {"x": x}, outputs.split(), opset=opset)


def opened(
    folder: Path, model: onnx.ModelProto, shapes: Sequence[tuple[int, ...]] = ()
) -> OnnxModel:
    """Read a model that is first written into a folder."""
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return OnnxModel(path, shapes)
