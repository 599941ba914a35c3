"""Packages that import their public names when the first of them is asked for."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose public names `_public` imports.

    Its names are those of ``_public`` without an underscore in front, each imported ``as`` itself,
    which tells type checkers that it is public. None may be that of a module of the package too.
    """

    def get(name: str) -> Any:
        module = sys.modules[package]
        if name == "__all__" or not name.startswith("_"):
            if PathFinder.find_spec(f"{package}.{name}", module.__path__):
                return import_module(f"{package}.{name}")
            public = vars(import_module(f"{package}._public"))
            names = [each for each in public if not each.startswith("_")]
            if name == "__all__" or name in names:
                value = names if name == "__all__" else public[name]
                setattr(module, name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *get("__all__")})

    return get, names
