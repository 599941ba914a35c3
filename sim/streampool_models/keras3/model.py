"""A Keras model as it runs: each pooling that it calls, whatever calls it."""

import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# TensorFlow tells of the CPU otherwise, and sums in an order that depends on it
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # pyright: ignore[reportMissingImports]  # an extra
import keras  # pyright: ignore[reportMissingImports]  # an extra
import numpy as np
from streampool_golden import PoolSpec, SpecError, layers
from streampool_golden.errors import shown
from streampool_golden.fields import LAYOUTS
from streampool_sim.refusals import Refused
from streampool_sim.words import by

from ..layer import Input, Layer, Model, Node, Through
from ..names import Names
from ..reading import Shapes
from ..zips import copied
from .files import WEIGHTS

FUNCTIONS = {
    "max_pool": "MaxPooling",
    "average_pool": "AveragePooling",
    "adaptive_max_pool": "AdaptiveMaxPool",
    "adaptive_average_pool": "AdaptiveAvgPool",
}
"""What a backend of Keras pools with, and the beginning of the name of golden's layer."""

GLOBALS = ("GlobalMaxPooling", "GlobalAveragePooling")
NANS = {"tensorflow": "ignore"}
"""What a backend's maximum of windows does with NaN; of all positions every one propagates it."""

MASKED = (
    "a mask takes steps out of its mean, and a core's windows are fixed; use a model without one"
)


@dataclass(frozen=True)
class Call:
    """A pooling that a model calls: a layer of golden's by its name, with its arguments.

    `last` says whether the channels come last; `reason` why there is no core.
    """

    name: str
    op: str
    layer: str
    arguments: dict[str, Any]
    last: bool
    reason: str | None = None

    def read(self, shape: Sequence[int], dtype: str) -> Layer:
        """Return the layer on an array of a shape, the batch first."""
        frame = (shape[-1], *shape[1:-1]) if self.last else tuple(shape[1:])
        made = Layer(self.name, self.op, None, frame, reason=self.reason)
        if self.reason is not None:
            return made
        try:
            spec = self.spec("int8")
            if spec.operation.selects:
                windows = spec.adaptive is None
                nan = NANS.get(keras.backend.backend(), "propagate") if windows else "propagate"
                return replace(made, spec=self.spec(dtype).replace(nan=nan))
            if dtype in ("float16", "bfloat16"):
                return replace(made, spec=self.spec(dtype))
            if dtype.startswith("float"):
                return replace(made, spec=spec.replace(rounding="half_even"), float_dtype=dtype)
            reason = f"an average of {dtype} is none that Keras states; use floats"
            return replace(made, reason=reason)
        except SpecError as error:
            return replace(made, reason=str(error).rstrip("."))

    def spec(self, dtype: str) -> PoolSpec:
        """Return the specification on a type."""
        spec = getattr(layers, self.layer)(**self.arguments, dtype=dtype)
        return spec.replace(layout=LAYOUTS[spec.ndim][self.last])


class KerasModel(Model):
    """A Keras model, with the pooling that it does on inputs of some shapes.

    It runs once on zeros, as it infers. So nested models, layers that are shared, subclassed models
    and functions of `keras.ops` are seen as they are called.

    Parameters
    ----------
    model : keras.Model
        What to run.
    shapes : sequence of tuple of int, optional
        Those of its inputs; the ones that the model states, with a batch of 1, by default.
    name : str, optional
        What it is called where it is refused.
    """

    def __init__(self, model: Any, shapes: Shapes = (), name: str = "the model") -> None:
        if not isinstance(model, keras.Layer):
            raise Refused(f"{shown(model)} is no model of Keras; use a keras.Model")
        self._model, self._name = model, name
        stated = _stated(model)
        given = [_values(shape, kind) for shape, kind in self._inputs(stated, shapes)]
        found: list[Layer] = []
        operations: list[Node] = []

        def look(call: Call, x: Any, result: Any) -> Any:
            found.append(call.read(tuple(x.shape), keras.backend.standardize_dtype(x.dtype)))
            return result

        self._called(given, look, operations)
        self.layers, self.nodes = found, operations
        shapes_of = [each.shape for each in given]
        self.inputs = [
            Input(f"input {k + 1}" if each is None else each[0], values.dtype, shape)
            for k, (values, shape, each) in enumerate(
                zip(given, shapes_of, stated or [None] * len(given), strict=True)
            )
        ]

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model; its outputs are in the order in which `keras.tree.flatten` has them."""
        number = 0

        def swap(call: Call, x: Any, result: Any) -> Any:
            nonlocal number
            number += 1
            if number > len(self.layers) or self.layers[number - 1].name != call.name:
                raise Refused(f"{self._name} goes another way on these inputs, to {call.name}")
            layer = self.layers[number - 1]
            if through is None or layer.windows is None:
                return result
            frames, own = (_first(keras.ops.convert_to_numpy(each), call) for each in (x, result))
            own = own.reshape(len(own), *layer.windows.out_shape)
            [given] = through(layer, frames, (own,))
            back = np.moveaxis(given, 1, -1) if call.last else given
            return keras.ops.convert_to_tensor(back.reshape(tuple(result.shape)), result.dtype)

        made = self._called([np.asarray(each) for each in inputs], swap, [])
        return [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(made)]

    def _inputs(
        self, stated: "list[tuple[str, tuple[int | None, ...], str]]", shapes: Shapes
    ) -> list[tuple[tuple[int, ...], str]]:
        """Return shape and type of each input, or refuse shapes that do not fit."""
        if not shapes:
            known = [(1, *shape[1:]) for _, shape, _ in stated]
            if not known or any(None in shape for shape in known):
                raise Refused(
                    f"the shape of an input of {self._name} is not known; use --input-shape"
                    " 1x32x32x3"
                )
            return [(shape, kind) for shape, (_, _, kind) in zip(known, stated, strict=True)]  # pyright: ignore[reportReturnType]
        if not stated:
            return [(tuple(shape), "float32") for shape in shapes]
        if len(shapes) != len(stated):
            raise Refused(
                f"{self._name} has {len(stated)} inputs, and --input-shape {len(shapes)} shapes;"
                " use one for each, commas between"
            )
        for shape, (name, wanted, _) in zip(shapes, stated, strict=True):
            pairs = zip(shape, wanted, strict=False)
            if len(shape) != len(wanted) or any(n not in (None, m) for m, n in pairs):
                said = "x".join("?" if n is None else str(n) for n in wanted)
                raise Refused(
                    f"{self._name} takes {said} for {name}, not {by(shape)}; use --input-shape"
                    " with what it takes"
                )
        return [(tuple(shape), kind) for shape, (_, _, kind) in zip(shapes, stated, strict=True)]

    def _called(self, inputs: Sequence[np.ndarray], seen: Any, operations: list[Node]) -> Any:
        given = [keras.ops.convert_to_tensor(each) for each in inputs]
        try:
            with _watched(self._model, seen, operations):
                return self._model(given if len(given) > 1 else given[0], training=False)
        except Refused:
            raise
        except Exception as error:  # a model may raise anything
            said = next(iter(str(error).strip().splitlines()), type(error).__name__)
            shapes = ",".join(by(each.shape) for each in inputs)
            raise Refused(
                f"{self._name} does not run on inputs of {shapes}: {shown(said)}; use --input-shape"
                " with the shapes that it takes"
            ) from error


class _Watch:
    """Has every pooling pass what it takes and gives to `seen`, and go on with what that gives."""

    def __init__(self, root: Any, seen: Callable[[Call, Any, Any], Any], nodes: list[Node]) -> None:
        self._root, self._seen, self._nodes = root, seen, nodes
        self._stack: list[Any] = []
        self._names = Names(_paths(root))
        self._pooled: dict[int, str] = {}
        self._kept: list[Any] = []  # so that no two values have the same number
        self._inner = 0

    def called(self, old: Any) -> Any:
        """Return `Layer.__call__` that knows which layers are being called."""

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if layer is self._root and not self._stack:
                return old(layer, *args, **kwargs)
            self._stack.append(layer)
            self._inner += 1
            number = self._inner
            try:
                result = old(layer, *args, **kwargs)
            finally:
                self._stack.pop()
            if number == self._inner:  # it called no other
                self._nodes.append(self._node(layer, args, result))
            return result

        return call

    def function(self, old: Any) -> Any:
        """Return a backend's function that passes what it pools."""

        def pooled(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            result = old(inputs, *args, **kwargs)
            call = _window(*self._named(old.__name__), old.__name__, inputs, args, kwargs)
            return self._seen(call, inputs, result)

        return pooled

    def whole(self, old: Any) -> Any:
        """Return the `call` of a global layer that passes what it pools."""

        def pooled(layer: Any, inputs: Any, mask: Any = None) -> Any:
            given = {} if mask is None else {"mask": mask}
            name, op = self._named(type(layer).__name__)
            kinds = (each.__name__ for each in type(layer).__mro__)
            golden = next(each for each in kinds if each.startswith(GLOBALS))
            arguments = {"data_format": layer.data_format}
            last = layer.data_format == "channels_last"
            call = Call(name, op, golden, arguments, last, None if mask is None else MASKED)
            return self._seen(call, inputs, old(layer, inputs, **given))

        return pooled

    def _named(self, function: str) -> tuple[str, str]:
        """Return the name of a pooling that is called now, and what calls it."""
        layer = self._stack[-1] if self._stack else None
        path = "/".join(each.name for each in self._stack)
        own = layer is not None and "Pool" in type(layer).__name__
        name = self._names(path if own else f"{path}/{function}".lstrip("/"))
        self._pooled[id(layer)] = name
        return name, type(layer).__name__ if own else function

    def _node(self, layer: Any, args: Any, result: Any) -> Node:
        takes, gives = (
            tuple(
                self._number(each) for each in keras.tree.flatten(values) if hasattr(each, "shape")
            )
            for values in (args, result)
        )
        return Node(type(layer).__name__, takes, gives, self._pooled.pop(id(layer), None))

    def _number(self, value: Any) -> str:
        for number, each in enumerate(self._kept):
            if each is value:
                return f"v{number}"
        self._kept.append(value)
        return f"v{len(self._kept) - 1}"


@contextmanager
def _watched(root: Any, seen: Callable[[Call, Any, Any], Any], nodes: list[Node]) -> Iterator[None]:
    """Have Keras' own pooling pass what it takes and gives to `seen`, as long as it is entered."""
    from keras.src import backend  # pyright: ignore[reportMissingImports]  # an extra

    watch = _Watch(root, seen, nodes)
    places = [(keras.Layer, "__call__", watch.called)]
    places += [
        (backend.nn, name, watch.function) for name in FUNCTIONS if hasattr(backend.nn, name)
    ]
    places += [
        (getattr(keras.layers, f"{name}{ndim}D"), "call", watch.whole)
        for name in GLOBALS
        for ndim in (1, 2, 3)
    ]
    before = [owner.__dict__[attribute] for owner, attribute, _ in places]
    try:
        for (owner, attribute, made), old in zip(places, before, strict=True):
            setattr(owner, attribute, made(old))
        yield
    finally:
        for (owner, attribute, _), old in zip(places, before, strict=True):
            setattr(owner, attribute, old)


def _window(
    name: str, op: str, function: str, inputs: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Call:
    """Return the call of a backend's function."""
    ndim = len(inputs.shape) - 2
    adaptive = function.startswith("adaptive")
    order = ("output_size",) if adaptive else ("pool_size", "strides", "padding")
    arguments = {**dict(zip((*order, "data_format"), args, strict=False)), **kwargs}
    data_format = arguments.pop("data_format", None) or keras.config.image_data_format()
    last = data_format == "channels_last"
    if adaptive:
        return Call(name, op, f"{FUNCTIONS[function]}{ndim}d", arguments, last)
    arguments["data_format"] = data_format
    return Call(name, op, f"{FUNCTIONS[function]}{ndim}D", arguments, last)


def _first(values: np.ndarray, call: Call) -> np.ndarray:
    """Return an array with its channels behind the batch."""
    return np.ascontiguousarray(np.moveaxis(values, -1, 1)) if call.last else values


def _stated(model: Any) -> list[tuple[str, tuple[int | None, ...], str]]:
    """Return name, shape and type of the inputs that a model states."""
    try:
        inputs = model.inputs
    except (AttributeError, ValueError):
        return []
    return [
        (each.name, tuple(each.shape), keras.backend.standardize_dtype(each.dtype))
        for each in keras.tree.flatten(inputs or [])
    ]


def _paths(model: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of a model's layers, and of those of models in it."""
    for layer in getattr(model, "layers", ()):
        yield f"{path}{layer.name}"
        yield from _paths(layer, f"{path}{layer.name}/")


def _values(shape: Sequence[int], kind: str) -> np.ndarray:
    return np.zeros(tuple(shape), "float32" if kind == "bfloat16" else kind)


def loaded(path: str) -> Any:
    """Return the model of a file that was looked into, in Keras' safe mode."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "model.keras"
            copied(path, copy)
            with zipfile.ZipFile(copy) as file:
                if WEIGHTS in file.namelist():
                    with h5py.File(io.BytesIO(file.read(WEIGHTS)), "r") as weights:
                        _check_weights(path, weights)
            return keras.saving.load_model(copy, compile=False, safe_mode=True)
    except Refused:
        raise
    except Exception as error:  # whatever does not fit in what a file says
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise Refused(
            f"{path} is no model that Keras {keras.__version__} can load: {shown(said)}"
        ) from error


def _check_weights(path: str, group: Any) -> None:
    """Refuse weights that are in other files, which HDF5 would open."""
    for name in group:
        link = group.get(name, getlink=True)
        here: Any = None if isinstance(link, h5py.ExternalLink) else group.get(name)
        if isinstance(link, h5py.ExternalLink) or (
            isinstance(here, h5py.Dataset) and (here.external or here.is_virtual)
        ):
            raise Refused(
                f"{path} has weights {shown(name)} that are in another file; use a file that"
                " model.save of Keras 3 wrote"
            )
        if isinstance(here, h5py.Group) and isinstance(link, h5py.HardLink):
            _check_weights(path, here)
