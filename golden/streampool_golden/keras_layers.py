"""Pooling layers under the names, arguments and order that Keras gives them.

Each returns a `PoolSpec`. What integers and floats need on top (``dtype``,
``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan``) goes by keyword.
"""

from typing import Any

from .errors import SpecError, shown
from .layer_spec import layer_spec
from .spec import PerAxis, PoolSpec

_NAMES = {"kernel": "pool_size", "stride": "strides"}


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


def MaxPooling3D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.MaxPooling3D's specification; otherwise as `MaxPooling1D`."""
    return _keras(3, "max", pool_size, strides, padding, integers)


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


def AveragePooling3D(
    pool_size: PerAxis = 2, strides: PerAxis | None = None, padding: str = "valid", **integers: Any
) -> PoolSpec:
    """Return keras.layers.AveragePooling3D's specification; otherwise as `MaxPooling1D`."""
    return _keras(3, "avg", pool_size, strides, padding, integers)


def GlobalMaxPooling1D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling1D's specification.

    The output keeps its spatial axes, of length 1, as Keras has it with ``keepdims=True``.

    Parameters
    ----------
    **integers
        ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate`` of `PoolSpec`.

    Raises
    ------
    SpecError
        If a value cannot work.
    """
    return _global(1, "max", integers)


def GlobalMaxPooling2D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling2D's specification; see `GlobalMaxPooling1D`."""
    return _global(2, "max", integers)


def GlobalMaxPooling3D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalMaxPooling3D's specification; see `GlobalMaxPooling1D`."""
    return _global(3, "max", integers)


def GlobalAveragePooling1D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling1D's specification; see `GlobalMaxPooling1D`."""
    return _global(1, "avg", integers)


def GlobalAveragePooling2D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling2D's specification; see `GlobalMaxPooling1D`."""
    return _global(2, "avg", integers)


def GlobalAveragePooling3D(**integers: Any) -> PoolSpec:
    """Return keras.layers.GlobalAveragePooling3D's specification; see `GlobalMaxPooling1D`."""
    return _global(3, "avg", integers)


def _global(ndim: int, op: str, integers: dict[str, Any]) -> PoolSpec:
    return layer_spec(ndim, op, "global", None, 0, integers, {}, {})


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
    return layer_spec(ndim, op, pool_size, strides, name, integers, _NAMES, {})
