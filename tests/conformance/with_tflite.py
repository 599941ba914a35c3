"""TFLite (ai-edge-litert) as an oracle: AVERAGE_POOL_2D and MAX_POOL_2D of quantised tensors."""

import importlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from streampool_golden import PoolJob, PoolSpec, SpecError, preset

from .cases import TAPS, Case, every_sum, rounded, sizes, values

PACKAGE = "ai_edge_litert"
MODEL_VERSION = 3
ACTIVATIONS = {"none": 0, "relu": 1, "relu1": 2, "relu6": 3}
OPERATORS = {"avg": "AVERAGE_POOL_2D", "max": "MAX_POOL_2D", "l2": "L2_POOL_2D"}

flatbuffers: Any = None
interpreter: Any = None
schema: Any = None


def load() -> str:
    """Import ai-edge-litert; return its version."""
    global flatbuffers, interpreter, schema
    interpreter = importlib.import_module(f"{PACKAGE}.interpreter")
    schema = importlib.import_module(f"{PACKAGE}.schema_py_generated")
    flatbuffers = importlib.import_module("flatbuffers")
    return importlib.import_module("importlib.metadata").version("ai-edge-litert")


def draw(rng: random.Random) -> Case | None:
    """Return a random case; None where TFLite or a specification refuses it."""
    if rng.random() < 0.2:
        return _norm(rng)
    op = rng.choice(["avg", "avg", "max"])
    dtype = rng.choice(["int8", "uint8", "int16"])
    x = values(rng, dtype, (2, rng.randint(1, 3), *sizes(rng, 2)))
    info = np.iinfo(dtype)
    zero = 0 if dtype == "int16" else rng.randint(int(info.min), int(info.max))
    scale = rng.choice([0.5, rng.uniform(0.001, 1)])
    activation = rng.choice(["none", "none", "relu", "relu6", "relu1"])
    kernel = tuple(rng.randint(1, 5) for _ in range(2))
    stride = tuple(rng.randint(1, 4) for _ in range(2))
    padding = rng.choice(["same", "valid"])
    try:
        spec = preset(
            *("tflite", op, kernel),
            stride=stride,
            padding=padding,
            dtype=dtype,
            zero_points=zero,
            scales=(scale, scale),
            activation=activation,
        )
        PoolJob(spec, x.shape[1:])
    except SpecError:
        return None
    return Case(OPERATORS[op], spec, x, _run(spec, x, scale, zero, activation))


def _norm(rng: random.Random) -> Case | None:
    """L2_POOL_2D, which TFLite has for float32 alone: of integers in it."""
    x = values(rng, "int8", (2, rng.randint(1, 3), *sizes(rng, 2)))
    kernel, stride = (tuple(rng.randint(1, most) for _ in range(2)) for most in (5, 4))
    padding = rng.choice(["same", "valid"])
    try:
        spec = PoolSpec("l2", kernel, stride, padding, rounding="half_even", out_dtype="int16")
        PoolJob(spec, x.shape[1:])
    except SpecError:
        return None
    y = rounded(_run(spec, x.astype(np.float32), 0, 0, "none"), spec)
    return Case(OPERATORS["l2"], spec, x, y, operations=int(np.prod(kernel)) + 3)


def exhaustive() -> Iterator[Case]:
    """Yield the average of every sum of some numbers of values."""
    for taps in TAPS:
        x = every_sum(taps)[np.newaxis, np.newaxis]
        spec = preset("tflite", "avg", (1, taps), dtype="uint8", zero_points=3)
        yield Case("AVERAGE_POOL_2D", spec, x, _run(spec, x, 0.1, 3, "none"))


def _run(spec: PoolSpec, x: np.ndarray, scale: float, zero: int, activation: str) -> np.ndarray:
    """Return what TFLite makes of channels first, in channels last as it has them."""
    x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    shape = (x.shape[0], *PoolJob(spec, (1, *x.shape[1:3])).out_size, x.shape[3])
    model = _model(spec, x.dtype.name, (x.shape, shape), scale, zero, activation)
    runner = interpreter.Interpreter(model_content=model)
    runner.allocate_tensors()
    runner.set_tensor(0, x)
    runner.invoke()
    return np.moveaxis(runner.get_tensor(1), -1, 1)


def _model(
    spec: PoolSpec,
    dtype: str,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    scale: float,
    zero: int,
    activation: str,
) -> bytes:
    """Return a model of one operator."""
    options = schema.Pool2DOptionsT()
    options.padding = 0 if spec.padding == "same" else 1
    options.strideH, options.strideW = spec.stride
    options.filterHeight, options.filterWidth = spec.kernel
    options.fusedActivationFunction = ACTIVATIONS[activation]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0], [1]
    operator.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    operator.builtinOptions = options
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, OPERATORS[spec.op])
    code.deprecatedBuiltinCode = code.builtinCode
    code.version = {"int8": 2, "int16": 3}.get(dtype, 1)
    graph = schema.SubGraphT()
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    graph.tensors = []
    for name, shape in zip(("x", "y"), shapes, strict=True):
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.buffer = 0
        if dtype != "float32":
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero]
        graph.tensors.append(tensor)
    model = schema.ModelT()
    model.version = MODEL_VERSION
    model.operatorCodes, model.subgraphs = [code], [graph]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
