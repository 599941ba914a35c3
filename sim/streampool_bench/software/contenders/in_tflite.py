"""TFLite, as LiteRT: one pooling operator, after a padding of its own where SAME will not do."""

from importlib import import_module
from typing import Any

import numpy as np

from ..task import CHANNELS_LAST, Contender, Ready, Task, Unfit, per_axis
from .in_numpy import identity, span

# typed as anything, so that the rest is checked where TFLite is not installed
schema: Any = import_module("ai_edge_litert.schema_py_generated")
Interpreter: Any = import_module("ai_edge_litert.interpreter").Interpreter
flatbuffers: Any = import_module("flatbuffers")

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}
_POOLINGS = {
    "max": schema.BuiltinOperator.MAX_POOL_2D,
    "avg": schema.BuiltinOperator.AVERAGE_POOL_2D,
}
_IDENTIFIER = b"TFL3"


def contenders() -> list[Contender]:
    """Return TFLite's contenders."""
    return [
        Contender(
            "tflite", "TFLite", "MAX_POOL_2D or AVERAGE_POOL_2D, behind a PADV2 where it is needed",
            ("float32", "int8", "uint8"), (CHANNELS_LAST,), _operator, threaded=True,
        )
    ]  # fmt: skip


def _operator(task: Task, layout: str, threads: int) -> Ready:
    spec, axes = task.spec, task.job.axes
    pooling = task.among(_POOLINGS)
    if spec.divisor_override is not None or any(step > 1 for step in spec.dilation):
        raise Unfit("a divisor of its own, or windows with gaps")
    if any(axis.before < 0 or axis.after < 0 for axis in axes):
        raise Unfit("it crops")
    pads = [(axis.before, max(0, span(axis) - axis.before - axis.length)) for axis in axes]
    padded = any(map(any, pads))
    if padded and task.job.divisor_constant is None:
        raise Unfit("padding or overhang that does not count")
    x = task.laid_out(CHANNELS_LAST)
    x = x if spec.ndim == 2 else x[:, np.newaxis]
    around = [(0, 0), *(pads if spec.ndim == 2 else [(0, 0), *pads]), (0, 0)]
    output = (1, *per_axis(task.job.out_size, 1), task.shape[0])
    model = _Model(task.dtype)
    model.tensor("x", x.shape)
    if padded:
        model.constant("pads", np.array(around, np.int32))
        model.constant("fill", np.array([identity(spec, x.dtype)], x.dtype))
        model.tensor("padded", [n + sum(pad) for n, pad in zip(x.shape, around, strict=True)])
        model.node(schema.BuiltinOperator.PADV2, ["x", "pads", "fill"], "padded", 0, None)
    model.tensor("y", output)
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.filterHeight, options.filterWidth = per_axis(spec.kernel, 1)
    options.strideH, options.strideW = per_axis(spec.stride, 1)
    model.node(
        *(pooling, ["padded" if padded else "x"], "y"),
        *(schema.BuiltinOptions.Pool2DOptions, options),
    )
    try:
        interpreter = Interpreter(model_content=model.content("x", "y"), num_threads=threads)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise Unfit(" ".join(str(error).split())[:120]) from None
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    index = interpreter.get_output_details()[0]["index"]

    def result(_: Any) -> np.ndarray:
        y = np.moveaxis(interpreter.get_tensor(index), -1, 1)
        return y if spec.ndim == 2 else y[:, :, 0]

    return Ready(interpreter.invoke, result, rounding="half_away")


class _Model:
    """A model of a few operators, written as TFLite's FlatBuffer.

    Parameters
    ----------
    dtype : str
        Of all tensors that are no constants; integers have scale 1 and zero point 0.
    """

    def __init__(self, dtype: str) -> None:
        self._type = _TYPES[dtype]
        self._quantized = dtype != "float32"
        self._model = model = schema.ModelT()
        model.version = 3
        model.operatorCodes = []
        model.buffers = [schema.BufferT()]
        self._graph = graph = schema.SubGraphT()
        graph.tensors, graph.operators = [], []
        model.subgraphs = [graph]
        self._names: list[str] = []

    def tensor(self, name: str, shape: Any, kind: int | None = None, buffer: int = 0) -> None:
        """Add a tensor."""
        tensor = schema.TensorT()
        tensor.name = name
        tensor.shape = [int(n) for n in shape]
        tensor.type = self._type if kind is None else kind
        tensor.buffer = buffer
        if self._quantized and tensor.type == self._type:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [1.0]
            tensor.quantization.zeroPoint = [0]
        self._graph.tensors.append(tensor)
        self._names.append(name)

    def constant(self, name: str, values: np.ndarray) -> None:
        """Add a constant tensor."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        kind = schema.TensorType.INT32 if values.dtype == np.int32 else self._type
        self.tensor(name, values.shape, kind, len(self._model.buffers) - 1)

    def node(self, operator: int, inputs: list[str], output: str, kind: int, options: Any) -> None:
        """Add an operator."""
        code = schema.OperatorCodeT()
        code.builtinCode = operator
        code.deprecatedBuiltinCode = operator
        code.version = 2 if self._quantized else 1
        self._model.operatorCodes.append(code)
        node = schema.OperatorT()
        node.opcodeIndex = len(self._model.operatorCodes) - 1
        node.inputs = [self._names.index(name) for name in inputs]
        node.outputs = [self._names.index(output)]
        node.builtinOptionsType, node.builtinOptions = kind, options
        self._graph.operators.append(node)

    def content(self, source: str, target: str) -> bytes:
        """Return the file's bytes."""
        self._graph.inputs = [self._names.index(source)]
        self._graph.outputs = [self._names.index(target)]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())
