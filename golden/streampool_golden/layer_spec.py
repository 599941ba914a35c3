"""What layers by frameworks' names have in common: their arguments, named in refusals."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from .errors import SpecError
from .spec import PerAxis, PoolSpec

_INTEGERS = ("dtype", "out_dtype", "rounding", "clamp", "saturate", "nan")

P = ParamSpec("P")


def per_axes(
    layer: Callable[Concatenate[int, P], PoolSpec], name: str
) -> tuple[Callable[P, PoolSpec], Callable[P, PoolSpec], Callable[P, PoolSpec]]:
    """Return a layer of one, two and three axes, of which `layer` takes the number first.

    `name` is a format of the layer's name, as is ``{name}`` in the docstring.
    """

    def of(ndim: int) -> Callable[P, PoolSpec]:
        @functools.wraps(layer)
        def made(*args: P.args, **kwargs: P.kwargs) -> PoolSpec:
            return layer(ndim, *args, **kwargs)

        signature = inspect.signature(layer)
        _, *rest = signature.parameters.values()
        made.__name__ = made.__qualname__ = name.format(ndim)
        made.__doc__ = (layer.__doc__ or "").replace("{name}", made.__name__)
        made.__dict__["__signature__"] = signature.replace(parameters=rest)
        return made

    return of(1), of(2), of(3)


def layer_spec(
    ndim: int,
    op: str,
    kernel: PerAxis | str | None,
    stride: PerAxis | None,
    padding: Any,
    integers: dict[str, Any],
    names: dict[str, str],
    rest: dict[str, Any],
) -> PoolSpec:
    """Return the specification; a refusal names the field as the framework does."""
    for name in integers:
        if name not in _INTEGERS:
            raise SpecError(
                name,
                f"{name} is no argument of this layer; on top it takes {', '.join(_INTEGERS)}.",
            )
    try:
        return PoolSpec(op, kernel, stride, padding, ndim=ndim, **rest, **integers)
    except SpecError as error:
        message = str(error)
        for ours, theirs in names.items():
            message = re.sub(rf"\b{ours}\b", theirs, message)
        raise SpecError(names.get(error.field, error.field), message) from None
