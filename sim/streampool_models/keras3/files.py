"""A ``.keras`` file before Keras sees it: a zip file with the architecture as JSON.

`keras.saving.load_model` in safe mode refuses what it knows to run code. Here nothing is let
through but Keras' own layers, and of those none that holds Python or reads other files.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from streampool_golden.errors import shown
from streampool_sim.inputs.opening import reason
from streampool_sim.refusals import Refused

from ..zips import member

MOST_JSON = 1 << 26
"""Bytes of an architecture: more than any network's has."""

MOST_RATIO = 200
"""How often larger a member may be than it is in the file: weights hardly shrink."""

SMALL = 1 << 24
"""Bytes up to which it does not matter."""

ARCHITECTURE = "config.json"
WEIGHTS = "model.weights.h5"
USE = "use a file that model.save of Keras 3 wrote"

CODE = {
    "Lambda": "a Lambda layer, whose Python code would have to run; use keras.ops, or from_keras"
    " with the model",
    "__lambda__": "a lambda, whose Python code would have to run; use from_keras with the model",
    "TorchModuleWrapper": "a pickled module of torch, which would have to run; use from_torch",
    "JaxLayer": "a function of JAX, which would have to run; use from_keras with the model",
    "FlaxLayer": "a module of Flax, which would have to run; use from_keras with the model",
    "TFSMLayer": "a TensorFlow SavedModel of another place; use from_keras with the model",
}
"""Classes of Keras that hold code, and what to use instead."""

OWN = ("keras", "builtins")
"""Packages whose classes and functions an architecture may name."""


def checked(path: str) -> None:
    """Refuse a file that is no model of Keras 3, or that would run code.

    Raises
    ------
    Refused
        With one sentence that says what it holds and what to use.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = {info.filename: info for info in file.infolist()}
            for info in members.values():
                _check_size(path, info)
            if ARCHITECTURE not in members:
                raise Refused(f"{path} has no {ARCHITECTURE}, so it is no model of Keras 3; {USE}")
            text = member(file, ARCHITECTURE)
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise Refused(
            f"{path} is no model of Keras 3, which is a zip file: {shown(str(error))}; {USE}"
        ) from None
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from None
    try:
        architecture = json.loads(text)
        if not isinstance(architecture, dict) or "class_name" not in architecture:
            raise ValueError("it names no class")
        for each in _objects(architecture):
            _check_object(path, each)
    except (ValueError, RecursionError, TypeError) as error:
        raise Refused(f"{ARCHITECTURE} of {path} is damaged: {shown(str(error))}; {USE}") from None


def _check_size(path: str, info: zipfile.ZipInfo) -> None:
    """Refuse a member that is far larger than it is stored."""
    most = (
        MOST_JSON
        if info.filename.endswith(".json")
        else max(SMALL, info.compress_size * MOST_RATIO)
    )
    if info.file_size > most:
        raise Refused(
            f"{path} says that its {shown(info.filename)} has {info.file_size:,} bytes, more than"
            f" the {most:,} that are read; {USE}"
        )


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object of an architecture, those within others too."""
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, Mapping):
            yield here
            stack += here.values()
        elif isinstance(here, list):
            stack += here


def _check_object(path: str, each: Mapping[str, Any]) -> None:
    """Refuse an object that is not Keras' own, or would run code or read another file."""
    name, module = each.get("class_name"), each.get("module")
    if name is None and "vocabulary" not in each:
        return
    config = each.get("config")
    called = config.get("name") if isinstance(config, Mapping) else None
    named = f" ({shown(called)})" if called else ""
    if name in CODE:
        raise Refused(f"{path} has {CODE[str(name)].replace('; use', f'{named}; use', 1)}")
    if isinstance(each.get("vocabulary"), str):
        raise Refused(f"{path} names a file of a vocabulary, {shown(each['vocabulary'])}; {USE}")
    if isinstance(module, str) and module.partition(".")[0] not in OWN:
        raise Refused(
            f"{path} has {shown(name)} of {shown(module)}{named}, whose Python is not in the file;"
            " use from_keras with the model"
        )
    registered = each.get("registered_name")
    if module is None and registered is not None and name != registered:
        raise Refused(
            f"{path} has {shown(registered)}{named}, a class of its author's own, whose Python is"
            " not in the file; use from_keras with the model"
        )
