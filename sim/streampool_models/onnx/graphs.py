"""The nodes of a model with the names that they are listed under, those inside others too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from streampool_golden.errors import cut
from streampool_sim.refusals import Refused

MOST_NODES = 100_000
"""That functions may grow to."""

STANDARD = ("", "ai.onnx")
"""ONNX's own operators."""

Functions = Mapping[tuple[str, str, str], onnx.FunctionProto]


def inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose functions stand where they are called, every node with a name.

    A node of a function is called ``CALL/NODE``. What the calls would grow to is bounded.
    """
    found = onnx.ModelProto()
    found.CopyFrom(model)
    functions = {(f.domain, f.name, f.overload): f for f in model.functions}
    del found.functions[:]
    versions = {each.domain: each.version for each in found.opset_import}
    for function in model.functions:
        for each in function.opset_import:
            if versions.setdefault(each.domain, each.version) == each.version:
                continue
            raise Refused(
                f"the function {cut(function.name)} is of opset {each.version} in a model of"
                f" opset {versions[each.domain]}; use onnx.inliner.inline_local_functions"
            )
    del found.opset_import[:]
    found.opset_import.extend(onnx.helper.make_opsetid(*each) for each in versions.items())
    _Inliner(functions).graph(found.graph)
    return found


class _Inliner:
    def __init__(self, functions: Functions) -> None:
        self._functions, self._nodes, self._calls = functions, 0, 0

    def graph(self, graph: onnx.GraphProto, open_calls: tuple[object, ...] = ()) -> None:
        """Name the nodes of a graph, and put functions where they are called."""
        taken = {node.name for node in graph.node}
        counts: dict[str, int] = {}
        names: set[str] = set()
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            if not node.name:
                node.name = _free(node.op_type, counts, taken)
            elif node.name in names:
                node.name = _free(node.name, counts, taken)
            names.add(node.name)
            taken.add(node.name)
            nodes += self._expanded(node, open_calls)
        del graph.node[:]
        graph.node.extend(nodes)

    def _expanded(
        self, node: onnx.NodeProto, open_calls: tuple[object, ...]
    ) -> list[onnx.NodeProto]:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Refused(
                f"the model's functions call each other to more than {MOST_NODES:,} nodes"
            )
        key = (node.domain, node.op_type, node.overload)
        function = self._functions.get(key)
        if function is None:
            for each in node.attribute:
                for graph in (each.g, *each.graphs) if each.HasField("g") else each.graphs:
                    self.graph(graph, open_calls)
            return [node]
        if key in open_calls:
            raise Refused(f"the model's function {cut(function.name)} calls itself")
        self._calls += 1
        body = onnx.GraphProto()
        body.node.extend(function.node)
        given = {each.name: each for each in (*function.attribute_proto, *node.attribute)}
        renamed = {"": ""}
        for names, places in ((function.input, node.input), (function.output, node.output)):
            for k, name in enumerate(names):
                renamed[name] = places[k] if k < len(places) else ""
        for k, name in enumerate(function.output):  # one that the call does not take
            if k >= len(node.output) or not node.output[k]:
                del renamed[name]
        _rename(body, renamed, f"{node.name}/{self._calls}/", given)
        self.graph(body, (*open_calls, key))
        for inner in body.node:
            inner.name = f"{node.name}/{inner.name}"
        return list(body.node)


def _free(name: str, counts: dict[str, int], taken: set[str]) -> str:
    """Return a name of that beginning that no node has."""
    while True:
        counts[name] = counts.get(name, -1) + 1
        if (made := f"{name}_{counts[name]}") not in taken:
            return made


def _rename(
    graph: onnx.GraphProto,
    renamed: dict[str, str],
    prefix: str,
    given: Mapping[str, onnx.AttributeProto],
) -> None:
    """Give the values of a function's body names of their own, and fill in its attributes."""

    def new(name: str) -> str:
        return renamed.setdefault(name, prefix + name)

    for each in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        each.name = new(each.name)
    for node in graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        for k in reversed(range(len(node.attribute))):
            attribute = node.attribute[k]
            if attribute.ref_attr_name:
                value, name = given.get(attribute.ref_attr_name), attribute.name
                if value is None:
                    del node.attribute[k]
                    continue
                attribute.CopyFrom(value)
                attribute.name = name
            for inner in attribute.graphs:
                _rename(inner, renamed, prefix, given)
            if attribute.HasField("g"):
                _rename(attribute.g, renamed, prefix, given)


@dataclass
class Value:
    """What is known of a value: its element type, 0 where it is not, and its lengths."""

    element: int = 0
    lengths: tuple[int | None, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The lengths where all are known and positive."""
        if self.lengths is None:
            return None
        known = tuple(n for n in self.lengths if n is not None and n > 0)
        return known if len(known) == len(self.lengths) else None


@dataclass
class Scope:
    """A graph, and what is known in it: the values of the graph around it, too."""

    graph: onnx.GraphProto
    versions: Mapping[str, int]
    path: str = ""
    outer: "Scope | None" = None
    makers: dict[str, onnx.NodeProto] = field(init=False)
    users: dict[str, list[onnx.NodeProto]] = field(init=False)

    def __post_init__(self) -> None:
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.users = {}
        for node in self.graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self._tensors = {each.name: each for each in self.graph.initializer}
        self._values = {
            each.name: value_of(each.type)
            for each in (*self.graph.value_info, *self.graph.output, *self.graph.input)
        }

    @property
    def results(self) -> set[str]:
        """The names of what leaves the graph."""
        return {each.name for each in self.graph.output}

    def value(self, name: str) -> Value:
        """Return what is known of a value."""
        if name in self._values:
            return self._values[name]
        if name in self._tensors:
            tensor = self._tensors[name]
            return Value(tensor.data_type, tuple(tensor.dims))
        if self.outer is not None and name not in self.makers:
            return self.outer.value(name)
        return Value()

    def constant(self, name: str) -> np.ndarray | None:
        """Return a value that is constant; None where it is not, or is kept in another file."""
        if name in self._tensors:
            return _array(self._tensors[name])
        node = self.makers.get(name)
        if node is not None:
            if node.op_type == "Identity" and node.domain in STANDARD:
                return self.constant(node.input[0])
            return _constant(node) if node.op_type == "Constant" else None
        return None if self.outer is None else self.outer.constant(name)

    def version(self, domain: str) -> int:
        """Return the opset of a domain; 0 where there is none."""
        if domain in STANDARD:
            return self.versions.get("", self.versions.get("ai.onnx", 1))
        return self.versions.get(domain, 0)


def bodies(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.GraphProto]]:
    """Yield the graphs inside a node, each with its attribute's name."""
    for each in node.attribute:
        if each.HasField("g"):
            yield each.name, each.g
        for k, graph in enumerate(each.graphs):
            yield f"{each.name}[{k}]", graph


def value_of(kind: onnx.TypeProto) -> Value:
    """Return what a type says of a value."""
    tensor = kind.tensor_type
    if not kind.HasField("tensor_type"):
        return Value()
    if not tensor.HasField("shape"):
        return Value(tensor.elem_type)
    lengths = (n.dim_value if n.HasField("dim_value") else None for n in tensor.shape.dim)
    return Value(tensor.elem_type, tuple(lengths))


def _array(tensor: onnx.TensorProto) -> np.ndarray | None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return None
    try:
        return onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):  # what the file says of it does not fit
        return None


def _constant(node: onnx.NodeProto) -> np.ndarray | None:
    for each in node.attribute:
        if each.name == "value":
            return _array(each.t)
        if each.name in ("value_float", "value_int", "value_floats", "value_ints"):
            return np.asarray(onnx.helper.get_attribute_value(each))
    return None
