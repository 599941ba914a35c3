"""Record what torch, onnxruntime and ONNX's own cases say: ``make vectors``.

Writes tests/golden/vectors/{torch,onnxruntime,onnx_nodes}.json. Needs torch 2.13.0, onnx and
onnxruntime (the extra ``conformance``); the tests that read the files need none of them.
"""

import json
import random
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper
from onnx.backend.test.case.node import collect_testcases

VECTORS = Path(__file__).parent / "vectors"
CASES = 120  # of each kind
MAX_TYPES = {"int8": torch.int8, "uint8": torch.uint8, "int16": torch.int16, "int32": torch.int32}


def values(draw: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of random values; small ones, so that halves are frequent, or any."""
    info = np.iinfo(dtype)
    low, high = info.min, info.max
    if draw.random() < 0.5:
        low, high = max(low, -9), 9
    flat = [draw.randint(low, high) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=dtype).reshape(shape)


def torch_case(draw: random.Random, op: str) -> dict | None:
    """Return one random case run by torch; None where torch refuses it."""
    axes = draw.choice([1, 2, 2])
    size = tuple(draw.randint(1, 9) for _ in range(axes))
    kernel = [draw.randint(1, 5) for _ in range(axes)]
    fields = {
        "kernel": kernel,
        "stride": draw.choice([None, [draw.randint(1, 4) for _ in range(axes)]]),
        "padding": [draw.randint(0, k // 2) for k in kernel],
        "ceil_mode": draw.random() < 0.5,
    }
    if op == "max":
        dtype = draw.choice(list(MAX_TYPES))
        fields["dilation"] = [draw.choice([1, 1, 2, 3]) for _ in range(axes)]
        function = getattr(torch.nn.functional, f"max_pool{axes}d")
    else:
        # In float64 a quotient of such integers is a half only where it truly is one, so
        # one recorded value serves every rounding.
        dtype = "int8"
        fields["count_include_pad"] = draw.random() < 0.5
        if axes == 2 and draw.random() < 0.3:
            fields["divisor_override"] = draw.choice([-5, -2, 1, 3, 7, 100])
        function = getattr(torch.nn.functional, f"avg_pool{axes}d")
    x = values(draw, dtype, (1, *size))
    tensor = torch.from_numpy(x if op == "max" else x.astype(np.float64))
    arguments = {"kernel_size" if name == "kernel" else name: v for name, v in fields.items()}
    try:
        y = function(tensor, **arguments)
        if op == "max" and function(torch.ones_like(tensor), **arguments).min() < 1:
            return None  # a window without any input, which a specification refuses
    except RuntimeError:
        return None
    return {"spec": {"op": op, "dtype": dtype, **fields}, "x": x.tolist(), "y": y.tolist()}


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


def torch_indices(draw: random.Random) -> dict | None:
    """Return one random case of torch's maxima with their indices; None where it refuses it."""
    axes = draw.choice([1, 2, 2, 3])
    size = tuple(draw.randint(1, 7 if axes < 3 else 4) for _ in range(axes))
    kernel = [draw.randint(1, 4) for _ in range(axes)]
    fields = {
        "kernel": kernel,
        "stride": draw.choice([None, [draw.randint(1, 3) for _ in range(axes)]]),
        "padding": [draw.randint(0, k // 2) for k in kernel],
        "ceil_mode": draw.random() < 0.5,
        "dilation": [draw.choice([1, 1, 2]) for _ in range(axes)],
    }
    x = ties(draw, "int8", (2, 2, *size))
    tensor = torch.from_numpy(x.astype(np.float32))  # its 3-D takes no integers
    arguments = {"kernel_size" if name == "kernel" else name: v for name, v in fields.items()}
    function = getattr(torch.nn.functional, f"max_pool{axes}d")
    try:
        y, indices = function(tensor, return_indices=True, **arguments)
    except RuntimeError:
        return None
    if not torch.isfinite(y).all():
        return None  # a window without any input, which a specification refuses
    spec = {"op": "max", "dtype": "int8", "indices": "plane", **fields}
    return {"spec": spec, "x": x.tolist(), "y": y.int().tolist(), "indices": indices.tolist()}


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


def torch_unpool(draw: random.Random) -> dict:
    """Return one random case of torch's MaxUnpool, indices of its own among them twice."""
    axes = draw.choice([1, 2, 2, 3])
    size = [draw.randint(1, 6 if axes < 3 else 4) for _ in range(axes)]
    inside = [draw.randint(1, n) for n in size]
    x = values(draw, "int8", (2, 2, *inside))
    most = int(np.prod(size)) - 1
    indices = np.array([draw.randint(0, most) for _ in range(x.size)]).reshape(x.shape)
    function = getattr(torch.nn.functional, f"max_unpool{axes}d")
    # It asks for a kernel, and checks the size against it; a stride of 1 allows every size.
    kernel = [n - m + 1 for n, m in zip(size, inside, strict=True)]
    y = function(
        *(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(indices)),
        kernel_size=kernel,
        stride=1,
        output_size=size,
    )
    case = {"base": "plane", "size": size, "x": x.tolist(), "indices": indices.tolist()}
    return {**case, "y": y.int().tolist()}


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


def torch_floats(draw: random.Random) -> dict | None:
    """Return one random case of torch's maxima of floats, as bits; None where it refuses it.

    Its kernel of two axes turns every NaN of bfloat16 into one, the only one that is used there.
    """
    axes = draw.choice([1, 2, 2])
    size = tuple(draw.randint(1, 7) for _ in range(axes))
    kernel = [draw.randint(1, 4) for _ in range(axes)]
    dtype = draw.choice(["float16", "bfloat16", "float32"])
    fields = {
        "kernel": kernel,
        "stride": draw.choice([None, [draw.randint(1, 3) for _ in range(axes)]]),
        "padding": [draw.randint(0, k // 2) for k in kernel],
        "ceil_mode": draw.random() < 0.5,
        "dilation": [draw.choice([1, 1, 2]) for _ in range(axes)],
    }
    kind = getattr(torch, dtype)
    raw = {2: torch.int16, 4: torch.int32}[kind.itemsize]
    x = floats(draw, (1, 2, *size), torch.finfo(kind).tiny)
    tensor = torch.from_numpy(x).to(kind)
    nans = [torch.tensor(float("nan")).to(kind).view(raw) | 0]
    if dtype != "bfloat16":
        nans += [nans[0] + 1, nans[0] + 5, nans[0] | torch.iinfo(raw).min]
    flat = tensor.view(raw).reshape(-1)
    for place in torch.isnan(tensor).reshape(-1).nonzero():
        flat[place] = draw.choice(nans)
    arguments = {"kernel_size" if name == "kernel" else name: v for name, v in fields.items()}
    function = getattr(torch.nn.functional, f"max_pool{axes}d")
    try:
        y, indices = function(tensor, return_indices=True, **arguments)
        if function(torch.ones_like(tensor), **arguments).min() < 1:
            return None  # a window without any input, which a specification refuses
    except RuntimeError:
        return None
    spec = {"op": "max", "dtype": dtype, "indices": "plane", "nan": "propagate", **fields}
    bits = {"x": tensor.view(raw).tolist(), "y": y.view(raw).tolist()}
    return {"spec": spec, **bits, "indices": indices.tolist()}


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


def floats(draw: random.Random, shape: tuple[int, ...], tiny: float) -> np.ndarray:
    """Return an array of float32 with what is special among its values, or of nothing else."""
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, tiny / 2, -tiny / 2]
    few = draw.choice([special, [np.nan, -np.inf], [0.0, -0.0, -1.0], [np.nan, 1.0, -2.0, 0.5]])
    some = draw.random()
    flat = [
        draw.choice(few) if draw.random() < some else draw.gauss(0, 3)
        for _ in range(int(np.prod(shape)))
    ]
    return np.array(flat, dtype=np.float32).reshape(shape)


def torch_layer(draw: random.Random) -> dict | None:
    """Return one random case of torch's 3-D, adaptive and LP layers; None where it refuses it."""
    kind = draw.choice(["MaxPool3d", "AvgPool3d", "LPPool", "AdaptiveAvgPool", "AdaptiveMaxPool"])
    axes = 3 if kind.endswith("3d") else draw.randint(1, 3)
    kernel = [draw.randint(1, 3) for _ in range(axes)]
    stride = draw.choice([None, [draw.randint(1, 3) for _ in range(axes)]])
    size = [draw.randint(1, 7 if axes < 3 else 5) for _ in range(axes)]
    if axes == 1:  # its LPPool1d takes no tuples
        kernel, stride = kernel[0], stride and stride[0]
    arguments: dict = {"kernel_size": kernel, "stride": stride}
    if kind == "LPPool":
        arguments = {"norm_type": draw.randint(1, 2), **arguments}
    elif kind.startswith("Adaptive"):
        outputs = [draw.randint(1, 3) for _ in range(axes)]
        size = [n * draw.randint(1, 3) for n in outputs]
        arguments = {"output_size": outputs if axes > 1 else outputs[0]}
    else:
        arguments["padding"] = [draw.randint(0, k // 2) for k in kernel]
        arguments["ceil_mode"] = draw.random() < 0.5
        if kind == "AvgPool3d":
            arguments["count_include_pad"] = draw.random() < 0.5
    name = kind if kind.endswith("3d") else f"{kind}{axes}d"
    x = values(draw, "int8", (2, *size))
    try:
        y = getattr(torch.nn, name)(**arguments)(torch.from_numpy(x.astype(np.float64))[None])[0]
    except RuntimeError:
        return None
    if not torch.isfinite(y).all() or not y.numel():
        return None
    return {"layer": name, "arguments": arguments, "x": x.tolist(), "y": y.tolist()}


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


def ties(draw: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array with many equal values, its dtype's lowest often among them."""
    info = np.iinfo(dtype)
    some = draw.choice([[info.min], [info.min, info.min + 1], [info.min, 0, info.max], [1, 2, 3]])
    flat = [draw.choice(some) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=dtype).reshape(shape)


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


def unpool_cases() -> list[dict]:
    """Return ONNX's own cases of MaxUnpool."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collected = collect_testcases(None)
    cases = []
    for case in collected:
        if case.model is None or case.model.graph.node[-1].op_type != "MaxUnpool":
            continue
        node, (inputs, outputs) = case.model.graph.node[-1], case.data_sets[0]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        x, indices = (np.asarray(value).astype(int) for value in inputs[:2])
        cases.append(
            {
                "name": case.name,
                "attributes": attributes,
                "x": x.tolist(),
                "indices": indices.tolist(),
                "y": np.asarray(outputs[0]).astype(int).tolist(),
            }
        )
    return cases


def onnx_cases() -> list[dict]:
    """Return ONNX's own pooling cases of one or two axes whose inputs are integers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow as they are made
        collected = collect_testcases(None)
    cases = []
    for case in collected:
        if case.model is None or case.data_sets is None:
            continue
        node = case.model.graph.node[-1]
        if node.op_type not in ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"):
            continue
        inputs, outputs = case.data_sets[0]
        x, y = np.asarray(inputs[0]), np.asarray(outputs[0])
        if x.ndim > 4 or not np.array_equal(x, np.rint(x)):
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if "auto_pad" in attributes:
            attributes["auto_pad"] = attributes["auto_pad"].decode()
        head = {"name": case.name, "op_type": node.op_type, "attributes": attributes}
        x = x.astype(np.int64)
        cases.append({**head, "dtype": "uint8", "x": x.tolist(), "y": y.tolist()})
    return cases


def record(name: str, source: str, cases: list[dict]) -> None:
    """Write cases, one a line."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = VECTORS / f"{name}.json"
    path.write_text(f'{{"source":{json.dumps(source)},"cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


def gather(case, draw: random.Random, kind: str) -> list[dict]:
    """Return as many cases of a kind as are recorded, those refused left out."""
    cases = []
    while len(cases) < CASES:
        found = case(draw, kind)
        if found is not None:
            cases.append(found)
    return cases


def main() -> None:
    VECTORS.mkdir(exist_ok=True)
    draw = random.Random(1)
    cases = gather(torch_case, draw, "max") + gather(torch_case, draw, "avg")
    record("torch", f"torch {torch.__version__.split('+')[0]}", cases)
    cases = gather(onnxruntime_case, draw, "MaxPool") + gather(
        onnxruntime_case, draw, "AveragePool"
    )
    record("onnxruntime", f"onnxruntime {onnxruntime.__version__}", cases)
    record("onnx_nodes", "ONNX's node cases", onnx_cases())
    # with generators of their own, so that the cases above stay as they are
    for name, kinds in INDEXED.items():
        for number, (source, case) in enumerate(kinds.items()):
            draw = random.Random(2 + number)
            version = {"torch": torch, "onnxruntime": onnxruntime}[source].__version__
            cases = gather(lambda draw, _, case=case: case(draw), draw, name)
            record(f"{name}_{source}", f"{source} {version.split('+')[0]}", cases)
    record("unpool_onnx_nodes", "ONNX's node cases", unpool_cases())


INDEXED = {
    "layers": {"torch": torch_layer, "onnxruntime": onnxruntime_root},
    "indices": {"torch": torch_indices, "onnxruntime": onnxruntime_indices},
    "unpool": {"torch": torch_unpool, "onnxruntime": onnxruntime_unpool},
    "floats": {"torch": torch_floats, "onnxruntime": onnxruntime_floats},
}


if __name__ == "__main__":
    main()
