"""What layers by frameworks' names have in common: their arguments, named in refusals."""

import re
from typing import Any

from .errors import SpecError
from .spec import PerAxis, PoolSpec

_INTEGERS = ("dtype", "out_dtype", "rounding", "clamp", "saturate", "nan")


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
