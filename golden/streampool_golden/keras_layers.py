"""Pooling layers under the names, arguments and order that Keras gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from typing import Any

from .errors import wrong
from .fields import LAYOUTS, choice
from .layer_spec import layer_spec, per_axes
from .spec import PerAxis, PoolSpec

_NAMES = {"kernel": "pool_size", "stride": "strides"}
_FORMATS = ("channels_first", "channels_last")


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

    Parameters
    ----------
    pool_size, strides, padding
        As Keras has them; `padding` is ``"valid"`` or ``"same"``.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes of an array that `pool` is given: channels last by default, as Keras
        has it. `pool`'s own `layout` goes before it.
    """
    name = padding.lower() if isinstance(padding, str) else ""
    if name not in ("valid", "same"):
        raise wrong("padding", "'valid' or 'same', as in Keras", padding, "; use PoolSpec for more")
    fields = {"kernel": pool_size, "stride": strides, "padding": name}
    return _spec(ndim, op, data_format, integers, **fields)


def _global(ndim: int, op: str, data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.{name}'s specification.

    The output keeps its spatial axes, of length 1, as Keras has it with ``keepdims=True``.

    Parameters
    ----------
    data_format
        As of `MaxPooling1D`.
    """
    return _spec(ndim, op, data_format, integers, kernel="global")


def _spec(
    ndim: int, op: str, data_format: object, integers: dict[str, Any], **fields: Any
) -> PoolSpec:
    named = choice("data_format", "channels_last" if data_format is None else data_format, _FORMATS)
    layout = LAYOUTS[ndim][_FORMATS.index(named)]
    return layer_spec(_NAMES, integers, ndim=ndim, op=op, layout=layout, **fields)


MaxPooling1D, MaxPooling2D, MaxPooling3D = per_axes(_pooling, "max", "MaxPooling{}D")
AveragePooling1D, AveragePooling2D, AveragePooling3D = per_axes(
    _pooling, "avg", "AveragePooling{}D"
)
GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = per_axes(
    _global, "max", "GlobalMaxPooling{}D"
)
GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D = per_axes(
    _global, "avg", "GlobalAveragePooling{}D"
)
