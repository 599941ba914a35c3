"""Pooling layers under the names, arguments and order that torch and Keras give them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

import re
from typing import Any

from .errors import SpecError, shown
from .fields import boolean, is_sequence
from .spec import PerAxis, PoolSpec


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


def MaxPooling1D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.MaxPooling1D's specification.

    Parameters
    ----------
    pool_size, strides, padding
        As Keras has them; `padding` is ``"valid"`` or ``"same"``. The data format is an
        array's, not the layer's: give it to `pool` as `layout`.
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work.
    """
    return _keras(1, "max", pool_size, strides, padding, integers)


def MaxPooling2D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.MaxPooling2D's specification; otherwise as `MaxPooling1D`."""
    return _keras(2, "max", pool_size, strides, padding, integers)


def AveragePooling1D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.AveragePooling1D's specification; otherwise as `MaxPooling1D`."""
    return _keras(1, "avg", pool_size, strides, padding, integers)


def AveragePooling2D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.AveragePooling2D's specification; otherwise as `MaxPooling1D`."""
    return _keras(2, "avg", pool_size, strides, padding, integers)


_INTEGERS = ("dtype", "out_dtype", "rounding", "clamp", "saturate", "nan")
_TORCH = {"kernel": "kernel_size"}
_KERAS = {"kernel": "pool_size", "stride": "strides"}


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
    spec = _spec(ndim, op, kernel_size, stride, padding, integers, _TORCH, rest)
    pads = padding if is_sequence(padding) else (padding,) * ndim
    for pad, kernel in zip(pads, spec.kernel, strict=True):
        if not 0 <= pad <= kernel // 2:
            raise SpecError(
                "padding",
                f"padding must be from 0 to half of kernel_size {kernel}, as in torch,"
                f" not {pad}; PoolSpec takes any.",
            )
    return spec


def _keras(
    ndim: int,
    op: str,
    pool_size: PerAxis,
    strides: PerAxis | None,
    padding: str,
    integers: dict[str, Any],
) -> PoolSpec:
    name = padding.lower() if isinstance(padding, str) else ""
    if name not in ("valid", "same"):
        raise SpecError(
            "padding",
            f"padding must be 'valid' or 'same', as in Keras, not {shown(padding)};"
            " PoolSpec takes more.",
        )
    return _spec(ndim, op, pool_size, strides, name, integers, _KERAS, {})


def _spec(
    ndim: int,
    op: str,
    kernel: PerAxis,
    stride: PerAxis | None,
    padding: Any,
    integers: dict[str, Any],
    names: dict[str, str],
    rest: dict[str, Any],
) -> PoolSpec:
    """Return the specification; a refusal names the field as the framework does."""
    for name in integers:
        if name not in _INTEGERS:
            raise SpecError(
                name,
                f"{name} is no argument of this layer; on top it takes {', '.join(_INTEGERS)}.",
            )
    try:
        return PoolSpec(op, kernel, stride, padding, ndim=ndim, **rest, **integers)
    except SpecError as error:
        message = str(error)
        for ours, theirs in names.items():
            message = re.sub(rf"\b{ours}\b", theirs, message)
        raise SpecError(names.get(error.field, error.field), message) from None
