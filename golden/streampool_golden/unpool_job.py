"""What a MaxUnpool core is made for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import fields
from .arrays import checked
from .dtypes import DType
from .errors import SpecError
from .geometry import MOST_POSITIONS
from .job import Field, Job
from .unpooling import unpool


@dataclass(frozen=True, init=False)
class UnpoolJob(Job):
    """What a MaxUnpool core has to do: frames of values and indices in, sparse maps out.

    Parameters
    ----------
    shape : tuple of int
        A frame in: channels, then the spatial lengths, ``(C, *size)``.
    size : tuple of int
        The spatial lengths of a frame out. Indices are torch's: positions in its plane.
    lanes : int, optional
        Channels side by side in a beat; the channels, 8 at most, by default.
    dtype : str, optional
        The values' type, ``"int8"`` by default; a `DType` as an attribute.

    Raises
    ------
    SpecError
        If a value is not what it must be.
    """

    shape: tuple[int, ...]
    out_size: tuple[int, ...]
    lanes: int
    dtype: DType

    def __init__(
        self,
        shape: Sequence[int],
        size: Sequence[int],
        lanes: int | None = None,
        dtype: object = "int8",
    ) -> None:
        size = fields.lengths("size", size)
        self._put(op="unpool", kind="MaxUnpool", out_size=size, dtype=DType.of(dtype))
        self._put_frame(shape, len(size), lanes)
        if self.limit_cycles > MOST_POSITIONS:
            raise SpecError(
                "size",
                f"size {size} makes frames of {self.limit_cycles} beats;"
                f" use at most {MOST_POSITIONS}.",
            )

    @property
    def fields_in(self) -> tuple[Field, ...]:
        """Per lane a value and its index, whose port holds one that is out of range too."""
        index = DType.holding(0, math.prod(self.out_size) - 1)
        return Field("data", self.dtype, self.dtype), Field("index", index, self.index_in)

    @property
    def fields_out(self) -> tuple[Field, ...]:
        """Per lane a value."""
        return (Field("data", self.dtype, self.dtype),)

    @cached_property
    def index_in(self) -> DType:
        """The type of an index at the core: wide enough for one that is out of range."""
        return DType.holding(0, math.prod(self.out_size))

    def to_json(self) -> dict[str, Any]:
        """Return what makes it, and ``"op": "unpool"``, as a dict that `json.dumps` takes."""
        return {
            "op": self.op,
            "shape": list(self.shape),
            "size": list(self.out_size),
            "lanes": self.lanes,
            "dtype": self.dtype.name,
        }

    def reference(self, *arrays: Any) -> tuple[np.ndarray, ...]:
        """Return what `unpool` makes of the values and indices of frames."""
        values, indices = arrays
        values = checked(self.dtype, self._frames("values", values))
        return (unpool(values, self._frames("indices", indices), self.out_size),)
