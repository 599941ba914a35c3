"""TFLite models in LiteRT: whole, or cut at their pooling layers."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import flatbuffers
import numpy as np
from streampool_sim.refusals import Refused

from ..layer import Arrays
from .layers import Place
from .schema import Graph, Operator

Interpreter: Any = import_module("ai_edge_litert.interpreter").Interpreter
schema: Any = import_module("ai_edge_litert.schema_py_generated")

STATEFUL = ("VAR_HANDLE", "CALL_ONCE", "HASHTABLE", "RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL")
"""Operators whose results depend on more than their inputs, or that keep a state for others."""

Core: TypeAlias = Callable[[Place, np.ndarray, Arrays], Arrays]
"""What a layer's activations go through, by its place: see `Through`."""

Values: TypeAlias = dict[int, np.ndarray]
"""Arrays by the numbers of their tensors."""


@contextlib.contextmanager
def _said(name: str) -> Iterator[None]:
    """Refuse what LiteRT refuses, in one sentence."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())[:200].rstrip(".")
        raise Refused(f"LiteRT does not run {name}: {text}") from None


def shapes_of(
    data: bytes, graph: Graph, shapes: Sequence[tuple[int, ...]], name: str
) -> dict[int, tuple[int, ...]]:
    """Return the shapes of a graph's tensors, given those of its inputs."""
    with _said(name):
        interpreter = Interpreter(model_content=data)
        for tensor, shape in zip(graph.inputs, shapes, strict=True):
            interpreter.resize_tensor_input(tensor, shape)
        interpreter.allocate_tensors()
        details = interpreter.get_tensor_details()
    return {each["index"]: tuple(each["shape"].tolist()) for each in details if each["index"] >= 0}


@dataclass
class Segment:
    """Some operators of a model as a model of its own, with its tensors' own numbers."""

    data: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    place: Place | None = None

    def __post_init__(self) -> None:
        self._interpreter = Interpreter(model_content=self.data)
        self._shapes: tuple[tuple[int, ...], ...] | None = None

    def run(self, values: Values) -> Values:
        """Return the outputs, given at least the inputs."""
        shapes = tuple(values[tensor].shape for tensor in self.inputs)
        if shapes != self._shapes:
            for tensor, shape in zip(self.inputs, shapes, strict=True):
                self._interpreter.resize_tensor_input(tensor, shape)
            self._interpreter.allocate_tensors()
            self._shapes = shapes
        for tensor in self.inputs:
            self._interpreter.set_tensor(tensor, values[tensor])
        self._interpreter.invoke()
        return {tensor: self._interpreter.get_tensor(tensor) for tensor in self.outputs}


class Runner:
    """A model in LiteRT.

    Cut at its pooling layers it is a chain of models, each with the operators between two of them
    or with one of them, so that the rest runs as it does in the whole.
    """

    def __init__(self, data: bytes, graph: Graph, places: Sequence[Place], name: str) -> None:
        self._data, self._graph, self._name = data, graph, name
        self._places = {place.operator: place for place in places if place.layer.out_shape}
        self._whole: Segment | None = None
        self._segments: list[Segment] | None = None

    def run(self, inputs: Sequence[np.ndarray], through: Core | None) -> list[np.ndarray]:
        """Run it; see `Model.run`."""
        graph = self._graph
        if len(inputs) != len(graph.inputs):
            raise Refused(
                f"{self._name} has {len(graph.inputs)} inputs, and {len(inputs)} are given;"
                " use one array for each"
            )
        values = {
            tensor: self._quantised(tensor, array)
            for tensor, array in zip(graph.inputs, inputs, strict=True)
        }
        with _said(self._name):
            for segment in self._cut() if through else self._uncut():
                given = segment.run(values)
                if segment.place is not None and through is not None:
                    given = _through(through, segment, values, given)
                values |= given
        return [values[tensor] for tensor in graph.outputs]

    def _quantised(self, number: int, array: np.ndarray) -> np.ndarray:
        """Return an input in its tensor's type; reals are quantised where it is quantised."""
        tensor = self._graph.tensors[number]
        if array.dtype == tensor.dtype:
            return np.ascontiguousarray(array)
        if array.dtype == np.uint8 and tensor.scales:
            array = array / np.float64(255)
        if array.dtype.kind == "f" and len(tensor.scales) == 1:
            info = np.iinfo(tensor.dtype)
            real = array.astype(np.float64) / tensor.scales[0] + tensor.zero_points[0]
            return np.clip(np.rint(real), info.min, info.max).astype(tensor.dtype)
        if tensor.dtype == "float32" and array.dtype.kind in "fiu":
            return array.astype(np.float32)
        raise Refused(
            f"the input {tensor.name} is of {tensor.dtype}, and what is given of {array.dtype};"
            f" use {tensor.dtype}"
        )

    def _uncut(self) -> list[Segment]:
        if self._whole is None:
            self._whole = Segment(self._data, self._graph.inputs, self._graph.outputs)
        return [self._whole]

    def _cut(self) -> list[Segment]:
        """Return the model's segments, with the pooling layers each by itself."""
        if self._segments is None:
            self._check_stateless()
            self._uncut()  # LiteRT checks the whole file
            cutter = _Cutter(self._data, self._graph)
            self._segments = []
            start = 0
            for number in [*sorted(self._places), len(self._graph.operators)]:
                if number > start:
                    self._segments.append(cutter.segment(start, number))
                if number in self._places:
                    segment = cutter.segment(number, number + 1)
                    segment.place = self._places[number]
                    self._segments.append(segment)
                start = number + 1
        return self._segments

    def _check_stateless(self) -> None:
        for operator in self._graph.operators:
            variable = any(
                self._graph.tensors[each].variable for each in operator.inputs if each >= 0
            )
            if variable or operator.op in STATEFUL:
                raise Refused(
                    f"{self._name} keeps a state or draws numbers ({operator.op}), and cannot be"
                    " cut at its pooling layers; use it without --run"
                )


class _Cutter:
    """Makes models of some of a model's operators."""

    def __init__(self, data: bytes, graph: Graph) -> None:
        self._graph = graph
        self._model: Any = schema.ModelT.InitFromPackedBuf(data, 0)
        self._model.signatureDefs = self._model.metadata = None
        self._absent = schema.TensorT()
        self._absent.name, self._absent.shape = "absent", [1]

    def segment(self, start: int, end: int) -> Segment:
        """Return the operators from `start` to before `end`."""
        operators = self._graph.operators
        given = _numbers(operators[:start], "outputs") | set(self._graph.inputs)
        within = _numbers(operators[start:end], "outputs")
        taken = _numbers(operators[start:end], "inputs")
        wanted = _numbers(operators[end:], "inputs") | set(self._graph.outputs)
        inputs, outputs = tuple(sorted(taken & given)), tuple(sorted(within & wanted))
        model = copy.copy(self._model)
        graph = copy.copy(model.subgraphs[0])
        model.subgraphs = [graph, *model.subgraphs[1:]]
        graph.operators = graph.operators[start:end]
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        graph.tensors = [
            tensor if number in taken | within else self._absent
            for number, tensor in enumerate(graph.tensors)
        ]
        used = {tensor.buffer for each in model.subgraphs for tensor in each.tensors}
        empty = schema.BufferT()
        model.buffers = [
            buffer if number in used else empty for number, buffer in enumerate(model.buffers)
        ]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return Segment(bytes(builder.Output()), inputs, outputs)


def _numbers(operators: Sequence[Operator], end: str) -> set[int]:
    """Return the tensors at an end of operators."""
    return {number for operator in operators for number in getattr(operator, end) if number >= 0}


def _through(through: Core, segment: Segment, values: Values, given: Values) -> Values:
    """Return what a pooling layer gives when its activations go through something else."""
    place = segment.place
    assert place is not None and place.layer.out_shape is not None
    [number], x = segment.outputs, values[segment.inputs[0]]
    order = (0, place.channel, *place.spatial)
    sizes = iter(place.layer.out_shape[1:])
    kept = tuple(
        next(sizes) if axis in place.spatial else size for axis, size in enumerate(x.shape)
    )
    y = given[number].reshape(kept)
    made, *_ = through(place, np.transpose(x, order), (np.transpose(y, order),))
    back = np.transpose(made, np.argsort(order))
    return {number: np.ascontiguousarray(back.reshape(given[number].shape).astype(y.dtype))}
