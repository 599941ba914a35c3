"""The shapes of a model's values at a size of its inputs."""

from collections.abc import Sequence

import onnx
from streampool_golden.errors import cut
from streampool_sim.refusals import Refused
from streampool_sim.words import by, count

from .graphs import bodies

MOST_KEPT = 1 << 16
"""Bytes of a constant that shapes may follow from."""

QONNX = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
"""The domains of QONNX's operators, new and old, of which all keep the shape."""


def lean(body: onnx.GraphProto | onnx.FunctionProto) -> None:
    """Take out the values of large constants, which no shape follows from."""
    tensors = list(body.initializer) if isinstance(body, onnx.GraphProto) else []
    for node in body.node:
        for _, inner in bodies(node):
            lean(inner)
        tensors += [each.t for each in node.attribute if each.HasField("t")]
    for tensor in tensors:
        if tensor.ByteSize() > MOST_KEPT:
            for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(name)
            tensor.data_location = onnx.TensorProto.EXTERNAL


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return what a model is given when it runs."""
    held = {each.name for each in (*graph.initializer,)}
    held |= {each.values.name for each in graph.sparse_initializer}
    return [each for each in graph.input if each.name not in held]


def put_shapes(graph: onnx.GraphProto, shapes: Sequence[tuple[int, ...]]) -> None:
    """Put the shapes of the inputs, in order, into a graph; a batch that is not said is 1."""
    inputs = inputs_of(graph)
    if len(shapes) > len(inputs):
        names = ", ".join(cut(each.name) for each in inputs)
        raise Refused(
            f"--input-shape has {count(len(shapes), 'shape')}, and the model"
            f" {count(len(inputs), 'input')} ({names}); use one for each"
        )
    changed = bool(shapes)
    for each, shape in zip(inputs, shapes, strict=False):
        stated = each.type.tensor_type
        if not each.type.HasField("tensor_type"):
            raise Refused(f"the input {cut(each.name)} is no tensor, and has no shape")
        if stated.HasField("shape") and len(stated.shape.dim) != len(shape):
            use = by([d.dim_value or 1 for d in stated.shape.dim])
            raise Refused(
                f"--input-shape {by(shape)} does not fit the input {cut(each.name)}, which has"
                f" {count(len(stated.shape.dim), 'axis').replace('axiss', 'axes')}; use a shape"
                f" such as {use}"
            )
        _put(each, stated.elem_type, shape)
    for each in inputs[len(shapes) :]:
        dims = each.type.tensor_type.shape.dim
        if dims and dims[0].dim_value < 1:
            dims[0].dim_value = 1
            changed = True
    if changed:  # what it says of other shapes is of others
        del graph.value_info[:]
        for each in graph.output:
            each.type.tensor_type.ClearField("shape")


def put_value(graph: onnx.GraphProto, name: str, element: int, shape: Sequence[int | None]) -> None:
    """Put the shape of a value into its graph."""
    for each in (*graph.output, *graph.value_info):
        if each.name == name:
            _put(each, element, shape)
            return
    _put(graph.value_info.add(name=name), element, shape)


def _put(value: onnx.ValueInfoProto, element: int, shape: Sequence[int | None]) -> None:
    value.type.CopyFrom(onnx.helper.make_tensor_type_proto(element, shape))


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model with the shapes that ONNX infers; without new ones where it cannot."""
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # of a graph that is broken anywhere; the layers are listed all the same
        found = onnx.ModelProto()
        found.CopyFrom(model)
        return found
