"""A program of `torch.export`: listed from its graph alone, and run node by node.

Only aten's own functions and those of its quantisation are called, and no file is opened by one.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from streampool_golden.errors import shown
from streampool_sim.refusals import Refused

from ..layer import Input, Model, Through
from ..reading import Shapes
from .archive import ATEN, BRANCHES, DTYPES, Archive, Graph, Step, check_shapes, damages
from .pools import Site, nodes, sites

NAMESPACES = ("aten", "quantized_decomposed")
OPERATORS = {
    f"_operator.{name}": getattr(operator, name)
    for name in (
        *("add", "and_", "eq", "floordiv", "ge", "getitem", "gt", "le", "lshift", "lt", "mod"),
        *("mul", "ne", "neg", "not_", "or_", "pow", "pos", "rshift", "sub", "truediv"),
    )
} | {f"math.{name}": getattr(math, name) for name in ("ceil", "floor", "sqrt", "trunc")}
"""What computes on the sizes in a graph."""

FILES = ("filename",)
"""Arguments that name files."""


class ExportedProgram(Model):
    """A program of an archive, with the pooling that it does.

    Parameters
    ----------
    archive : Archive
        What was read.
    shapes : sequence of tuple of int, optional
        Those of its inputs; the ones that it was exported with by default.
    """

    def __init__(self, archive: Archive, shapes: Shapes = ()) -> None:
        self._archive = archive
        with damages(archive.path):
            if shapes and check_shapes(archive, shapes):
                self._measure(shapes)
            self._sites = sites(archive.trace)
            self.layers = [site.layer for site in self._sites]
            self.nodes = nodes(archive.trace, self._sites)
            self.inputs = [
                Input(name, _numpy(archive.trace.facts[name].dtype), archive.fixed[name])
                for name in archive.user_inputs
            ]

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the program node by node."""
        torch = _torch(self._archive.path)
        given = [torch.from_numpy(np.array(each)) for each in inputs]
        check_shapes(self._archive, [tuple(each.shape) for each in given])
        here = {
            site.call: Site(layer, site.call, site.source, site.inside, site.outside)
            for layer, site in zip(self.layers, self._sites, strict=True)
        }

        def swap(number: int, values: dict[str, Any], result: Any) -> Any:
            from .tensors import taken, through_core

            if through is None or (site := here.get(number)) is None:
                return result
            [value, *_] = self._archive.trace.calls[number].inputs
            source = taken(site, values[site.source], values[value])
            return through_core(site, source, result, through)

        from .tensors import array

        made = self._run(given, swap)
        return [array(each) for each in made if isinstance(each, torch.Tensor)]

    def _measure(self, shapes: Shapes) -> None:
        """Run once on inputs of other shapes than the example's, to see those of all values."""
        torch = _torch(self._archive.path)
        from .tensors import fact

        facts, calls = self._archive.trace.facts, self._archive.trace.calls

        def look(number: int, values: dict[str, Any], result: Any) -> Any:
            several = result if isinstance(result, (tuple, list)) else (result,)
            for name, each in zip(calls[number].outputs, several, strict=False):
                if isinstance(each, torch.Tensor):
                    facts[name] = fact(each)
            return result

        given = [
            torch.zeros(shape, dtype=getattr(torch, facts[name].dtype))
            for shape, name in zip(shapes, self._archive.user_inputs, strict=True)
        ]
        for name, each in zip(self._archive.user_inputs, given, strict=True):
            facts[name] = fact(each)
        self._run(given, look)

    def _run(self, inputs: Sequence[Any], after: Callable[[int, dict[str, Any], Any], Any]) -> Any:
        torch = _torch(self._archive.path)
        values = dict(zip(self._archive.user_inputs, inputs, strict=True))
        values |= Weights(self._archive, torch).values
        with torch.no_grad():
            try:
                Interpreter(torch, values, after).graph(self._archive.graph)
            except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
                said = next(iter(str(error).splitlines()), type(error).__name__)
                raise Refused(f"{self._archive.path} does not run: {said.rstrip('.')}") from error
        graph = self._archive.graph
        return [decoded(torch, each, graph.scope, values) for each in graph.outputs]


class Interpreter:
    """Runs the steps of a graph on the values of a model."""

    def __init__(
        self, torch: Any, values: dict[str, Any], after: Callable[[int, dict[str, Any], Any], Any]
    ) -> None:
        self._torch, self._values, self._after = torch, values, after

    def graph(self, graph: Graph) -> None:
        """Run all steps."""
        for step in graph.steps:
            result = self._branch(step) if step.target == BRANCHES else self._call(step)
            result = self._after(step.number, self._values, result)
            if len(step.outputs) == 1:
                self._keep(step.outputs[0], step, result[0] if _single(result) else result)
            elif step.outputs:
                for out, each in zip(step.outputs, result, strict=False):
                    self._keep(out, step, each)

    def _keep(self, out: Any, step: Step, result: Any) -> None:
        [(kind, value)] = out.items()
        if kind == "as_tensors":
            for each, made in zip(value, result, strict=True):
                self._values[step.scope[each["name"]]] = made
        elif kind != "as_none":
            self._values[step.scope[value.get("name") or value["as_name"]]] = result

    def _branch(self, step: Step) -> Any:
        condition = decoded(self._torch, step.inputs[0]["arg"], step.scope, self._values)
        graph = step.branches[0 if bool(condition) else 1]
        self.graph(graph)
        return tuple(
            decoded(self._torch, each, graph.scope, self._values) for each in graph.outputs
        )

    def _call(self, step: Step) -> Any:
        function = called(self._torch, step)
        args, kwargs = [], {}
        for each in step.inputs:
            value = decoded(self._torch, each["arg"], step.scope, self._values)
            if each.get("kind") == 2:
                kwargs[each["name"]] = value
            else:
                args.append(value)
        return function(*args, **kwargs)


def called(torch: Any, step: Step) -> Callable[..., Any]:
    """Return the function of a step, or refuse one that is not known to do no more than compute."""
    if step.target in OPERATORS:
        return OPERATORS[step.target]
    space, *name = step.target.removeprefix(ATEN).split(".")
    refused = Refused(
        f"the program calls {shown(step.target)}, which is not run; use aten's functions alone"
    )
    if not step.target.startswith(ATEN) or space not in NAMESPACES or len(name) != 2:
        raise refused
    if space == "quantized_decomposed":
        from torch.ao.quantization.fx import _decomposed  # noqa: F401  # pyright: ignore[reportMissingImports]  # an extra
    try:
        function = getattr(getattr(getattr(torch.ops, space), name[0]), name[1])
    except (AttributeError, RuntimeError):
        raise refused from None
    schema = function._schema
    # what TorchScript alone has may write files, and is not known to the dispatcher
    known = torch._C._dispatch_has_kernel(function.name()) or space != "aten"
    if not known or any(each.name in FILES for each in schema.arguments):
        raise refused
    return function


def decoded(torch: Any, argument: Any, scope: Any, values: dict[str, Any]) -> Any:
    """Return what an argument of a graph stands for."""
    [(kind, value)] = argument.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor":
            return values[scope[value["name"]]]
        case "as_tensors":
            return [values[scope[each["name"]]] for each in value]
        case "as_optional_tensors" | "as_sym_ints" | "as_sym_floats" | "as_sym_bools":
            return [_item(torch, each, scope, values) for each in value]
        case "as_optional_tensor" | "as_sym_int" | "as_sym_float" | "as_sym_bool":
            return _item(torch, value, scope, values)
        case "as_scalar_type":
            return getattr(torch, DTYPES[value])
        case "as_memory_format":
            return {
                1: torch.contiguous_format,
                2: torch.channels_last,
                3: torch.channels_last_3d,
                4: torch.preserve_format,
            }[value]
        case "as_layout":
            return torch.strided
        case "as_device":
            return torch.device("cpu")
        case "as_int" | "as_ints" | "as_float" | "as_floats" | "as_string" | "as_strings":
            return value
        case "as_bool" | "as_bools" | "as_int_lists" | "as_float_lists":
            return value
    raise Refused(f"the program has an argument of kind {shown(kind)}, which is not run")


def _item(torch: Any, item: Any, scope: Any, values: dict[str, Any]) -> Any:
    if "as_name" in item:
        return values[scope[item["as_name"]]]
    if "as_tensor" in item or "as_none" in item:
        return decoded(torch, item, scope, values)
    return next(iter(item.values()))


def _single(result: Any) -> bool:
    return isinstance(result, tuple) and len(result) == 1


class Weights:
    """The parameters, buffers and constants of a program, made from bytes."""

    def __init__(self, archive: Archive, torch: Any) -> None:
        self._archive, self._torch = archive, torch
        self._configs = {
            kind: archive.json(f"data/{kind}/model_{kind}_config.json").get("config", {})
            for kind in ("weights", "constants")
        }
        self.values: dict[str, Any] = {}
        for spec in archive.specs:
            [(kind, each)] = spec.items()
            field = f"{kind}_name"
            if field in each and "arg" in each:
                self.values[each["arg"]["name"]] = self._tensor(kind, each[field])

    def _tensor(self, kind: str, name: str) -> Any:
        for folder, config in self._configs.items():
            if name in config and kind in ("parameter", "buffer", "tensor_constant"):
                return self._made(folder, name, config[name])
        raise Refused(
            f"{self._archive.path} has no tensor {shown(name)}, which its program takes"
            f" ({kind.replace('_', ' ')}); use a file that torch.export.save wrote"
        )

    def _made(self, folder: str, name: str, entry: Any) -> Any:
        torch = self._torch
        try:
            data = self._archive.payload(f"data/{folder}/{entry['path_name']}")
            if entry.get("use_pickle"):
                import io

                return torch.load(io.BytesIO(data), weights_only=True)
            meta = entry["tensor_meta"]
            dtype = getattr(torch, DTYPES[meta["dtype"]])
            sizes, strides = ([each["as_int"] for each in meta[of]] for of in ("sizes", "strides"))
            if not data:
                return torch.empty(sizes, dtype=dtype)
            flat = torch.frombuffer(bytearray(data), dtype=dtype)
            return flat.as_strided(sizes, strides, meta["storage_offset"]["as_int"])
        except Refused:
            raise
        except Exception as error:  # whatever does not fit in what a file says
            raise Refused(
                f"{shown(name)} of {self._archive.path} is damaged ({type(error).__name__});"
                " use the file that was written"
            ) from None


def _numpy(name: str) -> np.dtype | None:
    """Return a type as NumPy has it; None of one that it has not."""
    try:
        return np.dtype(name)
    except TypeError:
        return None


def _torch(path: str) -> Any:
    """Return torch, which only running needs."""
    try:
        import torch  # pyright: ignore[reportMissingImports]  # an extra
    except ModuleNotFoundError as error:
        raise Refused(
            f"{path} can be listed without torch, and needs it to run; use"
            " `pip install 'streampool[torch]'`"
        ) from error
    return torch
