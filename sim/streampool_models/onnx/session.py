"""A model in onnxruntime, as a whole or cut at its pooling layers."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
from streampool_golden.errors import cut
from streampool_sim.refusals import Refused

from .expanding import expand, has_qonnx
from .graphs import bodies, inlined
from .loading import Source, sentence
from .shapes import inputs_of
from .sites import Found

Values = dict[str, np.ndarray]


MOST_BYTES = 1 << 32
"""That a model may take where it runs only to see shapes, which a file can make any size."""


def session(model: str | bytes, *, bounded: bool = False) -> Any:
    """Return a session of a model's path or bytes, which computes node by node, as written.

    Nothing is fused, so that a model gives the same bits as a whole and in parts. One that is
    `bounded` fails where it would take more than `MOST_BYTES`.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if bounded:
        _bounded_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def _bounded_memory() -> None:
    """Make the memory that bounded sessions share, once."""
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    arena = onnxruntime.OrtArenaCfg(MOST_BYTES, -1, -1, -1)
    onnxruntime.create_and_register_allocator(memory, arena)


class Whole:
    """A model's file in onnxruntime."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def run(self, values: Values) -> list[np.ndarray]:
        """Return the outputs."""
        found = self._source.loaded()
        try:
            if not has_qonnx(found.graph):
                return session(self._source.session).run(None, values)
            found = inlined(self._source.whole())
            expand(found.graph)
            return session(found.SerializeToString()).run(None, values)
        except Refused:
            raise
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            raise Refused(f"onnxruntime cannot run {self._source}: {sentence(error)}") from None


class Cut:
    """A model cut into parts that stand before, between and behind its pooling layers.

    A part has all nodes that as many layers come before, on the longest way to them. What follows
    from constants alone is in every part that takes it.
    """

    def __init__(self, source: Source, layers: Sequence[Found]) -> None:
        self._source = source
        self._model = inlined(source.whole())
        expand(self._model.graph)
        graph = self._model.graph
        self.inputs = [each.name for each in inputs_of(graph)]
        self._outputs = [each.name for each in graph.output]
        self._tensors = {each.name: each for each in graph.initializer}
        self._sparse = {each.values.name: each for each in graph.sparse_initializer}
        self._makers = {name: node for node in graph.node for name in node.output if name}
        self._layers = layers
        self._of = {name: each for each in layers for name in each.targets}
        self._levels: dict[str, int | None] = dict.fromkeys(self.inputs, 0)
        self._parts: dict[int, list[onnx.NodeProto]] = {}
        self._cuts: dict[int, list[Found]] = {}
        self._sort()

    def _sort(self) -> None:
        """Find the part of every node and layer."""
        for node in self._model.graph.node:
            layer = next((self._of[name] for name in node.output if name in self._of), None)
            if layer is not None:
                level = self._levels.get(layer.source) or 0
                if layer not in self._cuts.setdefault(level, []):
                    self._cuts[level].append(layer)
                self._levels |= dict.fromkeys(layer.targets, level + 1)
                continue
            levels = [self._levels.get(each) for each in used(node)]
            known = [each for each in levels if each is not None]
            varies = known or node.op_type.startswith("Random")
            level = max(known, default=0) if varies else None
            self._levels |= dict.fromkeys(filter(None, node.output), level)
            if level is not None:
                self._parts.setdefault(level, []).append(node)

    def values(self, names: Sequence[str], values: Values) -> Values:
        """Return some of the values that the model makes."""
        nodes = [node for part in self._parts.values() for node in part]
        return self._run(nodes, names, values, bounded=True)

    def run(self, values: Values, through: Any) -> list[np.ndarray]:
        """Return the outputs, with a function that is given each layer and its arrays."""
        values = dict(values)
        for level in range(max([0, *self._parts, *self._cuts]) + 1):
            nodes = self._parts.get(level, [])
            values |= self._run(nodes, self._wanted(level, nodes), values)
            for layer in self._cuts.get(level, []):
                x = values[layer.source]
                made = self._run(self._within(layer), layer.targets, values)
                given = through(layer, x, tuple(made[name] for name in layer.targets))
                values |= dict(zip(layer.targets, given, strict=True))
        missing = [name for name in self._outputs if name not in values]
        values |= self._run([], missing, values)
        return [values[name] for name in self._outputs]

    def _within(self, layer: Found) -> list[onnx.NodeProto]:
        """Return the nodes that a core takes the place of."""
        waiting, names = list(layer.targets), set[str]()
        while waiting:
            node = self._makers.get(name := waiting.pop())
            if name != layer.source and node is not None and node.name not in names:
                names.add(node.name)
                waiting += used(node)
        return [node for node in self._model.graph.node if node.name in names]

    def _wanted(self, level: int, nodes: Sequence[onnx.NodeProto]) -> list[str]:
        """Return what a part has to give to others."""
        made = {name for node in nodes for name in node.output if name}
        taken = {
            name
            for other, part in self._parts.items()
            if other != level
            for node in part
            for name in used(node)
        }
        taken |= {each.source for each in self._layers} | set(self._outputs)
        return sorted(made & taken)

    def _run(
        self,
        nodes: Sequence[onnx.NodeProto],
        wanted: Iterable[str],
        values: Values,
        *,
        bounded: bool = False,
    ) -> Values:
        """Run some nodes, and return what is wanted of them."""
        wanted = list(wanted)
        if not wanted:
            return {}
        part = onnx.ModelProto()
        part.ir_version = self._model.ir_version
        part.opset_import.extend(self._model.opset_import)
        graph = part.graph
        graph.name = "part"
        made = {name for node in nodes for name in node.output}
        taken = [name for node in nodes for name in used(node)] + wanted
        constants: dict[str, onnx.NodeProto] = {}
        given: dict[str, np.ndarray] = {}
        held: set[str] = set()
        while taken:
            name = taken.pop()
            if not name or name in made or name in given or name in held:
                continue
            if name in self._tensors:
                graph.initializer.append(self._tensors[name])
                held.add(name)
            elif name in self._sparse:
                graph.sparse_initializer.append(self._sparse[name])
                held.add(name)
            elif self._levels.get(name) is None and name in self._makers:
                node = self._makers[name]
                constants[node.name] = node
                made |= set(node.output)
                taken += used(node)
            elif name in values:
                given[name] = values[name]
        order = [node for node in self._model.graph.node if node.name in constants]
        graph.node.extend([*order, *nodes])
        for name, value in given.items():
            element = onnx.helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype)
            graph.input.append(onnx.helper.make_tensor_value_info(name, element, None))
        graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
        try:
            found = session(part.SerializeToString(), bounded=bounded).run(wanted, given)
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            where = cut(nodes[0].name) if nodes else "its constants"
            raise Refused(
                f"onnxruntime cannot run the part of {self._source} from {where} on:"
                f" {sentence(error)}"
            ) from None
        return dict(zip(wanted, found, strict=True))


def used(node: onnx.NodeProto) -> list[str]:
    """Return the values that a node takes, those that the graphs inside it take from around too."""
    return [*filter(None, node.input), *_captured(node)]


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    for _, graph in bodies(node):
        inside = {each.name for each in (*graph.input, *graph.initializer)}
        for inner in graph.node:
            yield from (name for name in used(inner) if name not in inside)
            inside |= set(inner.output)
        yield from (each.name for each in graph.output if each.name not in inside)
