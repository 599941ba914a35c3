"""Models of Keras 3: files that hold no code, and models as they run."""

from ..layer import Model
from ..reading import Shapes, needing
from .files import checked

__all__ = ["read"]


def read(name: str, shapes: Shapes = ()) -> Model:
    """Read a ``.keras`` file, after a look at what it would make."""
    checked(name)
    with needing(name, "keras"):
        from .model import KerasModel, loaded
    return KerasModel(loaded(name), shapes, name)
