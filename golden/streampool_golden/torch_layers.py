"""Pooling layers under the names, arguments and order that torch gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from collections.abc import Sequence
from typing import Any, SupportsIndex

from .errors import SpecError, shown
from .fields import boolean, is_sequence
from .layer_spec import layer_spec
from .spec import PerAxis, PoolSpec

PerAxisOrNone = SupportsIndex | Sequence[SupportsIndex | None] | None

_NAMES = {"kernel": "kernel_size"}


def MaxPool1d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.MaxPool1d's specification.

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
    return _torch_max(
        1, kernel_size, stride, padding, dilation, return_indices, ceil_mode, integers
    )


def MaxPool2d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.MaxPool2d's specification; otherwise as `MaxPool1d`."""
    return _torch_max(
        2, kernel_size, stride, padding, dilation, return_indices, ceil_mode, integers
    )


def MaxPool3d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.MaxPool3d's specification; otherwise as `MaxPool1d`."""
    return _torch_max(
        3, kernel_size, stride, padding, dilation, return_indices, ceil_mode, integers
    )


def AvgPool1d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.AvgPool1d's specification.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As torch has them.
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work, or torch would refuse it (padding beyond half the kernel).
    """
    return _torch(
        1,
        "avg",
        kernel_size,
        stride,
        padding,
        integers,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def AvgPool2d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.AvgPool2d's specification; otherwise as `AvgPool1d`."""
    return _torch(
        2,
        "avg",
        kernel_size,
        stride,
        padding,
        integers,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def AvgPool3d(
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.AvgPool3d's specification; otherwise as `AvgPool1d`."""
    return _torch(
        3,
        "avg",
        kernel_size,
        stride,
        padding,
        integers,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def LPPool1d(
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.LPPool1d's specification.

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
    return _torch_lp(1, norm_type, kernel_size, stride, ceil_mode, integers)


def LPPool2d(
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.LPPool2d's specification; otherwise as `LPPool1d`."""
    return _torch_lp(2, norm_type, kernel_size, stride, ceil_mode, integers)


def LPPool3d(
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    **integers: Any,
) -> PoolSpec:
    """Return torch.nn.LPPool3d's specification; otherwise as `LPPool1d`."""
    return _torch_lp(3, norm_type, kernel_size, stride, ceil_mode, integers)


def AdaptiveAvgPool1d(output_size: PerAxis, **integers: Any) -> PoolSpec:
    """Return torch.nn.AdaptiveAvgPool1d's specification.

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
    return _torch_adaptive(1, "avg", output_size, integers)


def AdaptiveAvgPool2d(output_size: PerAxisOrNone, **integers: Any) -> PoolSpec:
    """Return torch.nn.AdaptiveAvgPool2d's specification; otherwise as `AdaptiveAvgPool1d`."""
    return _torch_adaptive(2, "avg", output_size, integers)


def AdaptiveAvgPool3d(output_size: PerAxisOrNone, **integers: Any) -> PoolSpec:
    """Return torch.nn.AdaptiveAvgPool3d's specification; otherwise as `AdaptiveAvgPool1d`."""
    return _torch_adaptive(3, "avg", output_size, integers)


def AdaptiveMaxPool1d(
    output_size: PerAxis, return_indices: bool = False, **integers: Any
) -> PoolSpec:
    """Return torch.nn.AdaptiveMaxPool1d's specification; otherwise as `AdaptiveAvgPool1d`."""
    return _torch_adaptive(1, "max", output_size, integers, return_indices)


def AdaptiveMaxPool2d(
    output_size: PerAxisOrNone, return_indices: bool = False, **integers: Any
) -> PoolSpec:
    """Return torch.nn.AdaptiveMaxPool2d's specification; otherwise as `AdaptiveAvgPool1d`."""
    return _torch_adaptive(2, "max", output_size, integers, return_indices)


def AdaptiveMaxPool3d(
    output_size: PerAxisOrNone, return_indices: bool = False, **integers: Any
) -> PoolSpec:
    """Return torch.nn.AdaptiveMaxPool3d's specification; otherwise as `AdaptiveAvgPool1d`."""
    return _torch_adaptive(3, "max", output_size, integers, return_indices)


def _torch_max(
    ndim: int,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    dilation: PerAxis,
    return_indices: bool,
    ceil_mode: bool,
    integers: dict[str, Any],
) -> PoolSpec:
    return _torch(
        *(ndim, "max", kernel_size, stride, padding, integers),
        dilation=dilation,
        ceil_mode=ceil_mode,
        indices="plane" if boolean("return_indices", return_indices) else None,
    )


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


def _torch_lp(
    ndim: int,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    ceil_mode: bool,
    integers: dict[str, Any],
) -> PoolSpec:
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


def _torch_adaptive(
    ndim: int,
    op: str,
    output_size: PerAxisOrNone,
    integers: dict[str, Any],
    return_indices: bool = False,
) -> PoolSpec:
    rest = {
        "adaptive": (None,) * ndim if output_size is None else output_size,
        "indices": "plane" if boolean("return_indices", return_indices) else None,
    }
    return layer_spec(ndim, op, None, None, 0, integers, {"adaptive": "output_size"}, rest)
