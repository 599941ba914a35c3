"""Pooling layers under the names, arguments and order that Keras gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from typing import Any

from .errors import SpecError, shown
from .fields import LAYOUTS, choice
from .layer_spec import layer_spec
from .spec import PerAxis, PoolSpec

_NAMES = {"kernel": "pool_size", "stride": "strides"}


def MaxPooling1D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.MaxPooling1D's specification.

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
    return _keras(1, "max", pool_size, strides, padding, data_format, integers)


def MaxPooling2D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.MaxPooling2D's specification; otherwise as `MaxPooling1D`."""
    return _keras(2, "max", pool_size, strides, padding, data_format, integers)


def MaxPooling3D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.MaxPooling3D's specification; otherwise as `MaxPooling1D`."""
    return _keras(3, "max", pool_size, strides, padding, data_format, integers)


def AveragePooling1D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.AveragePooling1D's specification; otherwise as `MaxPooling1D`."""
    return _keras(1, "avg", pool_size, strides, padding, data_format, integers)


def AveragePooling2D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.AveragePooling2D's specification; otherwise as `MaxPooling1D`."""
    return _keras(2, "avg", pool_size, strides, padding, data_format, integers)


def AveragePooling3D(
    pool_size: PerAxis = 2,
    strides: PerAxis | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    **integers: Any,
) -> PoolSpec:
    """Return keras.layers.AveragePooling3D's specification; otherwise as `MaxPooling1D`."""
    return _keras(3, "avg", pool_size, strides, padding, data_format, integers)


def GlobalMaxPooling1D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling1D's specification.

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
    return _global(1, "max", data_format, integers)


def GlobalMaxPooling2D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling2D's specification; see `GlobalMaxPooling1D`."""
    return _global(2, "max", data_format, integers)


def GlobalMaxPooling3D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling3D's specification; see `GlobalMaxPooling1D`."""
    return _global(3, "max", data_format, integers)


def GlobalAveragePooling1D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling1D's specification; see `GlobalMaxPooling1D`."""
    return _global(1, "avg", data_format, integers)


def GlobalAveragePooling2D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling2D's specification; see `GlobalMaxPooling1D`."""
    return _global(2, "avg", data_format, integers)


def GlobalAveragePooling3D(data_format: str | None = None, **integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling3D's specification; see `GlobalMaxPooling1D`."""
    return _global(3, "avg", data_format, integers)


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
    return layer_spec(
        ndim, op, pool_size, strides, name, integers, _NAMES, _layout(ndim, data_format)
    )
