"""Pooling layers under the names, arguments and order that Keras gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from typing import Any

from .errors import SpecError, shown
from .fields import LAYOUTS, choice
from .layer_spec import layer_spec, per_axes
from .spec import PerAxis, PoolSpec

_NAMES = {"kernel": "pool_size", "stride": "strides"}


def _max(
    ndim: int,
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.{name}'s specification.

    Parameters
    ----------
    pool_size, strides, padding
        As Keras has them; `padding` is ``"valid"`` or ``"same"``.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes of an array that `pool` is given: channels last by default, as Keras
        has it. `pool`'s own `layout` goes before it.
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work.
    """
    return _keras(ndim, "max", pool_size, strides, padding, data_format, integers)


def _average(
    ndim: int,
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    return _keras(ndim, "avg", pool_size, strides, padding, data_format, integers)


def _global_max(ndim: int, data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.{name}'s specification.

    The output keeps its spatial axes, of length 1, as Keras has it with ``keepdims=True``.

    Parameters
    ----------
    data_format
        As of `MaxPooling1D`.
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work.
    """
    return _global(ndim, "max", data_format, integers)


def _global_average(ndim: int, data_format: str | None = None, **integers: Any) -> PoolSpec:
    return _global(ndim, "avg", data_format, integers)


def _layout(ndim: int, data_format: object) -> dict[str, str]:
    """Return the field that a data format sets."""
    formats = ("channels_first", "channels_last")
    named = choice("data_format", "channels_last" if data_format is None else data_format, formats)
    return {"layout": LAYOUTS[ndim][formats.index(named)]}


def _global(ndim: int, op: str, data_format: object, integers: dict[str, Any]) -> PoolSpec:
    return layer_spec(ndim, op, "global", None, 0, integers, {}, _layout(ndim, data_format))


def _keras(
    ndim: int,
    op: str,
    pool_size: PerAxis,
    strides: PerAxis | None,
    padding: str,
    data_format: object,
    integers: dict[str, Any],
) -> PoolSpec:
    name = padding.lower() if isinstance(padding, str) else ""
    if name not in ("valid", "same"):
        raise SpecError(
            "padding",
            f"padding must be 'valid' or 'same', as in Keras, not {shown(padding)};"
            " PoolSpec takes more.",
        )
    layout = _layout(ndim, data_format)
    return layer_spec(ndim, op, pool_size, strides, name, integers, _NAMES, layout)


_average.__doc__, _global_average.__doc__ = _max.__doc__, _global_max.__doc__
MaxPooling1D, MaxPooling2D, MaxPooling3D = per_axes(_max, "MaxPooling{}D")
AveragePooling1D, AveragePooling2D, AveragePooling3D = per_axes(_average, "AveragePooling{}D")
GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = per_axes(
    _global_max, "GlobalMaxPooling{}D"
)
GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D = per_axes(
    _global_average, "GlobalAveragePooling{}D"
)
