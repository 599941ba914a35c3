"""An ONNX model that was read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from streampool_sim.refusals import Refused

from ..layer import Layer, Model, Node, Through
from .finding import found
from .graphs import inlined
from .loading import loaded
from .shapes import lean, put_shapes


def read(name: str, shapes: Sequence[tuple[int, ...]] = ()) -> "OnnxModel":
    """Read a model file and list its pooling layers."""
    return OnnxModel(Path(name), shapes)


class OnnxModel(Model):
    """A model of an ``.onnx`` file, which onnxruntime runs.

    Layers inside of a function are called ``CALL/NODE``, those in a graph of `If`, `Loop` or `Scan`
    ``NODE/ATTRIBUTE/NODE``.
    """

    def __init__(self, path: Path, shapes: Sequence[tuple[int, ...]] = ()) -> None:
        model = loaded(path)
        lean(model.graph)
        for function in model.functions:
            lean(function)
        model = inlined(model)
        put_shapes(model.graph, shapes)
        self.path = path
        self.found = found(model)
        self.layers: Sequence[Layer] = [each.layer for each in self.found]
        self.nodes = _nodes(model.graph, {each.node.name: each.layer for each in self.found})

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model in onnxruntime: see `Model.run`."""
        raise Refused(f"{self.path} is not run yet")


def _nodes(graph: onnx.GraphProto, layers: dict[str, Layer]) -> list[Node]:
    return [
        Node(
            node.op_type,
            tuple(filter(None, node.input)),
            tuple(filter(None, node.output)),
            node.name if node.name in layers else None,
        )
        for node in graph.node
    ]
