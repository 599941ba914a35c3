"""Random cases as onnxruntime runs them."""

import random

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from vector_values import floats, ties, values


def onnxruntime_case(draw: random.Random, op_type: str) -> dict | None:
    """Return one random node run by onnxruntime; None where onnxruntime refuses it."""
    axes = draw.choice([1, 2, 2])
    size = tuple(draw.randint(1, 9) for _ in range(axes))
    kernel = [draw.randint(1, 5) for _ in range(axes)]
    attributes: dict = {
        "kernel_shape": kernel,
        "strides": [draw.randint(1, 4) for _ in range(axes)],
        "dilations": [draw.choice([1, 1, 2, 3]) for _ in range(axes)],
        "ceil_mode": int(draw.random() < 0.5),
    }
    if draw.random() < 0.3:
        attributes["auto_pad"] = draw.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
        attributes["dilations"] = [1] * axes
        attributes["ceil_mode"] = 0
    else:
        attributes["pads"] = [draw.randint(0, k - 1) for k in kernel * 2]
    if not attributes["ceil_mode"] and not attributes.get("auto_pad", "").startswith("SAME"):
        # onnxruntime divides toward zero, and so has an output where no window fits.
        pads = attributes.get("pads", [0] * (2 * axes))
        for i, (n, k, d) in enumerate(zip(size, kernel, attributes["dilations"], strict=True)):
            if n + pads[i] + pads[axes + i] < (k - 1) * d + 1:
                return None
    dtype, element = "int8", TensorProto.FLOAT
    if op_type == "MaxPool":
        dtype = draw.choice(["int8", "uint8"])
        element = TensorProto.INT8 if dtype == "int8" else TensorProto.UINT8
    else:
        attributes["count_include_pad"] = int(draw.random() < 0.5)
    x = values(draw, dtype, (1, 1, *size))
    graph = helper.make_graph(
        [helper.make_node(op_type, ["x"], ["y"], **attributes)],
        "pool",
        [helper.make_tensor_value_info("x", element, x.shape)],
        [helper.make_tensor_value_info("y", element, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        fed = x if op_type == "MaxPool" else x.astype(np.float32)
        (y,) = session.run(None, {"x": fed})
        (probe,) = session.run(None, {"x": np.ones_like(fed)})
    except Exception:  # its exceptions have no base of their own
        return None
    if not y.size or not probe.min() > 0:
        return None  # a window without any input, which a specification refuses
    case = {"op_type": op_type, "attributes": attributes, "dtype": dtype}
    return {**case, "x": x[0].tolist(), "y": np.asarray(y[0], dtype=np.float64).tolist()}


def onnxruntime_indices(draw: random.Random) -> dict | None:
    """Return one random MaxPool with Indices, in either storage order; None where refused."""
    axes = draw.choice([1, 2, 2, 3])
    size = tuple(draw.randint(1, 7 if axes < 3 else 4) for _ in range(axes))
    kernel = [draw.randint(1, 4) for _ in range(axes)]
    order = draw.randint(0, 1)
    attributes = {
        "kernel_shape": kernel,
        "strides": [draw.randint(1, 3) for _ in range(axes)],
        "dilations": [draw.choice([1, 1, 2]) for _ in range(axes)],
        "pads": [draw.randint(0, k - 1) for k in kernel * 2],
        "ceil_mode": int(draw.random() < 0.5),
        "storage_order": order,
    }
    pads = attributes["pads"]
    for i, (n, k, d) in enumerate(zip(size, kernel, attributes["dilations"], strict=True)):
        if n + pads[i] + pads[axes + i] < (k - 1) * d + 1:
            return None
    dtype = draw.choice(["int8", "uint8"])
    element = TensorProto.INT8 if dtype == "int8" else TensorProto.UINT8
    x = ties(draw, dtype, (2, 2, *size))
    found = onnx_run("MaxPool", {"x": (x, element)}, ["y", "indices"], attributes)
    probe = onnx_run("MaxPool", {"x": (np.ones_like(x), element)}, ["y"], attributes)
    if found is None or probe is None or not found[0].size or not probe[0].min() > 0:
        return None
    spec = {
        "op": "max",
        "dtype": dtype,
        "indices": ("flat", "flat_columns")[order],
        "kernel": kernel,
        "stride": attributes["strides"],
        "dilation": attributes["dilations"],
        "padding": [[pads[i], pads[axes + i]] for i in range(axes)],
        "ceil_mode": bool(attributes["ceil_mode"]),
    }
    y, indices = found
    return {"spec": spec, "x": x.tolist(), "y": y.tolist(), "indices": indices.tolist()}


def onnxruntime_unpool(draw: random.Random) -> dict:
    """Return one random MaxUnpool, with an output_shape of its own or without."""
    axes = draw.choice([1, 2, 2, 3])
    inside = [draw.randint(1, 3) for _ in range(axes)]
    kernel = [draw.randint(1, 3) for _ in range(axes)]
    size = [(n - 1) * k + k for n, k in zip(inside, kernel, strict=True)]
    x = values(draw, "int8", (2, 2, *inside))
    fed = {"x": (x.astype(np.float32), TensorProto.FLOAT)}
    if draw.random() < 0.5:
        size = [n + draw.randint(0, 2) for n in size]
    most = 4 * int(np.prod(size)) - 1
    indices = np.array([draw.randint(0, most) for _ in range(x.size)]).reshape(x.shape)
    fed["indices"] = (indices, TensorProto.INT64)
    fed["shape"] = (np.array([2, 2, *size]), TensorProto.INT64)
    found = onnx_run("MaxUnpool", fed, ["y"], {"kernel_shape": kernel, "strides": kernel})
    assert found is not None
    case = {"base": "flat", "size": size, "x": x.tolist(), "indices": indices.tolist()}
    return {**case, "y": found[0].astype(int).tolist()}


def onnxruntime_floats(draw: random.Random) -> dict | None:
    """Return one random MaxPool of float32 of one axis, as bits; None where refused.

    That of two axes takes NaN for more or for less than a number by where it stands, and so
    does that of one where indices are asked for. It holds nothing less than the lowest finite
    value, so there is no infinity below.
    """
    size, kernel = draw.randint(3, 12), draw.randint(1, 4)
    attributes = {
        "kernel_shape": [kernel],
        "strides": [draw.randint(1, 3)],
        "pads": [draw.randint(0, kernel - 1) for _ in range(2)],
        "ceil_mode": int(draw.random() < 0.5),
    }
    x = floats(draw, (1, 2, size), np.finfo(np.float32).tiny)
    x[x == -np.inf] = np.nan
    found = onnx_run("MaxPool", {"x": (x, TensorProto.FLOAT)}, ["y"], attributes)
    if found is None or not found[0].size:
        return None
    spec = {
        "op": "max",
        "dtype": "float32",
        "nan": "ignore",
        "kernel": [kernel],
        "stride": attributes["strides"],
        "padding": [attributes["pads"]],
        "ceil_mode": bool(attributes["ceil_mode"]),
    }
    bits = {"x": x.view(np.int32).tolist(), "y": found[0].view(np.int32).tolist()}
    return {"spec": spec, **bits}


def onnxruntime_root(draw: random.Random) -> dict | None:
    """Return one random LpPool or pooling of whole frames; None where it is refused."""
    kinds = ["LpPool", "LpPool", "GlobalMaxPool", "GlobalAveragePool"]
    op_type = draw.choice(kinds)
    axes = draw.randint(1, 3)
    size = [draw.randint(1, 7 if axes < 3 else 4) for _ in range(axes)]
    attributes: dict = {"p": draw.randint(1, 2)} if op_type == "LpPool" else {}
    x = values(draw, "int8", (1, 2, *size))
    if op_type == "LpPool":
        kernel = [draw.randint(1, 3) for _ in range(axes)]
        attributes |= {
            "kernel_shape": kernel,
            "strides": [draw.randint(1, 3) for _ in range(axes)],
            "pads": [draw.randint(0, k - 1) for k in kernel * 2],
            "ceil_mode": int(draw.random() < 0.5),
        }
        pads = np.reshape(attributes["pads"], (2, axes)).sum(axis=0)
        if (size + pads < kernel).any():
            return None
        fed = {"x": (np.ones_like(x).astype(np.float32), TensorProto.FLOAT)}
        probe = onnx_run(op_type, fed, ["y"], attributes)
        if probe is None or not probe[0].size or not probe[0].min() > 0:
            return None  # a window without any input, which a specification refuses
    found = onnx_run(op_type, {"x": (x.astype(np.float32), TensorProto.FLOAT)}, ["y"], attributes)
    if found is None:
        return None
    y = np.asarray(found[0][0], dtype=np.float64)
    case = {"op_type": op_type, "attributes": attributes, "x": x[0].tolist()}
    return {**case, "y": y.tolist()}


def onnx_run(op_type: str, fed: dict, outputs: list[str], attributes: dict) -> list | None:
    """Return what onnxruntime gives for one node; None where it refuses it."""
    graph = helper.make_graph(
        [helper.make_node(op_type, list(fed), outputs, **attributes)],
        "node",
        [helper.make_tensor_value_info(name, kind, x.shape) for name, (x, kind) in fed.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return session.run(None, {name: x for name, (x, _) in fed.items()})
    except Exception:  # its exceptions have no base of their own
        return None
