"""Pooling layers under the names, arguments and order that torch gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from collections.abc import Sequence
from typing import Any, SupportsIndex

from .errors import SpecError, shown
from .fields import boolean, is_sequence
from .layer_spec import layer_spec, per_axes
from .spec import PerAxis, PoolSpec

PerAxisOrNone = SupportsIndex | Sequence[SupportsIndex | None] | None

_NAMES = {"kernel": "kernel_size"}


def _max(
    ndim: int,
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
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work, or torch would refuse it (padding beyond half the kernel).
    """
    return _torch(
        *(ndim, "max", kernel_size, stride, padding, integers),
        dilation=dilation,
        ceil_mode=ceil_mode,
        indices="plane" if boolean("return_indices", return_indices) else None,
    )


def _avg(
    ndim: int,
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
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work, or torch would refuse it (padding beyond half the kernel).
    """
    return _torch(
        *(ndim, "avg", kernel_size, stride, padding, integers),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def _avg_of_one_axis(
    ndim: int,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    **integers: Any,
) -> PoolSpec:
    return _avg(ndim, kernel_size, stride, padding, ceil_mode, count_include_pad, **integers)


def _lp(
    ndim: int,
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
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work, or torch's result for it is not one exact sum and root.
    """
    if norm_type not in (1, 2):
        raise SpecError(
            "norm_type",
            f"norm_type must be 1 or 2, not {shown(norm_type)}: other powers and roots of integers"
            " are not computed exactly.",
        )
    if boolean("ceil_mode", ceil_mode):
        raise SpecError(
            "ceil_mode",
            "ceil_mode must be False, not True: torch scales windows that overhang, which no sum"
            " of theirs does; PoolSpec takes it, as onnxruntime does.",
        )
    op = "sum" if norm_type == 1 else "lp2"
    return layer_spec(ndim, op, kernel_size, stride, 0, integers, _NAMES, {})


def _adaptive_avg(ndim: int, output_size: PerAxisOrNone, **integers: Any) -> PoolSpec:
    """Return torch.nn.{name}'s specification.

    Parameters
    ----------
    output_size
        As torch has it; None for an axis is the input's length.
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work; on a size that `output_size` does not divide, when that is known.
    """
    return _adaptive(ndim, "avg", output_size, integers, False)


def _adaptive_max(
    ndim: int, output_size: PerAxisOrNone, return_indices: bool = False, **integers: Any
) -> PoolSpec:
    """Return torch.nn.{name}'s specification; otherwise as `AdaptiveAvgPool1d`."""
    return _adaptive(ndim, "max", output_size, integers, return_indices)


def _torch(
    ndim: int,
    op: str,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    integers: dict[str, Any],
    **rest: Any,
) -> PoolSpec:
    if isinstance(padding, str) or (is_sequence(padding) and any(is_sequence(p) for p in padding)):
        raise SpecError(
            "padding",
            "padding must be an integer or one per axis, as in torch,"
            f" not {shown(padding)}; PoolSpec may take it.",
        )
    spec = layer_spec(ndim, op, kernel_size, stride, padding, integers, _NAMES, rest)
    pads = padding if is_sequence(padding) else (padding,) * ndim
    for pad, kernel in zip(pads, spec.kernel, strict=True):
        if not 0 <= pad <= kernel // 2:
            raise SpecError(
                "padding",
                f"padding must be from 0 to half of kernel_size {kernel}, as in torch,"
                f" not {pad}; PoolSpec takes any.",
            )
    return spec


def _adaptive(
    ndim: int,
    op: str,
    output_size: PerAxisOrNone,
    integers: dict[str, Any],
    return_indices: bool,
) -> PoolSpec:
    rest = {
        "adaptive": (None,) * ndim if output_size is None else output_size,
        "indices": "plane" if boolean("return_indices", return_indices) else None,
    }
    return layer_spec(ndim, op, None, None, 0, integers, {"adaptive": "output_size"}, rest)


_avg_of_one_axis.__doc__ = _avg.__doc__
MaxPool1d, MaxPool2d, MaxPool3d = per_axes(_max, "MaxPool{}d")
AvgPool1d, *_ = per_axes(_avg_of_one_axis, "AvgPool{}d")
_, AvgPool2d, AvgPool3d = per_axes(_avg, "AvgPool{}d")
LPPool1d, LPPool2d, LPPool3d = per_axes(_lp, "LPPool{}d")
AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d = per_axes(
    _adaptive_avg, "AdaptiveAvgPool{}d"
)
AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d = per_axes(
    _adaptive_max, "AdaptiveMaxPool{}d"
)
