"""ONNX's pooling operators as specifications."""

from collections.abc import Callable, Sequence
from typing import Any

from streampool_golden import OPERATIONS, PoolSpec
from streampool_golden.fields import GLOBAL, MOST_AXES

from .activations import clamp_before
from .quantised import CONTRIB_POOLS, on_grid
from .sites import Found, Site, Unfit, Unsized

GLOBALS = {"GlobalMaxPool": "max", "GlobalAveragePool": "avg", "GlobalLpPool": "lp"}
WINDOWS = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}
REDUCTIONS = {
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceMean": "avg",
    "ReduceSum": "sum",
    "ReduceL1": "lp1",
    "ReduceL2": "lp2",
}
PASSING = ("Add", "Cast", "Clip", "Div", "Expand", "Identity", "Max", "Mul", "Pow", "Reciprocal")
PASSING += ("Reshape", "Sqrt", "Squeeze", "Sub", "Unsqueeze")
"""What a mean goes through before a normalisation takes it off its input."""

INDICES = ("flat", "flat_columns")
"""By `storage_order`."""


def max_pool(site: Site) -> Found:
    """Return a MaxPool."""
    fields = windows(site)
    order = site.attributes.get("storage_order", 0)
    if order not in (0, 1):
        raise Unfit(f"its storage_order is {order}; ONNX has 0 and 1")
    if indices := site.output(1):
        fields["indices"] = INDICES[order]
    return pooled(site, "max", fields, targets=(site.output(0), *filter(None, (indices,))))


def average_pool(site: Site) -> Found:
    """Return an AveragePool."""
    counted = site.attributes.get("count_include_pad", 0)
    return pooled(site, "avg", windows(site) | {"count_include_pad": bool(counted)})


def lp_pool(site: Site) -> Found:
    """Return an LpPool."""
    return pooled(site, _norm(site), windows(site))


def global_pool(site: Site) -> Found:
    """Return a pooling of all positions."""
    op = GLOBALS[site.op]
    return pooled(site, _norm(site) if op == "lp" else op, whole(site))


def reduction(site: Site) -> Found | None:
    """Return a reduction that pools all positions of a channel; None where it does not.

    That is where it reduces all axes between the first and the channels, which come second or last,
    and nothing that is made of its input meets what it gives, as in a normalisation.
    """
    lengths, attributes = site.value.lengths, site.attributes
    axes = attributes.get("axes")
    if axes is None and site.input(1):
        found = site.scope.constant(site.input(1))
        axes = None if found is None else [int(axis) for axis in found.ravel()]
    if not axes or lengths is None or not 3 <= len(lengths) <= 2 + MOST_AXES:
        return None
    rank = len(lengths)
    axes = sorted(axis % rank for axis in axes)
    last = axes == list(range(1, rank - 1))
    if not last and axes != list(range(2, rank)):
        return None
    if _normalises(site):
        return None
    return pooled(
        site,
        REDUCTIONS[site.op],
        whole(site),
        last=last,
        keepdims=bool(attributes.get("keepdims", 1)),
    )


def _normalises(site: Site) -> bool:
    """Return whether a mean or norm is of a normalisation or a softmax."""
    scope, source = site.scope, site.input(0)
    maker = scope.makers.get(source)
    if maker is not None and (
        maker.op_type == "Pow" or (maker.op_type == "Mul" and maker.input[0] == maker.input[1])
    ):
        return True
    waiting, seen = [site.output(0)], set[str]()
    while waiting:
        for user in scope.users.get(waiting.pop(), []):
            if user.op_type in ("Sub", "Div") and source in user.input:
                return True
            if user.op_type in PASSING and user.output[0] not in seen:
                seen.add(user.output[0])
                waiting.append(user.output[0])
    return False


def whole(site: Site) -> dict[str, Any]:
    """Return what a specification says of windows of all positions."""
    lengths = site.value.lengths
    if lengths is None:
        raise Unsized
    return {"kernel": GLOBAL, "ndim": _ndim(len(lengths) - 2)}


def windows(site: Site, *, last: bool = False) -> dict[str, Any]:
    """Return what a specification says of a node's windows."""
    attributes = site.attributes
    kernel = attributes.get("kernel_shape")
    if not kernel:
        raise Unfit("it has no kernel_shape, which its operator needs")
    axes = _ndim(len(kernel))
    stride = _each(attributes, "strides", axes)
    dilation = _each(attributes, "dilations", axes)
    for name, values in ("kernel_shape", kernel), ("strides", stride), ("dilations", dilation):
        if min(values) < 1:
            raise Unfit(f"its {name} is {values}; use positive ones")
    fields = {
        "kernel": tuple(kernel),
        "stride": tuple(stride),
        "dilation": tuple(dilation),
        "ceil_mode": bool(attributes.get("ceil_mode", 0)),
    }
    auto = attributes.get("auto_pad") or "NOTSET"
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        if max(dilation) > 1:
            raise Unfit(
                f"its auto_pad {auto} has dilations {dilation}, which onnxruntime leaves out of the"
                " padding and ONNX does not; use pads"
            )
        shape = site.shape(last=last)
        if shape is None:
            raise Unsized
        return fields | {"padding": _same(auto, shape[1:], kernel, stride), "ceil_mode": False}
    if auto == "VALID":
        return fields
    if auto != "NOTSET":
        raise Unfit(f"its auto_pad is {auto}; use NOTSET, SAME_UPPER, SAME_LOWER or VALID")
    pads = attributes.get("pads") or [0] * (2 * axes)
    if len(pads) != 2 * axes:
        raise Unfit(f"its pads are {len(pads)} for {axes} axes; use one before and one after each")
    if min(pads) < 0:
        raise Unfit(f"its pads {pads} go below 0, which neither ONNX nor onnxruntime takes; use 0")
    return fields | {"padding": tuple((pads[k], pads[axes + k]) for k in range(axes))}


def _same(
    auto: str, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return SAME's padding as onnxruntime has it: where the stride is larger, it crops."""
    if len(size) != len(kernel):
        raise Unfit(f"its kernel_shape has {len(kernel)} axes, and its input {len(size)}")
    pads = []
    for length, taps, step in zip(size, kernel, stride, strict=True):
        total = (-(-length // step) - 1) * step + taps - length
        before = int((total + (auto == "SAME_LOWER")) / 2)  # toward zero, as C has it
        pads.append((before, total - before))
    return tuple(pads)


def _each(attributes: dict[str, Any], name: str, axes: int) -> list[int]:
    values = attributes.get(name) or [1] * axes
    if len(values) != axes:
        raise Unfit(f"its {name} are {len(values)} for {axes} axes; use one for each")
    return values


def _ndim(axes: int) -> int:
    if not 1 <= axes <= MOST_AXES:
        raise Unfit(f"it has {axes} axes of positions; a core has 1 to {MOST_AXES}")
    return axes


def _norm(site: Site) -> str:
    p = site.attributes.get("p", 2)
    op = f"lp{p:g}"
    if op not in OPERATIONS:
        powers = ", ".join(name[2:] for name in OPERATIONS if name[2:].isdecimal())
        raise Unfit(f"its p is {p:g}; a core has {powers}")
    return op


def pooled(
    site: Site,
    op: str,
    fields: dict[str, Any],
    *,
    last: bool = False,
    **more: Any,
) -> Found:
    """Return the layer of a node that pools values as they are: floats, or plain integers.

    What has no core of its floats is listed as one of integers, which waits for a scale.
    """
    found = on_grid(site, op, fields, last, dict(more))
    if found is not None:
        return found
    dtype, shape = site.dtype, site.shape(last=last)
    if dtype is None:
        raise Unsized
    floats = None
    operation = OPERATIONS[op]
    if "float" in dtype:
        if operation.selects:
            fields = fields | {"nan": "ignore", "dtype": dtype}
        elif operation.floats and dtype != "float32":
            fields = fields | {"dtype": dtype}
        else:
            fields, floats = fields | {"dtype": "int8", "rounding": "half_even"}, dtype
    elif not operation.selects:
        raise Unfit(f"its values are {dtype}, of which onnxruntime has no {site.op}; use float32")
    else:
        fields = fields | {"dtype": dtype}
    if operation.selects and (before := clamp_before(site, dtype, fields)) is not None:
        note = f"its core clamps, too, and takes what {before.name} does"
        spec = PoolSpec(op, **fields, clamp=before.clamp)
        return site.found(
            site.layer(spec, shape, notes=(note,)), source=before.source, last=last, **more
        )
    layer = site.layer(PoolSpec(op, **fields), shape, float_dtype=floats)
    return site.found(layer, last=last, **more)


def refuse(reason: str) -> Callable[[Site], Found]:
    """Return what refuses a node, and why."""
    return lambda site: site.refused(reason)


POOLS: dict[str, Callable[[Site], Found | None]] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    **dict.fromkeys(GLOBALS, global_pool),
    **dict.fromkeys(REDUCTIONS, reduction),
    "MaxUnpool": refuse(
        "it puts maxima back where their indices say; use `streampool verilog --op unpool`"
    ),
    "MaxRoiPool": refuse("its windows come with its input; a core's windows are fixed"),
    "RoiAlign": refuse("its windows come with its input; a core's windows are fixed"),
}
"""What pools among ONNX's own operators."""


def contrib(site: Site) -> Found | None:
    """Return the layer of an operator that is onnxruntime's own; None where it is none."""
    pool = CONTRIB_POOLS.get(site.op) if site.node.domain == "com.microsoft" else None
    return None if pool is None else pool(site, windows, whole)
