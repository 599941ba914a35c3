"""TFLite models for tests, made field by field of the schema with flatbuffers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types

TYPES = {
    "float32": 0,
    "int32": 2,
    "uint8": 3,
    "int64": 4,
    "bool": 6,
    "int16": 7,
    "int8": 9,
}
CODES = {
    "ADD": 0,
    "AVERAGE_POOL_2D": 1,
    "L2_POOL_2D": 12,
    "MAX_POOL_2D": 17,
    "RELU": 19,
    "CUSTOM": 32,
    "MEAN": 40,
    "REDUCE_MAX": 82,
    "REDUCE_MIN": 89,
    "IF": 118,
    "VAR_HANDLE": 142,
    "RANDOM_UNIFORM": 148,
    "STABLEHLO_REDUCE_WINDOW": 198,
}
ACTIVATIONS = {"none": 0, "relu": 1, "relu1": 2, "relu6": 3, "tanh": 4}
VERSIONS = {"int8": 2, "uint8": 1, "int16": 3}

Fields = Mapping[int, Any]
"""The fields of a table by number: see `_field`."""


@dataclass
class Tensor:
    """A tensor; `signature` is its shape with -1 where it is dynamic."""

    name: str
    shape: Sequence[int]
    dtype: str = "int8"
    scale: Sequence[float] = (0.5,)
    zero: Sequence[int] = (0,)
    data: bytes | None = None
    signature: Sequence[int] | None = None


@dataclass
class Operator:
    """An operator on tensors by their numbers; `options` are a union's type and its table."""

    op: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: tuple[int, Fields] | None = None
    custom: str | None = None
    version: int = 1


@dataclass
class Graph:
    """A subgraph."""

    tensors: Sequence[Tensor]
    operators: Sequence[Operator]
    inputs: Sequence[int] = (0,)
    outputs: Sequence[int] = (1,)
    name: str = "main"


@dataclass
class Struct:
    """A scalar of a given type in a table: ``Struct("Int8", 3)``."""

    kind: str
    value: Any


@dataclass
class Vector:
    """A vector of scalars of a kind, or of tables, each of which may stand there `times` over."""

    kind: str
    values: Sequence[Any] = field(default_factory=tuple)
    times: int = 1


def pool(
    op: str,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: str = "valid",
    activation: str = "none",
    **more: Any,
) -> Operator:
    """Return a pooling operator from tensor 0 to tensor 1, unless `more` says otherwise."""
    options = {
        0: Struct("Int8", ("same", "valid").index(padding)),
        1: Struct("Int32", stride[1]),
        2: Struct("Int32", stride[0]),
        3: Struct("Int32", kernel[1]),
        4: Struct("Int32", kernel[0]),
        5: Struct("Int8", ACTIVATIONS[activation]),
    }
    return Operator(op, **{"inputs": (0,), "outputs": (1,), "options": (5, options), **more})


def reduce(op: str, axes: int, keep: bool = False, **more: Any) -> Operator:
    """Return a reduction of tensor 0 to tensor 1 along the axes that stand in tensor `axes`."""
    options = (27, {0: Struct("Bool", keep)})
    return Operator(op, **{"inputs": (0, axes), "outputs": (1,), "options": options, **more})


def axes(*values: int) -> Tensor:
    """Return the constant tensor of a reduction's axes."""
    return Tensor("axes", (len(values),), "int32", (), (), np.array(values, "<i4").tobytes())


def model(*graphs: Graph) -> bytes:
    """Return the file of a model."""
    buffers: list[bytes] = [b""]
    codes: list[tuple[str, str | None, int]] = []
    made = [_graph(graph, buffers, codes) for graph in graphs]
    fields = {
        0: Struct("Uint32", 3),
        1: Vector("table", [_code(*code) for code in codes]),
        2: Vector("table", made),
        4: Vector("table", [{0: Vector("Uint8", data)} if data else {} for data in buffers]),
    }
    return written(fields)


def written(fields: Fields) -> bytes:
    """Return the file of a model, given its table."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, fields), b"TFL3")
    return bytes(builder.Output())


def _graph(graph: Graph, buffers: list[bytes], codes: list[tuple[str, str | None, int]]) -> Fields:
    tensors = []
    for tensor in graph.tensors:
        buffers.append(tensor.data or b"")
        made = {
            0: Vector("Int32", tensor.shape),
            1: Struct("Int8", TYPES[tensor.dtype]),
            2: Struct("Uint32", len(buffers) - 1 if tensor.data else 0),
            3: tensor.name,
        }
        if tensor.scale and tensor.dtype != "float32":
            made[4] = {2: Vector("Float32", tensor.scale), 3: Vector("Int64", tensor.zero)}
        if tensor.signature is not None:
            made[7] = Vector("Int32", tensor.signature)
        tensors.append(made)
    operators = []
    for each in graph.operators:
        of_dtype = 1 if each.op == "IF" else VERSIONS.get(graph.tensors[0].dtype, 1)
        code = (each.op, each.custom, max(each.version, of_dtype))
        if code not in codes:
            codes.append(code)
        made = {
            0: Struct("Uint32", codes.index(code)),
            1: Vector("Int32", each.inputs),
            2: Vector("Int32", each.outputs),
        }
        if each.options is not None:
            made |= {3: Struct("Uint8", each.options[0]), 4: each.options[1]}
        operators.append(made)
    return {
        0: Vector("table", tensors),
        1: Vector("Int32", graph.inputs),
        2: Vector("Int32", graph.outputs),
        3: Vector("table", operators),
        4: graph.name,
    }


def _code(op: str, custom: str | None, version: int) -> Fields:
    number = CODES[op]
    fields = {
        0: Struct("Int8", min(number, 127)),
        2: Struct("Int32", version),
        3: Struct("Int32", number),
    }
    return fields if custom is None else {**fields, 1: custom}


def _table(builder: Any, fields: Fields) -> int:
    made = {number: _field(builder, value) for number, value in fields.items()}
    builder.StartObject(max(made, default=-1) + 1)
    for number, value in made.items():
        if isinstance(value, Struct):
            getattr(builder, f"Prepend{value.kind}Slot")(number, value.value, None)
        else:
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
    return builder.EndObject()


def _field(builder: Any, value: Any) -> Any:
    """Write what a field points to, before its table; a scalar is itself."""
    if isinstance(value, Struct):
        return value
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, Mapping):
        return _table(builder, value)
    if value.kind == "table":
        made = [_field(builder, each) for each in value.values] * value.times
        builder.StartVector(4, len(made), 4)
        for each in reversed(made):
            builder.PrependUOffsetTRelative(each)
        return builder.EndVector()
    flags = getattr(number_types, f"{value.kind}Flags")
    builder.StartVector(flags.bytewidth, len(value.values), flags.bytewidth)
    for each in reversed(list(value.values)):
        getattr(builder, f"Prepend{value.kind}")(each)
    return builder.EndVector()
