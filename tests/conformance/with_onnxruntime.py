"""onnxruntime as an oracle: its pooling, global, quantized and of floats too, and MaxUnpool."""

import importlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx_pools import spec_of
from streampool_golden import DType, PoolJob, PoolSpec, SpecError, UnpoolJob, preset
from streampool_sim.cases import random_floats

from .cases import AXES, LANES, TAPS, Case, UnpoolCase, every_sum, rounded, sizes, values

PACKAGE = "onnxruntime"
onnx: Any = None
onnxruntime: Any = None


def load() -> str:
    """Import onnxruntime and onnx; return onnxruntime's version."""
    global onnx, onnxruntime
    onnx, onnxruntime = map(importlib.import_module, ("onnx", PACKAGE))
    return onnxruntime.__version__


class _Refused(Exception):
    """onnxruntime does not take a node."""


def draw(rng: random.Random) -> Case | UnpoolCase | None:
    """Return a random case; None where onnxruntime or a specification refuses it."""
    kinds = [_max, _average, _norm, _quantized_average, _quantized_average, _quantized_global]
    kinds += [_max_of_floats, _global, _unpool]
    kind = rng.choice(kinds)
    try:
        return kind(rng)
    except (_Refused, SpecError):
        return None


def run(op_type: str, x: np.ndarray, attributes: dict[str, Any], *constants: Any) -> np.ndarray:
    """Return what a node makes of `x`; constants are its further inputs, NumPy scalars."""
    return outputs(op_type, x, attributes, constants)[0]


def outputs(
    op_type: str, x: np.ndarray, attributes: dict[str, Any], constants: Any = (), count: int = 1
) -> list[np.ndarray]:
    """Return so many outputs of a node."""
    make = onnx.helper
    element = make.np_dtype_to_tensor_dtype(x.dtype)
    names = [f"c{k}" for k in range(len(constants))]
    leaving = ["y", "indices"][:count]
    domain = "com.microsoft" if op_type.startswith("QLinear") else ""
    graph = make.make_graph(
        [make.make_node(op_type, ["x", *names], leaving, domain=domain, **attributes)],
        "pool",
        [make.make_tensor_value_info("x", element, x.shape)],
        [
            make.make_tensor_value_info(
                name, element if name == "y" else onnx.TensorProto.INT64, None
            )
            for name in leaving
        ],
        [onnx.numpy_helper.from_array(c, n) for c, n in zip(constants, names, strict=True)],
    )
    opset = 21 if op_type == "GlobalLpPool" else 22  # it has no newer one
    opsets = [make.make_opsetid("", opset), make.make_opsetid("com.microsoft", 1)]
    model = make.make_model(graph, opset_imports=opsets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return session.run(None, {"x": x})
    except Exception as error:  # its exceptions have no base of their own
        raise _Refused(str(error)) from None


def _attributes(rng: random.Random, size: tuple[int, ...]) -> dict[str, Any]:
    axes = len(size)
    kernel = [rng.randint(1, 5) for _ in range(axes)]
    attributes: dict[str, Any] = {
        "kernel_shape": kernel,
        "strides": [rng.randint(1, 4) for _ in range(axes)],
    }
    if rng.random() < 0.3:
        attributes["auto_pad"] = rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
    else:
        attributes["pads"] = [rng.randint(0, k - 1) for k in kernel * 2]
        attributes["ceil_mode"] = int(rng.random() < 0.5)
    if not attributes.get("ceil_mode") and not attributes.get("auto_pad", "").startswith("SAME"):
        # onnxruntime divides toward zero, and so has an output where no window fits.
        pads = attributes.get("pads", [0] * (2 * axes))
        for i, (n, k) in enumerate(zip(size, kernel, strict=True)):
            if n + pads[i] + pads[axes + i] < k:
                raise _Refused
    return attributes


def _shaped(rng: random.Random) -> tuple[tuple[int, ...], dict[str, Any]]:
    size = sizes(rng, rng.choice(AXES))
    return (2, rng.randint(1, 3), *size), _attributes(rng, size)


def _whole(x: np.ndarray, attributes: dict[str, Any]) -> None:
    """Refuse windows without an input, as a specification does, where onnxruntime has a value."""
    probe = run("AveragePool", np.ones((1, 1, *x.shape[2:]), np.float32), attributes)
    if not probe.size or not (probe > 0).all():
        raise _Refused


def _max(rng: random.Random) -> Case:
    shape, attributes = _shaped(rng)
    if "auto_pad" not in attributes and not attributes["ceil_mode"]:
        attributes["dilations"] = [rng.choice([1, 1, 2]) for _ in shape[2:]]
    x = values(rng, rng.choice(["int8", "uint8"]), shape)
    order = attributes["storage_order"] = rng.choice([0, 1])
    base = ("flat", "flat_columns")[order]
    spec = spec_of("MaxPool", attributes, shape[2:], dtype=x.dtype, indices=base)
    PoolJob(spec, shape[1:])
    y, indices = outputs("MaxPool", x, attributes, count=2)
    return Case("MaxPool with Indices", spec, x, y, 0, indices)


def _norm(rng: random.Random) -> Case:
    shape, attributes = _shaped(rng)
    attributes["p"] = rng.choice([1, 2])
    x = values(rng, "int8", shape)
    rounding = {"rounding": "half_even", "out_dtype": "int32"}
    spec = spec_of("LpPool", attributes, shape[2:], dtype="int8", **rounding)
    PoolJob(spec, shape[1:])
    y = run("LpPool", x.astype(np.float32), attributes)
    what = f"LpPool, p = {attributes['p']}"
    return Case(what, spec, x, rounded(y, spec), operations=int(np.prod(spec.kernel)) + 3)


def _average(rng: random.Random) -> Case:
    shape, attributes = _shaped(rng)
    attributes["count_include_pad"] = int(rng.random() < 0.5)
    x = values(rng, "int8", shape)
    spec = spec_of("AveragePool", attributes, shape[2:], dtype="int8", rounding="half_even")
    PoolJob(spec, shape[1:])
    y = run("AveragePool", x.astype(np.float32), attributes)
    return Case("AveragePool", spec, x, rounded(y, spec), operations=3)


def _max_of_floats(rng: random.Random) -> Case:
    """One axis without indices: else its NaN is more or less than a number by where it stands.

    It holds nothing less than the lowest finite value, so there is no infinity below; and it may
    give either zero of two.
    """
    size = (rng.randint(1, 12),)
    attributes = _attributes(rng, size)
    dtype = DType.of("float32")
    numbers = np.random.default_rng(rng.getrandbits(64))
    x = random_floats(numbers, dtype, (2, rng.randint(1, 3), *size))
    x[x == -np.inf] = np.nan
    x[x == 0] = 0
    spec = spec_of("MaxPool", attributes, size, dtype=dtype.name, nan="ignore")
    PoolJob(spec, x.shape[1:])
    return Case("MaxPool of float32, 1-D", spec, x, run("MaxPool", x, attributes))


def _global(rng: random.Random) -> Case:
    op_type = rng.choice(["GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool"])
    size = sizes(rng, rng.choice(AXES))
    x = values(rng, "int8", (2, rng.randint(1, 3), *size))
    taps = int(np.prod(size))
    fields: dict[str, Any] = {"dtype": "int8", "ndim": len(size)}
    attributes, operations = {}, taps + 1
    if op_type == "GlobalLpPool":
        attributes = {"p": rng.choice([1, 2])}
        operations += 2
    if op_type == "GlobalMaxPool":
        operations = 0
    else:
        fields |= {"rounding": "half_even", "out_dtype": "int32"}
    op = {"GlobalMaxPool": "max", "GlobalAveragePool": "avg"}.get(op_type) or f"lp{attributes['p']}"
    spec = PoolSpec(op, "global", **fields)
    y = run(op_type, x.astype(np.float32), attributes)
    return Case(op_type, spec, x, rounded(y, spec), operations)


def _unpool(rng: random.Random) -> UnpoolCase:
    """Indices anywhere in their own planes, some of them twice."""
    axes = rng.choice(AXES)
    inside = tuple(rng.randint(1, 4) for _ in range(axes))
    kernel = [rng.randint(1, 3) for _ in range(axes)]
    size = tuple(n * k for n, k in zip(inside, kernel, strict=True))
    x = values(rng, "int8", (2, rng.randint(1, 3), *inside))
    area = int(np.prod(size))
    numbers = np.random.default_rng(rng.getrandbits(64))
    indices = numbers.integers(0, area, x.shape)
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *(1,) * axes)
    attributes = {"kernel_shape": kernel, "strides": kernel}
    y = run("MaxUnpool", x.astype(np.float32), attributes, indices + planes * area)
    job = UnpoolJob(x.shape[1:], size, LANES)
    return UnpoolCase("MaxUnpool", job, x, indices, y.astype(np.int8))


def _scales(rng: random.Random, dtype: np.dtype) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return a node's constants, and the same as a preset takes them."""
    info = np.iinfo(dtype)
    zeros = [rng.choice([0, 3, rng.randint(int(info.min), int(info.max))]) for _ in range(2)]
    kind = rng.random()
    scales = [rng.choice([0.25, 0.5, 1.0]) for _ in range(2)]
    if kind < 0.3:
        scales = [0.5, 0.5]
    elif kind < 0.7:
        scales = [rng.uniform(0.01, 1) for _ in range(2)]
    constants = []
    for scale, zero in zip(scales, zeros, strict=True):
        constants += [np.array(scale, np.float32), np.array(zero, dtype)]
    fields = {"scales": tuple(scales), "zero_points": tuple(zeros), "dtype": dtype}
    return constants, fields


def _quantized_average(rng: random.Random) -> Case:
    shape, attributes = _shaped(rng)
    x = values(rng, rng.choice(["int8", "uint8"]), shape)
    constants, fields = _scales(rng, x.dtype)
    plain = spec_of("AveragePool", attributes, shape[2:], dtype=x.dtype)
    attributes["count_include_pad"] = int(rng.random() < 0.5)
    spec = preset(
        *("onnxruntime-qlinear", "avg", plain.kernel),
        stride=plain.stride,
        padding=plain.padding,
        ceil_mode=plain.ceil_mode,
        count_include_pad=bool(attributes["count_include_pad"]),
        size=shape[2:],
        **fields,
    )
    PoolJob(spec, shape[1:])
    y = run("QLinearAveragePool", x, attributes, *constants)
    # each input is scaled, summed with the others, the mean scaled back
    taps = int(np.prod(plain.kernel))
    return Case("QLinearAveragePool", spec, x, y, operations=taps + 5)


def _quantized_global(rng: random.Random) -> Case:
    size = sizes(rng, rng.choice(AXES))
    shape = (2, rng.randint(1, 3), *size)
    x = values(rng, rng.choice(["int8", "uint8"]), shape)
    constants, fields = _scales(rng, x.dtype)
    spec: PoolSpec = preset("onnxruntime-qlinear", "avg", size, size=size, **fields)
    y = run("QLinearGlobalAveragePool", x, {"channels_last": 0}, *constants)
    return Case("QLinearGlobalAveragePool", spec, x, y, operations=5)


SCALES = ((1.0, 1.0), (0.1, 0.1), (0.07, 0.14), (0.1, 0.3))
"""Input's and output's scales of the exhaustive cases; 0.07 / 0.14 is a half in float32, too."""


def exhaustive() -> Iterator[Case]:
    """Yield the quantized averages of every sum of some numbers of values."""
    for taps in TAPS:
        for scales in SCALES:
            zeros = (3, 5)
            x = every_sum(taps)[np.newaxis, np.newaxis]
            constants = []
            for scale, zero in zip(scales, zeros, strict=True):
                constants += [np.array(scale, np.float32), np.array(zero, np.uint8)]
            fields = {"scales": scales, "zero_points": zeros, "dtype": "uint8"}
            spec = preset("onnxruntime-qlinear", "avg", (1, taps), **fields)
            attributes = {"kernel_shape": [1, taps], "strides": [1, taps]}
            y = run("QLinearAveragePool", x, attributes, *constants)
            yield Case("QLinearAveragePool", spec, x, y, operations=taps + 5)
            x = np.moveaxis(x, 2, 1)
            spec = preset("onnxruntime-qlinear", "avg", (1, taps), size=(1, taps), **fields)
            y = run("QLinearGlobalAveragePool", x, {"channels_last": 0}, *constants)
            yield Case("QLinearGlobalAveragePool", spec, x, y, operations=5)
