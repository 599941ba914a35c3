"""An archive of `torch.export`, read as data: a zip file with its graph as JSON.

`torch.export.load` unpickles what is in an archive, and evaluates its texts, both of which run
whatever they say. So nothing here loads one: the graph is JSON, the weights are bytes, and what
else there is, such as example inputs, is left alone.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from streampool_golden.errors import shown
from streampool_sim.refusals import Refused
from streampool_sim.words import by, count

from ..names import Names
from ..zips import member
from .calls import Call, Fact, Trace

MOST_JSON = 1 << 28
"""Bytes of a graph: more than any network's has."""

MAJOR = 8
"""The version of the graph's schema."""

DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    34: "uint32",
    35: "uint64",
}
"""torch's types by their numbers in a graph."""

INLINED = "torch.ops.higher_order.wrap_with_set_grad_enabled"
BRANCHES = "torch.ops.higher_order.cond"
ATEN = "torch.ops."


@dataclass(frozen=True)
class Step:
    """One node of a graph; `number` is that of its call.

    `branches` are the graphs of a ``cond``, the one of true first.
    """

    number: int
    target: str
    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Any, ...]
    scope: Mapping[str, str]
    branches: tuple["Graph", ...] = ()


@dataclass
class Graph:
    """A graph: its steps, and the values that it takes and gives, by the names of the model."""

    inputs: list[str] = field(default_factory=list)
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    scope: dict[str, str] = field(default_factory=dict)


DAMAGES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a graph raises that is not as torch writes it."""


@contextmanager
def damages(path: str) -> Iterator[None]:
    """Refuse a graph that is not as torch writes it, wherever that is found."""
    try:
        yield
    except DAMAGES as error:
        raise Refused(
            f"{path} is no graph of torch.export ({type(error).__name__}: {shown(str(error))});"
            " use a file that torch.export.save wrote"
        ) from None


class Archive:
    """What an archive holds.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    Refused
        If it is no archive of one exported program.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._names = _members(path)
        name = _model(path, self._names)
        self._root = name.partition("models/")[0]
        text = self.member(name)
        with damages(path):
            document = json.loads(text)
            version = document["schema_version"]["major"]
            module = document["graph_module"]
            self.trace, self.graph = Trace(), Graph()
            self.fixed: dict[str, tuple[int | None, ...]] = {}
            self.specs = module["signature"]["input_specs"]
            if version == MAJOR:
                self._walk(module["graph"], self.graph, "", {}, Names())
        if version != MAJOR:
            raise Refused(
                f"{path} has version {shown(version)} of torch.export's graph, and {MAJOR} is read;"
                " use torch 2.13 to export it"
            )

    def member(self, name: str) -> bytes:
        """Return the bytes of a member."""
        try:
            with zipfile.ZipFile(self.path) as file:
                return member(file, name)
        except KeyError:
            raise Refused(
                f"{self.path} lacks {shown(name)}; use the file that was written"
            ) from None
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
            raise Refused(f"{self.path} is cut or damaged: {shown(str(error))}") from None

    def json(self, name: str) -> Any:
        """Return a member of the archive's folder that is JSON; an empty object without one."""
        if self._root + name not in self._names:
            return {}
        try:
            return json.loads(self.member(self._root + name))
        except (ValueError, RecursionError):
            raise Refused(
                f"{name} of {self.path} is damaged; use the file that was written"
            ) from None

    def payload(self, name: str) -> bytes:
        """Return the bytes of a member of the archive's folder."""
        return self.member(self._root + name)

    @property
    def shapes(self) -> list[Fact]:
        """What is known of the inputs that a caller gives."""
        return [self.trace.facts[name] for name in self.user_inputs]

    @property
    def user_inputs(self) -> list[str]:
        """The values that a caller gives."""
        return [
            spec["user_input"]["arg"]["as_tensor"]["name"]
            for spec in self.specs
            if "as_tensor" in spec.get("user_input", {}).get("arg", {})
        ]

    def _walk(
        self,
        text: Mapping[str, Any],
        graph: Graph,
        prefix: str,
        outer: dict[str, str],
        names: Names,
    ) -> None:
        """Write down a graph's calls and facts; names within others begin with theirs."""
        graph.scope = dict(outer)
        for each in text["inputs"]:
            for name in _values(each):
                graph.inputs.append(graph.scope.setdefault(name, prefix + name))
        for name, meta in text["tensor_values"].items():
            if not prefix:
                self.fixed[name] = tuple(each.get("as_int") for each in meta["sizes"])
            value = graph.scope.setdefault(name, prefix + name)
            self.trace.facts.setdefault(value, _fact(meta))
        for node in text["nodes"]:
            self._node(node, graph, prefix, names)
        graph.outputs = list(text["outputs"])

    def _node(self, node: Mapping[str, Any], graph: Graph, prefix: str, names: Names) -> None:
        target, inputs = str(node["target"]), node["inputs"]
        graphs = [each["arg"]["as_graph"] for each in inputs if "as_graph" in each["arg"]]
        if target == INLINED and len(graphs) == 1:
            return self._inline(graphs[0], inputs, node["outputs"], graph, prefix, names)
        given = tuple(graph.scope[name] for each in inputs for name in _values(each["arg"]))
        outs = tuple(
            graph.scope.setdefault(name, prefix + name)
            for each in node["outputs"]
            for name in _values(each)
        )
        function = target.removeprefix(ATEN).split(".")[1 if target.startswith(ATEN) else 0]
        own = node.get("name") or (_values(node["outputs"][0])[0] if node["outputs"] else function)
        arguments = {
            each["name"]: _constant(each["arg"]) for each in inputs if not _values(each["arg"])
        }
        call = Call(function, names(prefix + own), function, arguments, given, outs)
        number = len(self.trace.calls)
        self.trace.calls.append(call)
        branches = []
        for each in graphs:
            branch = Graph()
            within = f"{prefix}{each['name']}."
            operands = [name for one in inputs[1:] for name in _values(one["arg"])]
            aliases = {
                inner: graph.scope[name]
                for name, spec in zip(operands, each["graph"]["inputs"], strict=False)
                for inner in _values(spec)
            }
            self._walk(each["graph"], branch, within, aliases, names)
            branches.append(branch)
        graph.steps.append(
            Step(
                number, target, tuple(inputs), tuple(node["outputs"]), graph.scope, tuple(branches)
            )
        )
        return None

    def _inline(
        self,
        inner: Mapping[str, Any],
        inputs: list[Mapping[str, Any]],
        outputs: list[Mapping[str, Any]],
        graph: Graph,
        prefix: str,
        names: Names,
    ) -> None:
        """Take the steps of a graph that only says whether gradients are wanted."""
        operands = [name for each in inputs[2:] for name in _values(each["arg"])]
        within = Graph()
        aliases = {
            each: graph.scope[name]
            for name, spec in zip(operands, inner["graph"]["inputs"], strict=True)
            for each in _values(spec)
        }
        self._walk(inner["graph"], within, f"{prefix}{inner['name']}.", aliases, names)
        graph.steps += within.steps
        made = [within.scope[name] for each in within.outputs for name in _values(each)]
        for name, value in zip(
            [name for each in outputs for name in _values(each)], made, strict=True
        ):
            graph.scope[name] = value


def _members(path: str) -> set[str]:
    """Return the names in a zip file, or refuse what is none."""
    try:
        with zipfile.ZipFile(path) as file:
            large = [info for info in file.infolist() if info.filename.endswith(".json")]
            for info in large:
                if info.file_size > MOST_JSON:
                    raise Refused(
                        f"{path} says that its {info.filename} has {info.file_size:,} bytes, and"
                        f" {MOST_JSON:,} are read at most"
                    )
            return set(file.namelist())
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise Refused(
            f"{path} is no archive of torch.export ({shown(str(error))}); use a file that"
            " torch.export.save wrote"
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}") from None


def _model(path: str, names: set[str]) -> str:
    """Return the member that has the graph, or refuse what has none, or several."""
    found = sorted(
        each
        for each in names
        if PurePosixPath(each).match("models/*.json") and "/data/" not in each
    )
    if len(found) == 1:
        return found[0]
    kinds = [
        (len(found) > 1, "holds several programs; use torch.export.save with one"),
        (
            any(each.endswith("serialized_exported_program.json") for each in names),
            "was written by an older torch; use torch 2.13 to export it",
        ),
        (
            any("aotinductor" in each for each in names),
            "holds compiled code, which is not run; use torch.export.save",
        ),
        (
            any(each.endswith("constants.pkl") for each in names),
            "is a TorchScript archive, whose code would have to run; use torch.export.save",
        ),
        (True, "holds no program of torch.export; use a file that torch.export.save wrote"),
    ]
    raise Refused(f"{path} {next(said for holds, said in kinds if holds)}")


def _values(argument: Any) -> list[str]:
    """Return the names of the values that an argument has."""
    return list(_named(argument))


def _named(argument: Any) -> Iterator[str]:
    if not isinstance(argument, Mapping):
        return
    for kind, value in argument.items():
        if kind == "as_tensor":
            yield value["name"]
        elif kind in ("as_tensors", "as_optional_tensors"):
            for each in value:
                yield from [each["name"]] if "name" in each else _named(each)
        elif kind == "as_optional_tensor":
            yield from _named(value)
        elif kind in ("as_sym_int", "as_sym_float", "as_sym_bool") and "as_name" in value:
            yield value["as_name"]
        elif kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
            yield from (each["as_name"] for each in value if "as_name" in each)


def _constant(argument: Mapping[str, Any]) -> Any:
    """Return the value of an argument that is no value of the graph."""
    [(kind, value)] = argument.items()
    if kind == "as_none":
        return None
    if kind == "as_scalar_type":
        return DTYPES.get(value, str(value))
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return next(iter(value.values()))
    if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return [next(iter(each.values())) for each in value]
    return value


def _fact(meta: Mapping[str, Any]) -> Fact:
    """Return what a graph says of a tensor; a length that varies is that of the example."""
    lengths = [_length(each) for each in meta["sizes"]]
    known = [each for each in lengths if each is not None]
    shape = tuple(known) if len(known) == len(lengths) else None
    return Fact(shape, DTYPES.get(meta["dtype"], str(meta["dtype"])))


def _length(size: Mapping[str, Any]) -> int | None:
    if "as_int" in size:
        return int(size["as_int"])
    hint = (size.get("as_expr") or {}).get("hint") or {}
    return int(hint["as_int"]) if "as_int" in hint else None


def check_shapes(archive: Archive, given: Sequence[tuple[int, ...]]) -> bool:
    """Refuse shapes that the program was not exported for; return whether any is another."""
    facts = archive.shapes
    if len(given) != len(facts):
        raise Refused(
            f"{archive.path} has {count(len(facts), 'input')}, and --input-shape {len(given)}"
            " shapes; use one for each, commas between"
        )
    for shape, name in zip(given, archive.user_inputs, strict=True):
        fixed = archive.fixed[name]
        fits = len(shape) == len(fixed) and all(
            length in (None, wanted) for length, wanted in zip(fixed, shape, strict=True)
        )
        if not fits:
            wanted = "x".join("?" if length is None else str(length) for length in fixed)
            raise Refused(
                f"{archive.path} was exported for an input {name} of {wanted}, not {by(shape)};"
                " use that, or dynamic_shapes of torch.export"
            )
    return any(shape != fact.shape for shape, fact in zip(given, facts, strict=True))
