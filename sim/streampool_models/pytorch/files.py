"""A module that a Python file makes, which is run because it was named."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]  # an extra
from streampool_golden.errors import did_you_mean, shown
from streampool_sim.refusals import Refused
from streampool_sim.signals import Stopped

LOADED = "_streampool_model"
"""What the file is called as a module, so that it hides no other."""


def module_of(path: str, attribute: str) -> Any:
    """Run a file, and return the module that an attribute of it is or makes.

    Parameters
    ----------
    path : str
        The file. The folder that it is in is not searched for what it imports.
    attribute : str
        A `torch.nn.Module`, or a class or function that gives one without arguments.

    Raises
    ------
    Refused
        If the file cannot be run, or there is no such attribute, or it gives no module.
    """
    names = _run(path)
    if attribute not in names:
        models = [name for name, value in names.items() if _makes_module(value)]
        use = did_you_mean(attribute, models) or (
            f"; use one of {', '.join(models)}" if models else "; use a name that the file gives"
        )
        raise Refused(f"{path} has no {shown(attribute)}{use}")
    value = names[attribute]
    if isinstance(value, (torch.nn.Module, torch.export.ExportedProgram)):
        return value
    if not callable(value):
        raise Refused(
            f"{attribute} of {path} is {shown(value)}; use a torch.nn.Module, or what makes one"
        )
    if needed := _needed(value):
        raise Refused(
            f"{attribute} of {path} needs {', '.join(needed)}; use a function without arguments"
            " that makes the module"
        )
    return _guarded(value, f"{attribute} of {path} fails")


def _run(path: str) -> dict[str, Any]:
    """Run a file as a module of its own."""
    spec = importlib.util.spec_from_file_location(LOADED, Path(path).resolve())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[LOADED] = module  # dataclasses look themselves up
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        _guarded(lambda: spec.loader.exec_module(module), f"{path} fails")  # pyright: ignore[reportOptionalMemberAccess]
    finally:
        sys.dont_write_bytecode = written
    return vars(module)


def _guarded(call: Callable[[], Any], what: str) -> Any:
    """Return what a call of the file's own code gives; say in one sentence that it failed."""
    try:
        return call()
    except (KeyboardInterrupt, Stopped):
        raise
    except SystemExit:
        raise Refused(f"{what}: it ends the program; use a file that only defines") from None
    except BaseException as error:  # the file's code may raise anything
        said = " ".join(str(error).split())
        raise Refused(f"{what}: {type(error).__name__}{': ' * bool(said)}{said}") from error


def _makes_module(value: Any) -> bool:
    own = getattr(value, "__module__", None) == LOADED
    return isinstance(value, torch.nn.Module) or (inspect.isclass(value) and own)


def _needed(value: Callable[..., Any]) -> list[str]:
    """Return the arguments that a call cannot do without."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        each.name
        for each in parameters
        if each.default is inspect.Parameter.empty and each.kind not in kinds
    ]
