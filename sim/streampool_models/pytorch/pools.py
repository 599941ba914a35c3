"""The pooling layers among a model's calls: what each computes, and on which values."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from streampool_golden import PoolSpec, SpecError, layers

from ..layer import Layer, Node
from .calls import Call, Fact, Trace
from .quantised import Around, Integers, bounds

POOL = re.compile(
    r"(?:quantized_)?_?(?P<kind>max|avg|lp|adaptive_avg|adaptive_max|fractional_max|max_un)_?pool"
    r"(?P<ndim>[123])d(?P<indices>_with_indices)?"
)
"""The name of a function that pools, as torch.nn.functional or aten has it."""

CLASSES = {
    "max": "MaxPool",
    "avg": "AvgPool",
    "lp": "LPPool",
    "adaptive_avg": "AdaptiveAvgPool",
    "adaptive_max": "AdaptiveMaxPool",
}
WHOLE = {"mean": "adaptive_avg", "amax": "adaptive_max"}
"""Reductions that pool where they go over all spatial axes."""

REFUSED = {
    "fractional_max": "fractional pooling draws its windows at random; use a max pooling whose"
    " windows are known",
    "max_un": "unpooling is no pooling; use UnpoolJob for a core of it",
}
OF_REGIONS = ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")
"""torchvision's poolings of regions."""

BY_INPUT = "its windows come with its input; a core's windows are fixed"
FLOATS = ("float16", "bfloat16", "float32", "float64")
EXACT: dict[str, tuple[str, ...]] = dict.fromkeys(("avg", "sum"), ("float16", "bfloat16"))
"""What of floats has an exact core, besides maxima."""


@dataclass(frozen=True)
class Site:
    """A pooling layer where it stands among the calls.

    Parameters
    ----------
    layer : Layer
        What it is.
    call : int
        The call's number.
    source : str
        The value that its core takes: its input, or integers that stand for it.
    inside, outside : tuple, optional
        Scale and zero point of the integers that the core takes and gives, where the model
        computes on the reals that they stand for.
    """

    layer: Layer
    call: int
    source: str
    inside: tuple[float, int] | None = None
    outside: tuple[float, int] | None = None


@dataclass(frozen=True)
class Pool:
    """What a call pools: a layer of golden's by its name, with its arguments."""

    layer: str
    arguments: dict[str, Any]

    def spec(self, **fields: Any) -> PoolSpec:
        """Return the specification; what leaves one position takes a frame as a whole."""
        kept = ("dtype", "clamp", "rounding")
        integers = {name: fields.pop(name) for name in kept if name in fields}
        spec = getattr(layers, self.layer)(**self.arguments, **integers)
        if spec.adaptive is not None and set(spec.adaptive) == {1}:
            fields["adaptive"] = "global"
        return spec.replace(**fields) if fields else spec


def pools(function: str) -> bool:
    """Return whether a function pools, or may."""
    known = function in WHOLE or function in OF_REGIONS
    return known or POOL.fullmatch(function) is not None


def sites(trace: Trace) -> list[Site]:
    """Return the pooling layers of a model, in its order."""
    around = Around(trace)
    found = []
    for number, call in enumerate(trace.calls):
        if pools(call.function):
            site = _site(number, call, trace.facts, around)
            found += [] if site is None else [site]
    return found


def nodes(trace: Trace, found: Sequence[Site]) -> list[Node]:
    """Return all calls as what a picture is drawn of."""
    names = {site.call: site.layer.name for site in found}
    return [
        Node(call.op, call.inputs, call.outputs, names.get(number))
        for number, call in enumerate(trace.calls)
    ]


def _site(number: int, call: Call, facts: dict[str, Fact], around: Around) -> Site | None:
    """Return the layer that a call is; None where it is a reduction of something else."""
    value = call.inputs[0] if call.inputs else ""
    fact = facts.get(value, Fact(None, "float32"))
    if call.function in OF_REGIONS:
        return Site(Layer(call.name, call.op, None, None, BY_INPUT), number, value)
    if call.function in WHOLE:
        if (axes := _spatial(call, fact)) is None:
            return None
        kind, ndim, arguments = WHOLE[call.function], axes, {"output_size": 1}
    else:
        match = POOL.fullmatch(call.function)
        assert match is not None
        kind, ndim = match["kind"], int(match["ndim"])
        arguments = _arguments(call, ndim, indices=bool(match["indices"]))
    shape = None if fact.shape is None else fact.shape[-ndim - 1 :]
    layer = partial(Layer, call.name, call.op, shape=shape)
    if kind in REFUSED:
        return Site(layer(spec=None, reason=REFUSED[kind]), number, value)
    try:
        return _computed(number, call, layer, Pool(f"{CLASSES[kind]}{ndim}d", arguments), around)
    except SpecError as error:
        return Site(layer(spec=None, reason=str(error).rstrip(".")), number, value)


def _arguments(call: Call, ndim: int, *, indices: bool) -> dict[str, Any]:
    """Return a call's arguments as torch's layers take them."""
    arguments = dict(call.arguments)
    if arguments.get("stride") in ([], ()):  # as aten says that there is none
        arguments["stride"] = None
    for name, value in arguments.items():
        if isinstance(value, (list, tuple)) and len(value) == 1 < ndim:  # it is every axis'
            arguments[name] = value[0]
    if indices:
        arguments["return_indices"] = True
    return arguments


def _spatial(call: Call, fact: Fact) -> int | None:
    """Return how many spatial axes a reduction is over, if it is over all and nothing else.

    With one axis it may as well be over features, so two are needed.
    """
    axes, shape = call.arguments.get("dim"), fact.shape
    if shape is None or not isinstance(axes, (list, tuple)) or len(axes) < 2:
        return None
    rank = len(shape)
    if rank > 5 or {axis % rank for axis in axes} != set(range(2, rank)):
        return None
    return rank - 2


def _computed(number: int, call: Call, layer: Any, pool: Pool, around: Around) -> Site:
    """Return the layer of what golden computes, on integers where its values stand for some."""
    value = call.inputs[0]
    fact = around.facts.get(value, Fact(None, "float32"))
    computed = pool.spec(dtype="int8")  # refuses an argument that no type can have
    op, operation = computed.op, computed.operation
    selects, indices = bool(operation.selects), computed.indices is not None
    found = around.integers(call, selects=selects, indices=indices)
    if isinstance(found, str):
        return Site(layer(spec=None, reason=found), number, value)
    if found is not None:
        made = layer(spec=_on_integers(pool, found), notes=found.notes)
        return Site(made, number, found.source, found.inside, found.outside)
    if fact.dtype in FLOATS and not operation.selects and fact.dtype not in EXACT.get(op, ()):
        waits = layer(spec=pool.spec(dtype="int8", rounding="half_even"), float_dtype=fact.dtype)
        return Site(waits, number, value)
    spec = pool.spec(dtype=fact.dtype)
    before = around.makers.get(value)
    if selects and before is not None:
        if (clamp := _clamp(before, around.facts, spec)) is not None:
            note = f"its core clamps, too, and takes what {before.name} does"
            made = layer(spec=spec.replace(clamp=clamp), notes=(note,))
            return Site(made, number, before.inputs[0])
        if bounds(before) is not None:
            note = f"{before.name} stays before its core"
            return Site(layer(spec=spec, notes=(note,)), number, value)
    return Site(layer(spec=spec), number, value)


def _clamp(before: Call, facts: dict[str, Fact], spec: PoolSpec) -> tuple[float, float] | None:
    """Return the clamp of floats behind a maximum that an activation before it may become.

    None of an activation that may not: one that moves the maximum's index, or whose ends are no
    numbers.
    """
    ends = bounds(before)
    if ends is None or spec.indices is not None or len(before.inputs) != 1:
        return None
    if not spec.in_dtype.is_float or facts[before.inputs[0]].dtype != spec.dtype:
        return None
    if not all(isinstance(end, (int, float, type(None))) for end in ends):
        return None
    reals = (-math.inf if ends[0] is None else ends[0], math.inf if ends[1] is None else ends[1])
    with np.errstate(over="ignore"):  # in their type, as torch takes them
        low, high = (float(np.array(end, np.float64).astype(spec.in_dtype.numpy)) for end in reals)
    return (low, high) if low <= high else None


def _on_integers(pool: Pool, found: Integers) -> PoolSpec:
    """Return the specification on integers that stand for values."""
    fields: dict[str, Any] = {"dtype": found.dtype}
    if found.clamp is not None:
        fields["clamp"] = found.clamp
    if not pool.spec(dtype=found.dtype).operation.selects:
        fields |= {
            "rounding": "half_even",
            "scale": found.scale,
            "zero_points": found.zero_points,
            "rounding_about": found.about,
            "out_dtype": found.out_dtype,
        }
    return pool.spec(**fields)
