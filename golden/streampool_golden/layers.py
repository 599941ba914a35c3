"""Specifications under the names, arguments and order that torch and Keras give to their layers."""

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, SupportsIndex

from .errors import SpecError, refuse_unknown, shown, wrong
from .fields import LAYOUTS, boolean, choice, is_sequence, spread
from .spec import PerAxis, PoolSpec

PerAxisOrNone = SupportsIndex | Sequence[SupportsIndex | None] | None

LAYERS: set[str] = set()
"""The names of all layers below."""
TORCH = {"kernel": "kernel_size", "adaptive": "output_size"}
KERAS = {"kernel": "pool_size", "stride": "strides"}
"""A framework's names of those fields that it calls otherwise."""
_FORMATS = ("channels_first", "channels_last")
_INTEGERS = ("dtype", "out_dtype", "rounding", "clamp", "saturate", "nan")
_ENDING = """

Parameters
----------
**integers
    ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`. Every
    other argument is the framework's own.

Returns
-------
PoolSpec

Raises
------
SpecError
    If a value cannot work, or the framework would refuse it.
"""

P = ParamSpec("P")


def _per_axes(
    layer: Callable[Concatenate[int, str, P], PoolSpec], op: str, name: str
) -> tuple[Callable[P, PoolSpec], Callable[P, PoolSpec], Callable[P, PoolSpec]]:
    """Return a layer of one, two and three axes, of which `layer` takes number and operation first.

    `name` is a format of the layer's name, as is ``{name}`` in the docstring.
    """

    def of(ndim: int) -> Callable[P, PoolSpec]:
        @functools.wraps(layer)
        def made(*args: P.args, **kwargs: P.kwargs) -> PoolSpec:
            return layer(ndim, op, *args, **kwargs)

        signature = inspect.signature(layer)
        _, _, *rest = signature.parameters.values()
        made.__name__ = made.__qualname__ = name.format(ndim)
        made.__doc__ = (inspect.getdoc(layer) or "").replace("{name}", made.__name__) + _ENDING
        made.__dict__["__signature__"] = signature.replace(parameters=rest)
        LAYERS.add(made.__name__)
        return made

    return of(1), of(2), of(3)


def _layer(names: dict[str, str], integers: dict[str, Any], **fields: Any) -> PoolSpec:
    """Return the specification; a refusal names the field as the framework does in `names`."""
    refuse_unknown(integers, _INTEGERS, "argument of this layer")
    try:
        return PoolSpec(**fields, **integers)
    except SpecError as error:
        message = str(error)
        for ours, theirs in names.items():
            message = re.sub(rf"\b{ours}\b", theirs, message)
        raise SpecError(names.get(error.field, error.field), message) from None


def specification(spec: object) -> PoolSpec:
    """Return a specification, or refuse what is none and say what to use."""
    if isinstance(spec, PoolSpec):
        return spec
    name = type(spec).__name__
    use = f"{name} of streampool, which takes the same arguments" if name in LAYERS else "PoolSpec"
    raise SpecError("spec", f"spec must be a PoolSpec, not {shown(spec)}; use {use}.")


def _max(
    ndim: int,
    op: str,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.{name}'s specification; of `return_indices` see `pool_with_indices`."""
    fields = {"dilation": dilation, "ceil_mode": ceil_mode, "indices": _base(return_indices)}
    return _windows(ndim, op, kernel_size, stride, padding, integers, **fields)


def _avg(
    ndim: int,
    op: str,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.{name}'s specification."""
    fields = {
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
        "divisor_override": divisor_override,
    }
    return _windows(ndim, op, kernel_size, stride, padding, integers, **fields)


def _avg_of_one_axis(
    ndim: int,
    op: str,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    **integers: Any,
) -> PoolSpec:
    fields = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
    return _windows(ndim, op, kernel_size, stride, padding, integers, **fields)


def _lp(
    ndim: int,
    op: str,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.{name}'s specification.

    `norm_type` is 1, 2, 3 or 4. For odd ones torch takes no absolute values: 1 is a sum, and 3
    needs an unsigned ``dtype``; ops "lp1" and "lp3" take them, as ONNX does. `ceil_mode` is False:
    with True torch multiplies windows that overhang by kernel over taps.
    """
    if norm_type not in (1, 2, 3, 4):
        because = ": other powers and roots of integers are not computed exactly"
        raise wrong("norm_type", "1, 2, 3 or 4", norm_type, because)
    if boolean("ceil_mode", ceil_mode):
        raise SpecError(
            "ceil_mode",
            "ceil_mode must be False, not True: torch scales windows that overhang, which no sum"
            " of theirs does; use PoolSpec, which takes it as onnxruntime does.",
        )
    op = "sum" if norm_type == 1 else f"lp{int(norm_type)}"
    spec = _layer(TORCH, integers, ndim=ndim, op=op, kernel=kernel_size, stride=stride)
    if norm_type == 3 and spec.in_dtype.signed:
        raise SpecError(
            "norm_type",
            f"norm_type 3 is not there for dtype {spec.dtype}: torch keeps the sign of odd powers,"
            " and has no root of a sum below 0; use an unsigned dtype, or op lp3 of PoolSpec, which"
            " takes absolute values as ONNX does.",
        )
    return spec


def _adaptive_avg(ndim: int, op: str, output_size: PerAxisOrNone, **integers: Any) -> PoolSpec:
    """Return torch.nn.{name}'s specification."""
    return _layer(TORCH, integers, ndim=ndim, op=op, adaptive=spread(output_size, ndim))


def _adaptive_max(
    ndim: int,
    op: str,
    output_size: PerAxisOrNone,
    return_indices: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.{name}'s specification."""
    size, indices = spread(output_size, ndim), _base(return_indices)
    return _layer(TORCH, integers, ndim=ndim, op=op, adaptive=size, indices=indices)


def _base(return_indices: object) -> str | None:
    """Return the base of torch's indices where they are asked for."""
    return "plane" if boolean("return_indices", return_indices) else None


def _windows(
    ndim: int,
    op: str,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    integers: dict[str, Any],
    **rest: Any,
) -> PoolSpec:
    """Return the specification of windows, padded as torch allows it."""
    pads = spread(padding, ndim)
    if any(isinstance(pad, str) or is_sequence(pad) for pad in pads):
        wanted = "an integer or one per axis, as in torch"
        raise wrong("padding", wanted, padding, "; use PoolSpec for more")
    windows = {"ndim": ndim, "op": op, "kernel": kernel_size, "stride": stride, "padding": padding}
    spec = _layer(TORCH, integers, **windows, **rest)
    for pad, kernel in zip(pads, spec.kernel, strict=True):
        if not 0 <= pad <= kernel // 2:
            wanted = f"from 0 to half of kernel_size {kernel}, as in torch"
            raise wrong("padding", wanted, pad, "; use PoolSpec for more")
    return spec


_avg_of_one_axis.__doc__ = _avg.__doc__
MaxPool1d, MaxPool2d, MaxPool3d = _per_axes(_max, "max", "MaxPool{}d")
AvgPool1d, *_ = _per_axes(_avg_of_one_axis, "avg", "AvgPool{}d")
_, AvgPool2d, AvgPool3d = _per_axes(_avg, "avg", "AvgPool{}d")
LPPool1d, LPPool2d, LPPool3d = _per_axes(_lp, "lp", "LPPool{}d")
AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d = _per_axes(
    _adaptive_avg, "avg", "AdaptiveAvgPool{}d"
)
AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d = _per_axes(
    _adaptive_max, "max", "AdaptiveMaxPool{}d"
)


def _pooling(
    ndim: int,
    op: str,
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.{name}'s specification.

    `data_format` is the order of the axes of an array that `pool` is given: channels last by
    default, as Keras has it. `pool`'s own `layout` goes before it.
    """
    name = padding.lower() if isinstance(padding, str) else ""
    if name not in ("valid", "same"):
        raise wrong("padding", "'valid' or 'same', as in Keras", padding, "; use PoolSpec for more")
    fields = {"kernel": pool_size, "stride": strides, "padding": name}
    return _keras(ndim, op, data_format, integers, **fields)


def _global(ndim: int, op: str, data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.{name}'s specification.

    The output keeps its spatial axes, of length 1, as Keras has it with ``keepdims=True``.
    """
    return _keras(ndim, op, data_format, integers, kernel="global")


def _keras(
    ndim: int, op: str, data_format: object, integers: dict[str, Any], **fields: Any
) -> PoolSpec:
    named = choice("data_format", "channels_last" if data_format is None else data_format, _FORMATS)
    layout = LAYOUTS[ndim][_FORMATS.index(named)]
    return _layer(KERAS, integers, ndim=ndim, op=op, layout=layout, **fields)


MaxPooling1D, MaxPooling2D, MaxPooling3D = _per_axes(_pooling, "max", "MaxPooling{}D")
AveragePooling1D, AveragePooling2D, AveragePooling3D = _per_axes(
    _pooling, "avg", "AveragePooling{}D"
)
GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = _per_axes(
    _global, "max", "GlobalMaxPooling{}D"
)
GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D = _per_axes(
    _global, "avg", "GlobalAveragePooling{}D"
)
