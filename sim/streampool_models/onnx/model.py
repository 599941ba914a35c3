"""An ONNX model that was read."""

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from streampool_sim.refusals import Refused

from ..layer import Arrays, Input, Layer, Model, Node, Through
from .finding import found
from .graphs import inlined, value_of
from .loading import Source
from .shapes import inputs_of, lean, put_shapes
from .sites import Found

MOST_ZEROS = 1 << 28
"""Values of an input with which a model is run to see its shapes."""


def read(name: str, shapes: Sequence[tuple[int, ...]] = ()) -> "OnnxModel":
    """Read a model file and list its pooling layers."""
    return OnnxModel(Path(name), shapes)


class OnnxModel(Model):
    """A model of an ``.onnx`` file, which onnxruntime runs.

    Layers inside of a function are called ``CALL/NODE``, those in a graph of `If`, `Loop` or `Scan`
    ``NODE/ATTRIBUTE/NODE``.
    """

    def __init__(
        self, given: Path | onnx.ModelProto, shapes: Sequence[tuple[int, ...]] = ()
    ) -> None:
        self.source = Source(given)
        model = self.source.loaded()
        lean(model.graph)
        for function in model.functions:
            lean(function)
        model = inlined(model)
        self.inputs = [_input(each) for each in inputs_of(model.graph)]
        put_shapes(model.graph, shapes)
        self._shapes = [value_of(each.type).shape for each in inputs_of(model.graph)]
        self.found = found(model, self._actual)
        self.layers: Sequence[Layer] = [each.layer for each in self.found]
        self.nodes = _nodes(model.graph, {each.node.name for each in self.found if not each.inside})

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model in onnxruntime: see `Model.run`.

        Nodes are not fused, so that it gives the same bits as a whole and cut at the layers.
        """
        from .session import Cut, Whole

        values = dict(zip((each.name for each in self.inputs), inputs, strict=True))
        if through is None:
            return Whole(self.source).run(values)
        places = {
            each.node.name: k
            for k, each in enumerate(self.found)
            if self.layers[k].out_shape is not None and not each.inside
        }

        def core(found: Found, x: np.ndarray, made: tuple[np.ndarray, ...]) -> Arrays:
            layer = self.layers[places[found.node.name]]
            return found.through(layer, x, made, through)

        return Cut(self.source, [self.found[k] for k in places.values()]).run(values, core)

    def _actual(self, names: list[str]) -> dict[str, np.ndarray]:
        """Return values of the main graph as they are of an input of nothing but 0."""
        from .session import Cut

        values = {}
        for each, shape in zip(self.inputs, self._shapes, strict=True):
            if shape is None or each.dtype is None or math.prod(shape) > MOST_ZEROS:
                return {}
            values[each.name] = np.zeros(shape, each.dtype)
        try:
            return Cut(self.source, []).values(names, values)
        except Refused:  # it cannot be run, which its layers do not need
            return {}


def _input(value: onnx.ValueInfoProto) -> Input:
    known = value_of(value.type)
    dtype = None
    with contextlib.suppress(KeyError):  # of a type that is none of ONNX's
        dtype = onnx.helper.tensor_dtype_to_np_dtype(known.element) if known.element else None
    lengths = known.lengths and tuple(n if n and n > 0 else None for n in known.lengths)
    return Input(value.name, dtype, lengths)


def _nodes(graph: onnx.GraphProto, layers: set[str]) -> list[Node]:
    return [
        Node(
            node.op_type,
            tuple(filter(None, node.input)),
            tuple(filter(None, node.output)),
            node.name if node.name in layers else None,
        )
        for node in graph.node
    ]
