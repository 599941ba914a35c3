"""The pooling layers of a TFLite graph: what each operator computes, as a specification."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from streampool_golden import PoolSpec, SpecError, preset
from streampool_golden.fields import float32_ratio
from streampool_golden.operations import OPERATIONS
from streampool_golden.presets import ACTIVATIONS as REALS

from ..layer import Layer
from .flat import Table
from .names import ACTIVATIONS, POOL_OPTIONS
from .schema import Graph, Operator, Tensor

POOLS = {"MAX_POOL_2D": "max", "AVERAGE_POOL_2D": "avg", "L2_POOL_2D": "l2"}
REDUCTIONS = {"REDUCE_MAX": "max", "REDUCE_MIN": "min", "MEAN": "avg"}
OTHERS = ("STABLEHLO_REDUCE_WINDOW", "REDUCE_WINDOW")
QUANTISED = ("int8", "uint8", "int16")

Quantised = tuple[float | None, int]
"""A tensor's scale, None where it has none, and zero point."""


class Unsupported(Exception):
    """No core computes a layer; the message is the reason, a sentence without its full stop."""


@dataclass(frozen=True)
class Place:
    """Where a layer stands in its graph, and which axes of its tensors are which.

    A frame has the axes `channel` and `spatial` of the tensor that is taken. Those that are reduced
    are left out of the tensor that is given, or have size 1 there.
    """

    layer: Layer
    operator: int
    channel: int = 3
    spatial: tuple[int, ...] = (1, 2)


def placed(graph: Graph, path: str = "") -> Iterator[Place]:
    """Yield the pooling layers of a graph, in its order; each has the name of what it gives."""
    for number, operator in enumerate(graph.operators):
        given = _tensor(graph, operator.outputs, 0)
        name = path + ((given and given.name) or f"{operator.op.lower()}_{number}")
        if operator.op in POOLS:
            yield Place(_windows(graph, operator, name), number)
        elif operator.op in REDUCTIONS:
            yield from _reduction(graph, operator, name, number)
        elif operator.op in OTHERS or ("CUSTOM" in operator.op and "pool" in operator.op.lower()):
            reason = f"{operator.op} has windows that are not read; use {', '.join(POOLS)}"
            yield Place(Layer(name, operator.op, None, None, reason), number)


def _windows(graph: Graph, operator: Operator, name: str) -> Layer:
    """Return the layer of an operator with windows."""
    taken, given = (_tensor(graph, end, 0) for end in (operator.inputs, operator.outputs))
    spec, shape, reason = None, None, None
    try:
        if not taken or not given or not operator.options or operator.kind != POOL_OPTIONS:
            raise Unsupported(f"{operator.op} lacks a tensor or its options")
        if taken.shape is not None and len(taken.shape) != 4:
            raise Unsupported(f"its input has {len(taken.shape)} axes; use 4")
        shape = _frame(taken, 3, (1, 2))
        spec = _pooled(operator.op, operator.options, taken, given)
    except (Unsupported, SpecError) as error:
        reason = str(error).rstrip(".")
    return Layer(name, operator.op, spec, shape, reason, float_dtype=_floats(spec, taken))


def _pooled(name: str, options: Table, *ends: Tensor) -> PoolSpec:
    """Return what an operator with windows computes."""
    op, dtype = POOLS[name], ends[0].dtype
    activation = _activation(options)
    padding = options.scalar(0, "i1")
    if padding not in (0, 1):
        raise Unsupported(f"its padding is number {padding}; use SAME or VALID")
    kernel = options.scalar(4, "<i4"), options.scalar(3, "<i4")
    fields: dict[str, Any] = {
        "stride": (options.scalar(2, "<i4"), options.scalar(1, "<i4")),
        "padding": ("same", "valid")[padding],
    }
    if dtype == "float32":
        if activation != "none" and not OPERATIONS[op].selects:
            raise Unsupported(
                f"its fused activation {activation} clamps an average of float32, which has no"
                " core; use a quantised model"
            )
        if activation != "none":
            low, high = REALS[activation]
            assert low is not None
            fields["clamp"] = (low, math.inf if high is None else high)
        return _of_floats(op, kernel=kernel, count_include_pad=False, **fields)
    if dtype not in QUANTISED or OPERATIONS[op].root:
        raise Unsupported(f"TFLite has no {name} of {dtype}; use {_types(op)}")
    (scale, zero), _ = _kept(name, ends)
    scales = None if scale is None else (scale, scale)
    fields |= {"dtype": dtype, "zero_points": zero, "scales": scales, "activation": activation}
    return preset("tflite", op, kernel, **fields)


def _reduction(graph: Graph, operator: Operator, name: str, number: int) -> Iterator[Place]:
    """Yield the layer of a reduction, if it is along spatial axes."""
    taken, given = (_tensor(graph, end, 0) for end in (operator.inputs, operator.outputs))
    axes = _tensor(graph, operator.inputs, 1)
    if not taken or not given or not axes or taken.shape is None:
        return
    rank, values = len(taken.shape), axes.integers()
    if values is None:
        if rank >= 3:
            reason = "its axes are known only when it runs; use constant ones"
            yield Place(Layer(name, operator.op, None, None, reason), number)
        return
    along = {axis + rank if axis < 0 else axis for axis in values}
    if rank == 4 and along == {2, 3}:  # of a graph whose channels come first
        channel, spatial = 1, (2, 3)
    elif 3 <= rank <= 5 and along and along <= set(range(1, rank - 1)):
        channel, spatial = rank - 1, tuple(range(1, rank - 1))
    else:
        return  # along channels or the batch, which is no pooling
    shape = _frame(taken, channel, spatial)
    spec, reason = None, None
    try:
        windows = _reduced_windows(along, spatial, shape)
        spec = _reduced(operator.op, windows, taken, given)
    except (Unsupported, SpecError) as error:
        reason = str(error).rstrip(".")
    notes = () if spec is None else _notes(spec)
    floats = _floats(spec, taken)
    layer = Layer(name, operator.op, spec, shape, reason, notes, float_dtype=floats)
    yield Place(layer, number, channel, spatial)


def _reduced_windows(
    along: set[int], spatial: tuple[int, ...], shape: tuple[int, ...] | None
) -> dict[str, Any]:
    """Return the kernel of a reduction along some of the spatial axes."""
    if along == set(spatial):
        return {"kernel": "global", "ndim": len(spatial)}
    if shape is None:
        raise Unsupported("the sizes of the axes that it reduces are not known; use --input-shape")
    sizes = zip(spatial, shape[1:], strict=True)
    return {"kernel": tuple(size if axis in along else 1 for axis, size in sizes)}


def _reduced(name: str, windows: dict[str, Any], *ends: Tensor) -> PoolSpec:
    """Return what a reduction computes."""
    op, dtype = REDUCTIONS[name], ends[0].dtype
    if dtype == "float32":
        return _of_floats(op, **windows)
    if not OPERATIONS[op].requantises:
        _kept(name, ends)
        return PoolSpec(op, **windows, dtype=dtype)
    if dtype not in QUANTISED:
        raise Unsupported(f"TFLite truncates a MEAN of {dtype}; use {_types(op)}")
    (scale_in, zero_in), (scale_out, zero_out) = map(_quantised, ends)
    rescaled: dict[str, Any] = {"zero_points": (zero_in, zero_out)}
    if scale_in is not None and scale_out is not None:
        rescaled["scale"] = float32_ratio(scale_in, scale_out)
    return PoolSpec(op, **windows, **rescaled, dtype=dtype, rounding="half_even")


def _notes(spec: PoolSpec) -> tuple[str, ...]:
    """Say where LiteRT's own mean is not the exact one, rounded once."""
    if spec.operation.requantises and spec.dtype == "int16":
        return ("LiteRT averages int16 in fixed point, which may differ by 1",)
    exact = all(end & (end - 1) == 0 for end in spec.scale.as_integer_ratio())  # powers of two
    if not exact:
        return ("LiteRT rounds a float32, which may differ by 1 at halves",)
    return ()


def _of_floats(op: str, **fields: Any) -> PoolSpec:
    """Return a specification of float32, or of integers in its place where no core has it."""
    if OPERATIONS[op].selects:
        fields.pop("count_include_pad", None)
        return PoolSpec(op, **fields, dtype="float32", nan="ignore")
    return PoolSpec(op, **fields, dtype="int8", rounding="half_even")


def _floats(spec: PoolSpec | None, taken: Tensor | None) -> str | None:
    """Return the type of floats that a specification has integers in place of."""
    instead = spec and taken and taken.dtype == "float32" and spec.dtype != "float32"
    return "float32" if instead else None


def _kept(name: str, ends: Sequence[Tensor]) -> list[Quantised]:
    """Return the scale and zero point of each end; refuse them where they differ."""
    taken, given = both = [_quantised(end) for end in ends]
    if taken != given:
        raise Unsupported(
            f"its input has scale {taken[0]} and zero point {taken[1]}, its output {given[0]} and"
            f" {given[1]}, and {name} does not rescale; use equal ones"
        )
    return both


def _types(op: str) -> str:
    return "float32" if OPERATIONS[op].root else ", ".join((*QUANTISED, "float32"))


def _tensor(graph: Graph, numbers: Sequence[int], which: int) -> Tensor | None:
    """Return one of the tensors at an end of an operator; None where it is left out."""
    there = len(numbers) > which and numbers[which] >= 0
    return graph.tensors[numbers[which]] if there else None


def _frame(tensor: Tensor, channel: int, spatial: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of a frame of a tensor, channels first; None where it is not known."""
    if tensor.shape is None:
        return None
    sizes = [tensor.shape[axis] for axis in (channel, *spatial)]
    known = [size for size in sizes if size]
    return tuple(known) if len(known) == len(sizes) else None


def _quantised(tensor: Tensor) -> Quantised:
    """Return the scale and zero point of a tensor, of which there is one at most."""
    if len(tensor.scales) > 1 or len(tensor.zero_points) > 1:
        raise Unsupported(
            f"{tensor.name} has a scale per channel, and TFLite's pooling has one per tensor"
        )
    zero = tensor.zero_points[0] if tensor.zero_points else 0
    return (tensor.scales[0] if tensor.scales else None), zero


def _activation(options: Table) -> str:
    number = options.scalar(5, "i1")
    name = ACTIVATIONS[number] if 0 <= number < len(ACTIVATIONS) else f"number {number}"
    if name not in ACTIVATIONS[:4]:
        raise Unsupported(f"its fused activation is {name}; use none, relu, relu1 or relu6")
    return name
