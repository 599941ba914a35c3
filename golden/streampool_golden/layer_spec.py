"""What layers by frameworks' names have in common: their arguments, named in refusals."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from .errors import SpecError, did_you_mean
from .spec import PoolSpec

_INTEGERS = ("dtype", "out_dtype", "rounding", "clamp", "saturate", "nan")
_ENDING = """
**integers
    ``dtype``, ``out_dtype``, ``rounding``, ``clamp``, ``saturate``, ``nan`` of `PoolSpec`.

Returns
-------
PoolSpec

Raises
------
SpecError
    If a value cannot work, or the framework would refuse it.
"""

P = ParamSpec("P")


def per_axes(
    layer: Callable[Concatenate[int, str, P], PoolSpec], op: str, name: str
) -> tuple[Callable[P, PoolSpec], Callable[P, PoolSpec], Callable[P, PoolSpec]]:
    """Return a layer of one, two and three axes, of which `layer` takes number and operation first.

    `name` is a format of the layer's name, as is ``{name}`` in the docstring.
    """

    def of(ndim: int) -> Callable[P, PoolSpec]:
        @functools.wraps(layer)
        def made(*args: P.args, **kwargs: P.kwargs) -> PoolSpec:
            return layer(ndim, op, *args, **kwargs)

        signature = inspect.signature(layer)
        _, _, *rest = signature.parameters.values()
        made.__name__ = made.__qualname__ = name.format(ndim)
        made.__doc__ = (inspect.getdoc(layer) or "").replace("{name}", made.__name__) + _ENDING
        made.__dict__["__signature__"] = signature.replace(parameters=rest)
        return made

    return of(1), of(2), of(3)


def layer_spec(names: dict[str, str], integers: dict[str, Any], **fields: Any) -> PoolSpec:
    """Return the specification; a refusal names the field as the framework does in `names`."""
    for name in integers:
        if name not in _INTEGERS:
            use = did_you_mean(name, _INTEGERS) or f"; use one of {', '.join(_INTEGERS)}"
            raise SpecError(name, f"{name} is no argument of this layer{use}.")
    try:
        return PoolSpec(**fields, **integers)
    except SpecError as error:
        message = str(error)
        for ours, theirs in names.items():
            message = re.sub(rf"\b{ours}\b", theirs, message)
        raise SpecError(names.get(error.field, error.field), message) from None
