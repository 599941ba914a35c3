"""Pooling layers under the names, arguments and order that torch gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from collections.abc import Sequence
from typing import Any, SupportsIndex

from .errors import SpecError, wrong
from .fields import boolean, is_sequence, spread
from .layer_spec import layer_spec, per_axes
from .spec import PerAxis, PoolSpec

PerAxisOrNone = SupportsIndex | Sequence[SupportsIndex | None] | None

_NAMES = {"kernel": "kernel_size", "adaptive": "output_size"}


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
    """Return torch.nn.{name}'s specification.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, return_indices, ceil_mode
        As torch has them. With `return_indices`, `pool_with_indices` gives both.
    """
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
    """Return torch.nn.{name}'s specification.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As torch has them; the last of two and three axes.
    """
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

    Parameters
    ----------
    norm_type
        1 or 2. With 1 torch takes no absolute values, so that it is a sum; op "lp1" takes them,
        as ONNX does.
    kernel_size, stride
        As torch has them.
    ceil_mode
        False: with True torch multiplies windows that overhang by kernel over taps.
    """
    if norm_type not in (1, 2):
        because = ": other powers and roots of integers are not computed exactly"
        raise wrong("norm_type", "1 or 2", norm_type, because)
    if boolean("ceil_mode", ceil_mode):
        raise SpecError(
            "ceil_mode",
            "ceil_mode must be False, not True: torch scales windows that overhang, which no sum"
            " of theirs does; use PoolSpec, which takes it as onnxruntime does.",
        )
    op = "sum" if norm_type == 1 else op
    return layer_spec(_NAMES, integers, ndim=ndim, op=op, kernel=kernel_size, stride=stride)


def _adaptive_avg(ndim: int, op: str, output_size: PerAxisOrNone, **integers: Any) -> PoolSpec:
    """Return torch.nn.{name}'s specification, which works where `output_size` divides the input's.

    Parameters
    ----------
    output_size
        As torch has it; None for an axis is the input's length.
    """
    size = _sizes(ndim, output_size)
    return layer_spec(_NAMES, integers, ndim=ndim, op=op, adaptive=size)


def _adaptive_max(
    ndim: int,
    op: str,
    output_size: PerAxisOrNone,
    return_indices: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.{name}'s specification, which works where `output_size` divides the input's.

    Parameters
    ----------
    output_size, return_indices
        As of `AdaptiveAvgPool1d` and `MaxPool1d`.
    """
    size, indices = _sizes(ndim, output_size), _base(return_indices)
    return layer_spec(_NAMES, integers, ndim=ndim, op=op, adaptive=size, indices=indices)


def _sizes(ndim: int, output_size: PerAxisOrNone) -> Any:
    return (None,) * ndim if output_size is None else output_size


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
    spec = layer_spec(_NAMES, integers, **windows, **rest)
    for pad, kernel in zip(pads, spec.kernel, strict=True):
        if not 0 <= pad <= kernel // 2:
            wanted = f"from 0 to half of kernel_size {kernel}, as in torch"
            raise wrong("padding", wanted, pad, "; use PoolSpec for more")
    return spec


_avg_of_one_axis.__doc__ = _avg.__doc__
MaxPool1d, MaxPool2d, MaxPool3d = per_axes(_max, "max", "MaxPool{}d")
AvgPool1d, *_ = per_axes(_avg_of_one_axis, "avg", "AvgPool{}d")
_, AvgPool2d, AvgPool3d = per_axes(_avg, "avg", "AvgPool{}d")
LPPool1d, LPPool2d, LPPool3d = per_axes(_lp, "lp2", "LPPool{}d")
AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d = per_axes(
    _adaptive_avg, "avg", "AdaptiveAvgPool{}d"
)
AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d = per_axes(
    _adaptive_max, "max", "AdaptiveMaxPool{}d"
)
