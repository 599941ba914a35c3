"""Which reader a model file has: by its suffix, checked against what is in the file."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from streampool_golden.errors import shown
from streampool_sim.refusals import Refused

from .layer import Layer, Model

Shapes: TypeAlias = Sequence[tuple[int, ...]]
Reader: TypeAlias = Callable[[str, Shapes], Model]
"""Reads what was named, with the shapes of the model's inputs where they were given, in order."""

READERS: dict[str, tuple[str, str]] = {
    ".onnx": (".onnx", "onnx"),
    ".pt2": (".pytorch", "torch"),
    ".py": (".pytorch", "torch"),
    ".pt": (".pytorch", "torch"),
    ".pth": (".pytorch", "torch"),
    ".keras": (".keras3", "keras"),
    ".tflite": (".tflite", "tflite"),
}
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
    path, _ = split(name)
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise Refused(
            f"{shown(name)} is no model that can be read; use a file of .onnx, .tflite, .keras or"
            " .pt2, or FILE.py:ATTRIBUTE"
        )
    if not Path(path).is_file():
        kind = "a folder" if Path(path).is_dir() else "no plain file"
        what = kind if Path(path).exists() else "not there"
        raise Refused(f"{path} is {what}; use the path of a model file")
    return _reader(suffix, path)(name, shapes)


def split(name: str) -> tuple[str, str]:
    """Return the file that was named and the attribute, ``""`` without one, as in ``net.py:Net``.

    A file that is there by the very name has none.
    """
    path, _, attribute = name.rpartition(":")
    if not path.lower().endswith(".py") or Path(name).is_file():
        return name, ""
    return path, attribute


def from_onnx(model: Any, input_shape: Sequence[Any] = ()) -> Sequence[Layer]:
    """Return the pooling layers of an ONNX model: their names, specifications and shapes.

    Parameters
    ----------
    model : str, path or onnx.ModelProto
        The model's file, or the model.
    input_shape : tuple of int, or sequence of them, optional
        The shape of its input, or of each, in order, with the batch; what it states by default.

    Raises
    ------
    Refused
        If the file is not there or is no model, or its extra is missing.
    """
    shapes = shapes_of(input_shape)
    if isinstance(model, (str, Path)):
        return _reader(".onnx", str(model))(str(model), shapes).layers
    with needing("the model", "onnx"):
        room = import_module(".onnx", __package__)
    return room.OnnxModel(model, shapes).layers


def from_tflite(path: str | Path, input_shape: Sequence[Any] = ()) -> Sequence[Layer]:
    """Return the pooling layers of a TFLite model: their names, specifications and shapes.

    Parameters
    ----------
    path : str or path
        The model's file. Reading it needs no other package.
    input_shape : tuple of int, or sequence of them, optional
        The shape of its input, or of each, in order, with the batch; what it states by default.
        ai-edge-litert works out what follows from another.

    Raises
    ------
    Refused
        If the file is not there or is no model, or its extra is missing.
    """
    return _reader(".tflite", str(path))(str(path), shapes_of(input_shape)).layers


def from_torch(module: Any, input_shape: Sequence[Any] = ()) -> Sequence[Layer]:
    """Return the pooling layers that a PyTorch module calls: names, specifications and shapes.

    The module runs once, on random inputs, as it infers. So a functional call is seen as a layer
    is, a module that is called twice is two layers, and what is not called is none.

    Parameters
    ----------
    module : torch.nn.Module, torch.export.ExportedProgram or str
        What to look into; a text is as on the command line: ``"net.pt2"``, ``"net.py:Net"``.
    input_shape : tuple of int, or sequence of them
        The shape of its input, or of each, in order, with the batch. An archive has one of its
        own.

    Raises
    ------
    Refused
        If it does not run on such inputs, or is no module, or torch is missing.
    """
    if isinstance(module, (str, Path)):
        return read_model(str(module), shapes_of(input_shape)).layers
    with needing("the module", "torch"):
        modules = import_module(".pytorch.modules", __package__)
    return modules.opened(module, shapes_of(input_shape)).layers


def from_keras(model: Any, input_shape: Sequence[Any] = ()) -> Sequence[Layer]:
    """Return the pooling layers that a Keras model calls: names, specifications and shapes.

    Parameters
    ----------
    model : keras.Model, str or path
        A model, or a ``.keras`` file, which is loaded in Keras' safe mode.
    input_shape : tuple of int, or sequence of them, optional
        The shape of its input, or of each, in order, with the batch; what it states by default.

    Raises
    ------
    Refused
        If it is no model, holds code, or does not run on such inputs, or Keras is missing.
    """
    if isinstance(model, (str, Path)):
        return _reader(".keras", str(model))(str(model), shapes_of(input_shape)).layers
    with needing("the model", "keras"):
        keras3 = import_module(".keras3.model", __package__)
    return keras3.KerasModel(model, shapes_of(input_shape)).layers


def shapes_of(given: Sequence[Any]) -> Shapes:
    """Return one shape or several as several."""
    return [tuple(given)] if given and not isinstance(given[0], Sequence) else list(given)


def _reader(suffix: str, path: str) -> Reader:
    """Return the reader of files of a suffix, or say what to install."""
    module, extra = READERS[suffix]
    with needing(path, extra):
        return import_module(module, __package__).read


@contextlib.contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Refuse what needs a package that is not installed, and say which extra has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        raise Refused(
            f"{what} needs the package {error.name}, which is not installed;"
            f" use `pip install 'streampool[{extra}]'`"
        ) from error
