"""What is read of a TFLite model: its graphs, their tensors and operators."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .flat import Damaged, Table
from .names import OPERATORS, TYPES


@dataclass(frozen=True)
class Tensor:
    """A value of a graph.

    `shape` has None where the size is only known when the model runs, and is None where not even
    the number of axes is; `scales` and `zero_points` are empty where it is not quantised.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    variable: bool
    constant: Callable[[], bytes]

    def integers(self) -> tuple[int, ...] | None:
        """Return the values of a constant of indices; None where it is none."""
        if self.shape == (0,):
            return ()
        data = self.constant()
        width = {"int32": 4, "int64": 8}.get(self.dtype)
        if width is None or not data or len(data) % width or len(data) > 64 * width:
            return None
        return tuple(np.frombuffer(data, f"<i{width}").tolist())


@dataclass(frozen=True)
class Operator:
    """An operator of a graph, on tensors by their numbers; -1 is one that is left out."""

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kind: int
    options: Table | None


@dataclass(frozen=True)
class Graph:
    """A graph: the first of a file is the model, the others are bodies of its control flow."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def resized(self, shapes: dict[int, tuple[int, ...]]) -> "Graph":
        """Return it with the shapes that some of its tensors have when it runs."""
        tensors = [
            replace(tensor, shape=shapes.get(i, tensor.shape))
            for i, tensor in enumerate(self.tensors)
        ]
        return replace(self, tensors=tuple(tensors))


class File:
    """A model file, whose graphs are read when they are asked for.

    Raises
    ------
    Damaged
        If it is no TFLite file, or says what cannot be; of any of its members.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._root = Table.root(data, b"TFL3")

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        """The graphs; at least one."""
        version = self._root.scalar(0, "<u4")
        if version != 3:
            raise Damaged(f"it is of version {version}, and 3 is what there is")
        tables = self._root.tables(2)
        if not tables:
            raise Damaged("it has no graph")
        return tuple(self._graph(table) for table in tables)

    @cached_property
    def _codes(self) -> list[str]:
        return [_code(table) for table in self._root.tables(1)]

    @cached_property
    def _buffers(self) -> list[Table]:
        return self._root.tables(4)

    def _graph(self, table: Table) -> Graph:
        tensors = tuple(self._tensor(each) for each in table.tables(0))
        inputs, outputs = (_numbers(table, field, len(tensors), 0) for field in (1, 2))
        operators = tuple(self._operator(each, len(tensors)) for each in table.tables(3))
        return Graph(table.text(4), tensors, operators, inputs, outputs)

    def _tensor(self, table: Table) -> Tensor:
        kind = table.scalar(1, "i1")
        if not 0 <= kind < len(TYPES):
            raise Damaged(f"it has a tensor of type {kind}, and {len(TYPES) - 1} is the last")
        quantised = table.table(4)
        scales = () if quantised is None else quantised.vector(2, "<f4").tolist()
        zeros = () if quantised is None else quantised.vector(3, "<i8").tolist()
        number = table.scalar(2, "<u4")
        return Tensor(
            table.text(3),
            _shape(table),
            TYPES[kind],
            tuple(scales),
            tuple(zeros),
            bool(table.scalar(5, "u1")),
            lambda: self._constant(number),
        )

    def _operator(self, table: Table, tensors: int) -> Operator:
        code = table.scalar(0, "<u4")
        if code >= len(self._codes):
            raise Damaged(f"it has an operator of code {code}, and {len(self._codes)} codes")
        inputs, outputs = (_numbers(table, field, tensors, -1) for field in (1, 2))
        kind, options = table.scalar(3, "u1"), table.table(4)
        return Operator(self._codes[code], inputs, outputs, kind, options)

    def _constant(self, number: int) -> bytes:
        """Return what is in a buffer; nothing where a tensor is no constant."""
        if number >= len(self._buffers):
            raise Damaged(f"it has a tensor in buffer {number}, and {len(self._buffers)} buffers")
        buffer = self._buffers[number]
        start, size = buffer.scalar(1, "<u8"), buffer.scalar(2, "<u8")
        if start > 1:  # of files beyond 2 GiB, which keep the data behind the tables
            if start + size > len(self._data):
                raise Damaged(f"buffer {number} is not in it")
            return self._data[start : start + size]
        return buffer.vector(0, "u1").tobytes()


def _code(table: Table) -> str:
    """Return the name of an operator, or what a custom one is called."""
    number = max(table.scalar(0, "i1"), table.scalar(3, "<i4"))
    if not 0 <= number < len(OPERATORS):
        return f"operator {number}"
    name = OPERATORS[number]
    return f"CUSTOM {table.text(1)}" if name == "CUSTOM" else name


def _shape(table: Table) -> tuple[int | None, ...] | None:
    """Return a tensor's shape, without the sizes that its signature leaves open."""
    shape, signature = table.vector(0, "<i4").tolist(), table.vector(7, "<i4").tolist()
    if len(signature) == len(shape):
        shape = signature
    if not shape and not table.scalar(8, "u1"):
        return None
    return tuple(None if size < 0 else size for size in shape)


def _numbers(table: Table, field: int, count: int, least: int) -> tuple[int, ...]:
    """Return the numbers of tensors that a field has."""
    numbers = table.vector(field, "<i4").tolist()
    for number in numbers:
        if not least <= number < count:
            raise Damaged(f"it names tensor {number}, and has {count:,}")
    return tuple(numbers)
