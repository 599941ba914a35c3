"""streampool: streaming pooling cores, their golden model and their simulation, by one name.

This package only gathers the public names of the packages below it. Each is imported when it is
first asked for, so that what needs no hardware loads none.
"""

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from streampool_golden import *  # noqa: F403
    from streampool_hw import *  # noqa: F403
    from streampool_models import *  # noqa: F403
    from streampool_sim import *  # noqa: F403

_PACKAGES = ("streampool_golden", "streampool_hw", "streampool_sim", "streampool_models")


def __getattr__(name: str) -> _typing.Any:
    if name == "__all__":
        return __dir__()
    for package in _PACKAGES:
        module = _import_module(package)
        if name in module.__all__ or name == "__version__":
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({name for each in _PACKAGES for name in _import_module(each).__all__})
