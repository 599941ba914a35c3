"""Which reader a model file has: by its suffix, checked against what is in the file."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from streampool_golden.errors import shown
from streampool_sim.refusals import Refused

from .layer import Model

Shapes: TypeAlias = Sequence[tuple[int, ...]]
Reader: TypeAlias = Callable[[str, Shapes], Model]
"""Reads what was named, with the shapes of the model's inputs where they were given, in order."""

READERS: dict[str, tuple[str, str]] = {}
"""Per suffix the module that has a ``read``, which is a `Reader`, and the extra that it needs."""


def read_model(name: str, shapes: Shapes = ()) -> Model:
    """Read a model file and list its pooling layers.

    Parameters
    ----------
    name : str
        A file, known by its suffix; of a Python file also the attribute: ``net.py:Net``.
    shapes : sequence of tuple of int, optional
        The shapes of the model's inputs, in order, with the batch; those that the model states
        by default.

    Raises
    ------
    Refused
        If the file is not there or is no model, or its extra is missing.
    """
    path = name.rpartition(":")[0] if ".py:" in name else name
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        known = ", ".join(READERS)
        raise Refused(f"{shown(name)} is no model that can be read; use a file of {known}")
    if not Path(path).is_file():
        raise Refused(f"{path} is not there; use the path of a model file")
    module, extra = READERS[suffix]
    try:
        read: Reader = import_module(module, __package__).read
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        raise Refused(
            f"{path} needs the package {error.name}, which is not installed;"
            f" use `pip install 'streampool[{extra}]'`"
        ) from error
    return read(name, shapes)
