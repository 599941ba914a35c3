"""Specifications told from frameworks' layers, which have the same names as ours."""

from . import keras_layers, torch_layers
from .errors import SpecError, shown
from .spec import PoolSpec


def specification(spec: object) -> PoolSpec:
    """Return a specification, or refuse what is none and say what to use."""
    if isinstance(spec, PoolSpec):
        return spec
    name = type(spec).__name__
    ours = hasattr(torch_layers, name) or hasattr(keras_layers, name)
    use = f"{name} of streampool, which takes the same arguments" if ours else "PoolSpec"
    raise SpecError("spec", f"spec must be a PoolSpec, not {shown(spec)}; use {use}.")
