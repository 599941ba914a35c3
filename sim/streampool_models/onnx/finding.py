"""The pooling layers of a model's graphs, in its order, with the shapes of a run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import onnx
from streampool_golden import SpecError
from streampool_golden.errors import cut

from ..layer import UNSIZED
from .graphs import Scope, bodies
from .pools import POOLS, contrib
from .shapes import QONNX, inferred, put_value
from .sites import Found, Site, Unfit, Unsized

SHAPED = "streampool.shaped"
"""The domain of nodes whose shapes are put into the graph, as ONNX would infer others or none."""

Actual = Callable[[list[str]], dict[str, np.ndarray]]
"""Returns values of the graph by name, as the runtime makes them; none where it cannot."""


def found(model: onnx.ModelProto, actual: Actual | None = None) -> list[Found]:
    """Return the pooling layers of a model without functions, whose inputs' shapes are there.

    Shapes are ONNX's, but those behind a pooling are by the layer's own rule, as ONNX's below
    opset 22 has another ceil mode than onnxruntime. Where ONNX does not know, `actual` is asked.
    """
    search = _Search(model)
    layers = search.layers()
    sources = [each.source for each in layers if each.layer.shape is None and not each.inside]
    if sources and actual is not None and search.put_actual(actual(sources)):
        layers = search.layers()
    return layers


class _Search:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(model)
        self._model.opset_import.append(onnx.helper.make_opsetid(SHAPED, 1))
        self._places = dict(_places(self._model.graph))
        self._original: dict[str, onnx.NodeProto] = {}
        for name, (_, node) in self._places.items():
            if node.domain in QONNX and node.input:  # what ONNX knows: it keeps the shape
                self._hide(name).op_type = "Identity"
                node.domain = ""
                del node.input[1:], node.attribute[:]

    def layers(self) -> list[Found]:
        """Return the layers, with the shapes that they have when the model runs."""
        layers: list[Found] = []
        for _ in range(len(self._places) + 1):  # the shapes settle from the front
            known = inferred(self._model)
            for name, (_, node) in _places(known.graph):
                if name in self._original:
                    node.CopyFrom(self._original[name])
            layers = list(_layers(_main(known)))
            if not self._put_outputs(layers):
                break
        return layers

    def put_actual(self, values: Mapping[str, np.ndarray]) -> bool:
        """Put shapes that were seen into the graph; return whether there are any."""
        for name, value in values.items():
            element = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
            put_value(self._model.graph, name, element, value.shape)
        return bool(values)

    def _put_outputs(self, layers: list[Found]) -> bool:
        """Put what leaves the layers into the graph where ONNX has it otherwise."""
        changed = False
        for each in layers:
            lengths = each.lengths_out
            if lengths is None or each.value_out.lengths == lengths:
                continue
            graph, _ = self._places[each.layer.name]
            node = self._hide(each.layer.name)
            node.domain = SHAPED
            for name in filter(None, each.node.output):
                index = name != each.node.output[0]
                element = onnx.TensorProto.INT64 if index else each.value_out.element
                put_value(graph, name, element or each.value_in.element, lengths)
            changed = True
        return changed

    def _hide(self, name: str) -> onnx.NodeProto:
        """Return a node to be changed; it is kept as it was the first time."""
        _, node = self._places[name]
        if name not in self._original:
            self._original[name] = onnx.NodeProto()
            self._original[name].CopyFrom(node)
        return node


def _places(
    graph: onnx.GraphProto, path: str = ""
) -> Iterator[tuple[str, tuple[onnx.GraphProto, onnx.NodeProto]]]:
    """Yield every node by the name that it is listed under, with its graph."""
    for node in graph.node:
        yield path + node.name, (graph, node)
        for attribute, inner in bodies(node):
            yield from _places(inner, f"{path}{node.name}/{attribute}/")


def _main(model: onnx.ModelProto) -> Scope:
    return Scope(model.graph, {each.domain: each.version for each in model.opset_import})


def _layers(scope: Scope) -> Iterator[Found]:
    for node in scope.graph.node:
        layer = _layer(Site(node, scope))
        if layer is not None:
            yield layer if scope.outer is None else replace(layer, inside=True)
        for attribute, graph in bodies(node):
            path = f"{scope.path}{node.name}/{attribute}/"
            yield from _layers(Scope(graph, scope.versions, path, scope))


def _layer(site: Site) -> Found | None:
    """Return the layer of a node; None where it pools nothing."""
    pool = POOLS.get(site.op) if site.standard else None
    try:
        if pool is not None:
            return pool(site)
        found = contrib(site)
        if found is not None:
            return found
        if "pool" in site.op.lower() and not site.standard:
            return site.refused(f"the operators of {cut(site.node.domain)} are not known")
        return None
    except Unsized:
        return site.refused(UNSIZED)
    except Unfit as reason:
        return site.refused(str(reason))
    except SpecError as error:
        return site.refused(str(error).rstrip("."))
