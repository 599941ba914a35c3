"""A pooling node in its graph: its attributes checked, its frames, and what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from streampool_golden import PoolSpec
from streampool_golden.errors import shown

from ..layer import Arrays, Layer, Through
from .attributes import known
from .graphs import STANDARD, Scope, Value

DTYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.BFLOAT16: "bfloat16",
    onnx.TensorProto.INT4: "int4",
    onnx.TensorProto.INT8: "int8",
    onnx.TensorProto.INT16: "int16",
    onnx.TensorProto.INT32: "int32",
    onnx.TensorProto.UINT4: "uint4",
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.UINT16: "uint16",
    onnx.TensorProto.UINT32: "uint32",
}
"""The types of values that a core takes."""


class Unfit(Exception):
    """A node that no core computes; the message is a sentence without its full stop."""


class Unsized(Exception):
    """A node whose specification follows from sizes that are not known."""


@dataclass(frozen=True, eq=False)
class Affine:
    """What integers stand for: ``scale * (q - zero_point)``, one of each or one per channel.

    `dtype` is NumPy's type that holds the integers.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    dtype: np.dtype

    def reals(self, q: np.ndarray) -> np.ndarray:
        """Return what integers with the channels second stand for, as DequantizeLinear has it."""
        scale, zero = self._along(q)
        return ((q.astype(np.int64) - zero).astype(np.float32) * scale).astype(scale.dtype)

    def integers(self, x: np.ndarray) -> np.ndarray:
        """Return the integers that stand for reals, each of which is that of one."""
        scale, zero = self._along(x)
        return (np.rint(x / scale).astype(np.int64) + zero).astype(self.dtype)

    def _along(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (1, -1) + (1,) * (x.ndim - 2)
        return self.scale.reshape(shape), self.zero_point.astype(np.int64).reshape(shape)


@dataclass(frozen=True, eq=False)
class Found:
    """A pooling layer, and where in the graph its core stands.

    It takes the place of all nodes between `source` and `targets`.

    Attributes
    ----------
    layer : Layer
        What it computes.
    node : NodeProto
        The pooling node.
    source : str
        The value that goes into the core.
    targets : tuple of str
        The values that leave: the pooled ones, and their indices.
    last : bool
        Whether the channels are the last axis.
    keepdims : bool
        Whether the pooled axes stay, of length 1, where all are pooled.
    affine_in, affine : Affine or None
        What the core's integers stand for where the graph has reals, coming in and leaving.
    inside : bool
        Whether it is inside of a graph of the model's, and so cannot be run apart.
    value_in, value_out : Value
        What is known of what the pooling node takes and gives.
    """

    layer: Layer
    node: onnx.NodeProto
    source: str
    targets: tuple[str, ...]
    last: bool = False
    keepdims: bool = True
    affine: Affine | None = None
    affine_in: Affine | None = None
    inside: bool = False
    value_in: Value = field(default_factory=Value)
    value_out: Value = field(default_factory=Value)

    @property
    def lengths_out(self) -> tuple[int | None, ...] | None:
        """The lengths of what the pooling node gives, in the graph's order; None where unknown."""
        shape, given = self.layer.out_shape, self.value_in.lengths
        if shape is None or not given:
            return None
        if not self.keepdims:
            return (given[0], shape[0])
        channels, *size = shape
        return (given[0], *size, channels) if self.last else (given[0], channels, *size)

    def frames(self, x: np.ndarray) -> np.ndarray:
        """Return an array of the graph's with the channels first."""
        return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if self.last else x

    def array(self, frames: np.ndarray) -> np.ndarray:
        """Return frames that leave as the graph has them."""
        if not self.keepdims:
            return frames.reshape(frames.shape[:2])
        return np.ascontiguousarray(np.moveaxis(frames, 1, -1)) if self.last else frames

    def through(self, layer: Layer, x: np.ndarray, made: Arrays, through: Through) -> Arrays:
        """Return what goes on in the graph where the layer's arrays go through something.

        `made` is what onnxruntime makes of `x`, and both are as the graph has them.
        """
        x = self.frames(x)
        if self.keepdims:
            values, *others = map(self.frames, made)
        else:
            values, *others = (each.reshape(*each.shape, *(1,) * (x.ndim - 2)) for each in made)
        if self.affine_in is not None:
            x = self.affine_in.integers(x)
        if self.affine is not None:
            values = self.affine.integers(values)
        values, *others = through(layer, x, (values, *others))
        if self.affine is not None:
            values = self.affine.reals(values)
        return tuple(map(self.array, (values, *others)))


@dataclass
class Site:
    """A node that may pool, in its graph."""

    node: onnx.NodeProto
    scope: Scope

    @property
    def name(self) -> str:
        """The name that it is listed under."""
        return self.scope.path + self.node.name

    @property
    def op(self) -> str:
        """Its operator, with the domain where it is not ONNX's own."""
        return self.node.op_type

    @property
    def standard(self) -> bool:
        """Whether its operator is one of ONNX's own."""
        return self.node.domain in STANDARD

    @property
    def version(self) -> int:
        """The opset that its operator is of."""
        return self.scope.version(self.node.domain)

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Its attributes, all of which its operator knows; text as str."""
        attributes = known(self.node, self.version)
        if attributes is None:
            raise Unfit(f"ONNX of opset {self.version} has no {self.op}")
        return self.checked(attributes)

    def checked(self, types: Mapping[str, int]) -> dict[str, Any]:
        """Return the attributes, or refuse those that are not known or of another type."""
        found = {}
        for each in self.node.attribute:
            if each.name not in types:
                of = f" of opset {self.version}" if self.standard else ""
                raise Unfit(f"it has the attribute {shown(each.name)}, which {self.op}{of} has not")
            if each.type != types[each.name]:
                raise Unfit(f"its attribute {each.name} is of the wrong type")
            value = onnx.helper.get_attribute_value(each)
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            found[each.name] = (
                list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            )
        return found

    def input(self, k: int) -> str:
        """Return the name of an input; nothing where it is left out."""
        return self.node.input[k] if k < len(self.node.input) else ""

    def output(self, k: int) -> str:
        """Return the name of an output; nothing where nobody takes it."""
        return self.node.output[k] if k < len(self.node.output) else ""

    @cached_property
    def value(self) -> Value:
        """What is known of what it pools."""
        return self.scope.value(self.input(0))

    def shape(self, *, last: bool = False) -> tuple[int, ...] | None:
        """Return a frame in, channels first; None where a length is not known."""
        lengths = self.value.lengths
        if lengths is None or len(lengths) < 3:
            if lengths is not None:
                raise Unfit(f"its input has {len(lengths)} axes, so none of positions")
            return None
        rest = Value(0, lengths[1:]).shape
        if rest is None:
            return None
        return (rest[-1], *rest[:-1]) if last else rest

    @property
    def dtype(self) -> str | None:
        """The type of what it pools; None where it is not known."""
        return self.dtype_of(self.value.element)

    def dtype_of(self, element: int) -> str | None:
        """Return a type of ONNX's as a specification has it, or refuse it."""
        if not element:
            return None
        if element not in DTYPES:
            names = {number: name for name, number in onnx.TensorProto.DataType.items()}
            name = names.get(element, f"of type {element}").lower()
            raise Unfit(f"its values are {name}, which no core takes; use float32")
        return DTYPES[element]

    def layer(self, spec: PoolSpec | None, shape: tuple[int, ...] | None, **more: Any) -> Layer:
        """Return the layer that it is."""
        return Layer(self.name, self.op, spec, shape, **more)

    def refused(self, reason: str, **more: Any) -> Found:
        """Return the layer that it is without a core."""
        try:
            shape = self.shape()
        except Unfit:
            shape = None
        targets = tuple(name for name in self.node.output if name)
        layer = self.layer(None, shape, reason=reason, **more)
        return self.found(layer, targets=targets)

    def found(self, layer: Layer, **more: Any) -> Found:
        """Return the layer with the node that it is of."""
        usual = {"source": self.input(0), "targets": (self.output(0),)}
        usual |= {"value_in": self.value, "value_out": self.scope.value(self.output(0))}
        return Found(layer, self.node, **(usual | more))
