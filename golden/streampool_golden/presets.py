"""Specifications that pool quantised values as a runtime does, by the runtime's name."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dtypes import DType
from .errors import SpecError
from .fields import GLOBAL, choice, float32_ratio, lengths, pair, spread
from .operations import OPERATIONS
from .spec import PoolSpec

ACTIVATIONS = {"none": (None, None), "relu": (0.0, None), "relu6": (0.0, 6.0), "relu1": (-1.0, 1.0)}
"""The reals that fused activations keep between; ``relu1`` is TFLite's RELU_N1_TO_1."""


def preset(
    name: str,
    op: str,
    kernel: Any,
    *,
    size: Sequence[int] | None = None,
    scales: tuple[float, float] | None = None,
    activation: str = "none",
    **fields: Any,
) -> PoolSpec:
    """Return the specification that computes what a runtime does on quantised values.

    Parameters
    ----------
    name : {"tflite", "torch-quantized", "onnxruntime-qlinear"}
        TFLite's AVERAGE_POOL_2D and MAX_POOL_2D; torch's ``avg_pool2d`` of a quantized tensor in
        contiguous memory; onnxruntime's QLinearAveragePool, and QLinearGlobalAveragePool.
    op, kernel, **fields
        As `PoolSpec` takes them. What the runtime fixes is refused where it says otherwise, and
        its defaults are the runtime's. `zero_points` may be one integer, as TFLite and torch keep
        scale and zero point.
    size : tuple of int, optional
        The input's spatial lengths. onnxruntime rounds otherwise where the kernel covers it all.
    scales : (float, float), optional
        The scale of input and output, taken as float32 as the runtimes hold them.
    activation : {"none", "relu", "relu6", "relu1"}, optional
        TFLite's fused activation, which becomes `clamp`; the last two need `scales`.

    Raises
    ------
    SpecError
        If a value cannot work, or the runtime would not do it.

    Notes
    -----
    The runtimes' own rounding is of a float32, which the exact result differs from where the
    float32 is inexact near a half; docs/conformance.md says how often.

    Examples
    --------
    >>> spec = preset("tflite", "avg", 3, padding="same", zero_points=3)
    >>> spec.rounding, spec.count_include_pad, spec.zero_points
    ('half_away', False, (3, 3))
    """
    runtime = PRESETS[choice("preset", name, PRESETS)]
    fields["zero_points"] = spread(fields.get("zero_points", 0), 2)
    if scales is not None:
        if "scale" in fields:
            raise SpecError("scale", "scale is given twice; use scale or scales alone.")
        ends = pair("scales", scales, "two positive numbers, of input and output")
        ratio = float32_ratio(*ends)
        if OPERATIONS[choice("op", op, OPERATIONS)].requantises or ratio != 1:
            fields["scale"] = ratio
    if size is not None:
        size = lengths("size", size)
    fields = {field: value for field, value in fields.items() if value is not None}
    asked = PoolSpec(op, kernel, **fields)
    if activation != "none":
        fields["clamp"] = _activation(activation, scales, asked)
    _check_runs(name, runtime, asked)
    fixed = runtime.fixed
    if asked.operation.requantises:
        fixed = fixed | runtime.of_means(asked, "count_include_pad" in fields, size)
    spec = PoolSpec(op, kernel, **{**fields, **fixed})
    for field in fixed:
        given, done = getattr(asked, field), getattr(spec, field)
        if field in fields and given != done:
            raise SpecError(field, f"{field} {given} is not what {name} does; use {done}.")
    zero_in, zero_out = spec.zero_points
    if not runtime.rescales and (spec.scale != 1 or zero_in != zero_out):
        raise SpecError(
            "scale",
            f"scale {spec.scale} and zero_points {spec.zero_points} differ between input and"
            f" output, which {name} keeps; use scale 1 and equal ones.",
        )
    return spec


def _check_runs(name: str, runtime: "Runtime", asked: PoolSpec) -> None:
    """Refuse what the runtime has no quantised operation for."""
    if isinstance(asked.padding, str):
        has = asked.padding in ("valid", *runtime.named)
    else:
        kernel = asked.kernel or (1,) * asked.ndim  # unpadded where only the size says it
        each = zip(asked.padding, kernel, strict=True)
        has = all(runtime.pads(before, after, taps) for (before, after), taps in each)
    for field, given, does, use in (
        ("op", asked.op, asked.op in runtime.ops, " or ".join(runtime.ops)),
        ("dtype", asked.dtype, asked.dtype in runtime.dtypes, " or ".join(runtime.dtypes)),
        ("out_dtype", asked.out_dtype, asked.out_dtype in (None, asked.dtype), asked.dtype),
        ("ndim", asked.ndim, asked.ndim in runtime.axes, " or ".join(map(str, runtime.axes))),
        ("padding", asked.padding, has, runtime.padding),
    ):
        if not does:
            raise SpecError(field, f"{field} {given} is not what preset {name} has; use {use}.")


def _activation(name: str, scales: Sequence[float] | None, asked: PoolSpec) -> tuple[int, int]:
    """Return an activation as bounds of the raw output, as TFLite works them out."""
    choice("activation", name, ACTIVATIONS)
    if asked.clamp is not None:
        raise SpecError("clamp", f"clamp is given besides activation {name}; use one of them.")
    out = DType.of(asked.out_dtype or asked.dtype)
    bounds = []
    for real, end in zip(ACTIVATIONS[name], (out.low, out.high), strict=True):
        steps = 0.0
        if real and scales is None:
            raise SpecError("scales", f"scales must be given for activation {name}, and are not.")
        if real and scales is not None:
            with np.errstate(over="ignore"):
                steps = float(np.float32(real) / np.float32(scales[1]))
        near = math.floor(min(abs(steps), 1 << 32) + 0.5)  # halves away from zero, as C's round
        bound = asked.zero_points[1] + (near if steps > 0 else -near)
        bounds.append(end if real is None else max(out.low, min(out.high, bound)))
    return bounds[0], bounds[1]


Fixed = dict[str, Any]


def _of_onnxruntime(asked: PoolSpec, says: bool, size: Sequence[int] | None) -> Fixed:
    """Return what onnxruntime fixes of an average."""
    whole = asked.adaptive == GLOBAL  # QLinearGlobalAveragePool
    covers = whole or (size is not None and asked.kernel == tuple(size))
    padded = not isinstance(asked.padding, str) and any(map(any, asked.padding))
    counted = says and asked.count_include_pad
    return {
        "dilation": 1,
        "rounding_about": "zero_point" if covers and not padded else "raw",
        "count_include_pad": counted,
        # by the whole kernel, where a window overhangs too
        "divisor_override": math.prod(asked.kernel) if counted and asked.kernel else None,
    }


@dataclass(frozen=True)
class Runtime:
    """What a runtime's quantised pooling has, and what it fixes.

    Paddings are those `named` and ``"valid"``, and what `pads` takes of an axis' padding before
    and after and its kernel; `padding` is both in words. Where it `rescales`, input and output may
    differ in scale and zero point. `of_means` returns what is fixed of an average besides `fixed`,
    given what was asked for, whether that says `count_include_pad`, and the input's size.
    """

    dtypes: tuple[str, ...]
    axes: tuple[int, ...]
    named: tuple[str, ...]
    pads: Callable[[int, int, int], bool]
    padding: str
    rescales: bool
    fixed: Fixed
    of_means: Callable[[PoolSpec, bool, Sequence[int] | None], Fixed]
    ops: tuple[str, ...] = ("avg", "max")


PRESETS: dict[str, Runtime] = {
    "tflite": Runtime(
        dtypes=("int8", "uint8", "int16"),
        axes=(2,),
        named=("same",),
        pads=lambda before, after, kernel: before == after == 0,
        padding="same or valid",
        rescales=False,
        fixed={"rounding": "half_away", "dilation": 1, "ceil_mode": False},
        of_means=lambda *_: {"count_include_pad": False, "divisor_override": None},
    ),
    "torch-quantized": Runtime(
        dtypes=("int8", "uint8"),
        axes=(1, 2),  # three too, by other code, which nothing here is checked against
        named=(),
        pads=lambda before, after, kernel: 0 <= before == after <= kernel // 2,
        padding="the same before and after, from 0 to half of the kernel",
        rescales=False,
        fixed={"rounding": "half_even", "rounding_about": "raw"},
        of_means=lambda *_: {"dilation": 1},
    ),
    "onnxruntime-qlinear": Runtime(
        dtypes=("int8", "uint8"),
        axes=(1, 2, 3),
        named=("same", "same_lower"),
        pads=lambda before, after, kernel: min(before, after) >= 0,
        padding="same, same_lower, valid, or integers from 0",
        rescales=True,
        fixed={"rounding": "half_even"},
        of_means=_of_onnxruntime,
    ),
}
"""Each runtime, by the name of its preset."""
