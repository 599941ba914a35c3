"""Random cases as torch runs them."""

import random

import numpy as np
import torch
from vector_values import floats, ties, values

MAX_TYPES = {"int8": torch.int8, "uint8": torch.uint8, "int16": torch.int16, "int32": torch.int32}


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
        arguments = {"norm_type": draw.randint(1, 4), **arguments}
    elif kind.startswith("Adaptive"):
        outputs = [draw.randint(1, 9 if axes < 3 else 6) for _ in range(axes)]
        size = [draw.randint(1, 13 if axes < 3 else 6) for _ in range(axes)]
        arguments = {"output_size": outputs if axes > 1 else outputs[0]}
    else:
        arguments["padding"] = [draw.randint(0, k // 2) for k in kernel]
        arguments["ceil_mode"] = draw.random() < 0.5
        if kind == "AvgPool3d":
            arguments["count_include_pad"] = draw.random() < 0.5
    name = kind if kind.endswith("3d") else f"{kind}{axes}d"
    # torch keeps the sign of odd powers, and has no root of a sum below 0
    dtype = "uint8" if arguments.get("norm_type") == 3 else "int8"
    x = values(draw, dtype, (2, *size))
    try:
        y = getattr(torch.nn, name)(**arguments)(torch.from_numpy(x.astype(np.float64))[None])[0]
    except RuntimeError:
        return None
    if not torch.isfinite(y).all() or not y.numel():
        return None
    case = {"layer": name, "arguments": arguments, "dtype": dtype}
    return {**case, "x": x.tolist(), "y": y.tolist()}
