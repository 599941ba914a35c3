"""Packages that import their public names when the first of them is asked for."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose names `_public` imports.

    Parameters
    ----------
    package : str
        The package's name. Its module ``_public`` imports every public name and lists it in
        ``__all__``; no name may be that of a module of the package too.
    """

    def get(name: str) -> Any:
        module = sys.modules[package]
        if name == "__all__" or not name.startswith("__"):
            if PathFinder.find_spec(f"{package}.{name}", module.__path__):
                return import_module(f"{package}.{name}")
            public = import_module(f"{package}._public")
            if name == "__all__" or name in public.__all__:
                value = getattr(public, name)
                setattr(module, name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *get("__all__")})

    return get, names
