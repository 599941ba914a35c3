"""TFLite models: read, their pooling layers listed, and run by LiteRT."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from streampool_sim.inputs.opening import opened
from streampool_sim.refusals import Refused
from streampool_sim.words import by

from ..layer import Arrays, Input, Layer, Model, Node, Through
from ..reading import Shapes, needing
from .flat import Damaged
from .layers import Place, placed
from .schema import File, Graph, Tensor

EXTRA = "tflite"

MOST_BYTES = (1 << 31) - 1
"""Of a file."""

NUMPY = (
    *("float16", "float32", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
"""Types that NumPy has by the same name."""


class TfliteModel(Model):
    """A TFLite model.

    Parameters
    ----------
    data : bytes
        The file.
    name : str, optional
        What it is called where it is refused.
    shapes : sequence of tuple of int, optional
        The shapes of its inputs, in order; those of the file by default. LiteRT says what follows
        from them.

    Raises
    ------
    Refused
        If it is no TFLite model, or is damaged.
    """

    def __init__(self, data: bytes, name: str = "the model", shapes: Shapes = ()) -> None:
        self.name, self._data, self._shapes = name, data, shapes
        try:
            graphs = File(data).graphs
            if shapes:
                graphs = (self._resized(graphs[0]), *graphs[1:])
            self.graph = graphs[0]
            places = list(placed(self.graph))
            bodies = [
                place
                for number, graph in enumerate(graphs[1:], 1)
                for place in placed(graph, f"{graph.name or f'graph {number}'}/")
            ]
        except Damaged as error:
            raise Refused(f"{name} is no TFLite model that can be read: {error}") from None
        self.layers = _unique([place.layer for place in (*places, *bodies)])
        self.places = [
            replace(place, layer=layer) for place, layer in zip(places, self.layers, strict=False)
        ]
        self.nodes = _nodes(self.graph, self.places)
        names = _values(self.graph)
        self.inputs = [
            _input(names[number], self.graph.tensors[number]) for number in self.graph.inputs
        ]

    def _resized(self, graph: Graph) -> Graph:
        """Return the graph with the shapes that follow from those of its inputs."""
        with needing("--input-shape of a TFLite model", EXTRA):
            from .running import shapes_of
        if len(self._shapes) != len(graph.inputs):
            raise Refused(
                f"{self.name} has {len(graph.inputs)} inputs, and --input-shape has"
                f" {len(self._shapes)}; use one shape for each"
            )
        for number, shape in zip(graph.inputs, self._shapes, strict=True):
            own = graph.tensors[number].shape
            if own and len(own) != len(shape):
                use = "x".join(str(n or "?") for n in own)
                raise Refused(
                    f"--input-shape {by(shape)} does not fit {self.name}, which takes {use}; use"
                    " as many lengths"
                )
        return graph.resized(shapes_of(self._data, graph, self._shapes, self.name))

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model in LiteRT; see `Model.run`.

        A quantised input may be given as reals, and is quantised then; pixels of a picture, as
        uint8, are taken as reals from 0 to 1 where the input has another type. Of several graphs
        the first is run, and pooling in the bodies of its control flow is LiteRT's.
        """
        with needing(f"running {self.name}", EXTRA):
            from .running import Runner
        if not hasattr(self, "_runner"):
            self._runner = Runner(self._data, self.graph, self.places, self.name)

        def core(place: Place, *arrays: Any) -> Arrays:
            assert through is not None
            return through(self.layers[self.places.index(place)], *arrays)

        return self._runner.run(inputs, core if through else None)


def read(name: str, shapes: Shapes) -> TfliteModel:
    """Read a .tflite file."""
    with opened(Path(name)) as file:
        if file.seek(0, os.SEEK_END) > MOST_BYTES:
            raise Refused(f"{name} is larger than the 2 GiB that a TFLite file's offsets reach")
        file.seek(0)
        return TfliteModel(file.read(), name, shapes)


def _unique(layers: Sequence[Layer]) -> list[Layer]:
    """Return layers of which no two have the same name."""
    seen: dict[str, int] = {}
    named = []
    for layer in layers:
        seen[layer.name] = seen.get(layer.name, 0) + 1
        number = seen[layer.name]
        named.append(layer if number == 1 else replace(layer, name=f"{layer.name} #{number}"))
    return named


def _values(graph: Graph) -> list[str]:
    """Return a name for every tensor: its own if no other has it."""
    often = Counter(tensor.name for tensor in graph.tensors)
    return [
        tensor.name if tensor.name and often[tensor.name] == 1 else f"{tensor.name} #{number}"
        for number, tensor in enumerate(graph.tensors)
    ]


def _input(name: str, tensor: Tensor) -> Input:
    """Return what is known of an input; one that is quantised takes reals, too."""
    dtype = None if tensor.scales or tensor.dtype not in NUMPY else np.dtype(tensor.dtype)
    return Input(name, dtype, tensor.shape)


def _nodes(graph: Graph, places: Sequence[Place]) -> tuple[Node, ...]:
    """Return the operators of a graph, with the names of their tensors."""
    layers = {place.operator: place.layer.name for place in places}
    values = _values(graph)
    return tuple(
        Node(
            operator.op,
            tuple(values[each] for each in operator.inputs if each >= 0),
            tuple(values[each] for each in operator.outputs if each >= 0),
            layers.get(number),
        )
        for number, operator in enumerate(graph.operators)
    )
