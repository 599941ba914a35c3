"""Faults in sources: one change of one expression, by operator class, made as a module is loaded.

No file is changed. A mutant is told by its file, the function it is in, and what became of what, so
that it is the same one when lines move.
"""

import ast
import copy
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import zip_longest
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[2]

GROUPS: dict[str, tuple[str, ...]] = {
    "schedule": (
        *(f"hw/streampool_hw/schedule/{name}.py" for name in ("plan", "program", "uneven")),
        *(f"hw/streampool_hw/schedule/{name}.py" for name in ("accumulator", "columns", "graph")),
    ),
    "stage": (
        *(f"hw/streampool_hw/reduce/{name}.py" for name in ("stage", "columns", "steps")),
        *(f"hw/streampool_hw/reduce/{name}.py" for name in ("timing", "reduction")),
        *(f"hw/streampool_hw/datapath/{name}.py" for name in ("fifo", "store", "pipeline")),
    ),
    "sequencer": ("hw/streampool_hw/schedule/sequencer.py",),
    "finishing": tuple(
        f"hw/streampool_hw/blocks/{name}.py"
        for name in (
            *("clamp", "divider", "division", "floats_in", "floats_out", "indices"),
            *("multiplier", "root", "windows"),
        )
    ),
    "golden": tuple(
        f"golden/streampool_golden/{name}.py"
        for name in ("reference", "geometry", "rounding", "beats", "columns", "floats", "stages")
    ),
}
"""What is mutated, by group."""

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_BITS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_CHOICES = {"Mux"}

CLASSES = ("compare", "arithmetic", "bits", "constant", "logic", "branch", "call", "statement")
"""The operator classes."""


@dataclass(frozen=True)
class Mutant:
    """One change of one expression.

    `path` is the file's in the repository, `place` the function or class that it is in, `change`
    what becomes of what, and `again` tells apart changes that are the same in one place.
    """

    group: str
    path: str
    place: str
    kind: str
    change: str
    again: int
    number: int

    @property
    def name(self) -> str:
        """What the mutant is told by, wherever its line is."""
        count = f" ({self.again + 1})" if self.again else ""
        return f"{self.path.partition('_')[2]} {self.place}: {self.change}{count}"

    @property
    def module(self) -> str:
        """The module's name."""
        return ".".join(Path(self.path).with_suffix("").parts[1:])

    @property
    def function(self) -> str:
        """The function that it is in, with its file; nothing where it is in none."""
        node: ast.AST = _parsed(self.path)
        for name in self.place.split("."):
            if not name:
                return ""
            node = next(
                each
                for each in ast.walk(node)
                if isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name == name
            )
        return f"{self.path} {self.place}" if isinstance(node, ast.FunctionDef) else ""

    def source(self) -> str:
        """Return the module with the change."""
        tree = _parsed(self.path)
        site = next(site for number, site in enumerate(_sites(tree)) if number == self.number)
        site.apply()
        return ast.unparse(ast.fix_missing_locations(tree))


@dataclass(frozen=True)
class _Site:
    kind: str
    place: str
    before: str
    after: str
    apply: Callable[[], None]


def _parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


def _sites(tree: ast.Module) -> Iterator[_Site]:
    """Yield all changes that can be made, in the order of the source."""
    yield from _inside(tree, "")


def _inside(node: ast.AST, place: str) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        # a type, a message and a check of the code's own are no behaviour
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(
                child, ast.Assert | ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom
            ):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            inner = place
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                if child.name in ("__repr__", "warnings"):
                    continue
                inner = f"{place}.{child.name}" if place else child.name
            yield from _changes(child, inner)
            yield from _inside(child, inner)


def _changes(node: ast.AST, place: str) -> Iterator[_Site]:
    """Yield the changes of one node itself."""
    for kind, change in _of(node):
        other = copy.deepcopy(node)
        change(other)
        shown = [each.test if isinstance(each, ast.If) else each for each in (node, other)]
        before, after = map(_short, shown)
        yield _Site(kind, place, before, after, lambda change=change: change(node))


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:110]


def _of(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """Yield the class of each change of a node, and what makes it of a node like it."""

    def put(name: str, value: object) -> Callable[[ast.AST], None]:
        return lambda each: setattr(each, name, value)

    def swap(one: str, other: str) -> Callable[[ast.AST], None]:
        def change(each: ast.AST) -> None:
            first = getattr(each, one)
            setattr(each, one, getattr(each, other))
            setattr(each, other, first)

        return change

    match node:
        case ast.AugAssign() if _of_module(node):
            yield "statement", put("value", ast.List([], ast.Load()))
        case ast.Compare(ops=[op]) if type(op) in _COMPARE:
            yield "compare", put("ops", [_COMPARE[type(op)]()])
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            yield "arithmetic", put("op", _ARITHMETIC[type(op)]())
        case ast.BinOp(op=op) if type(op) in _BITS:
            yield "bits", put("op", _BITS[type(op)]())
        case ast.UnaryOp(op=ast.Invert()):
            yield "bits", put("op", ast.UAdd())
        case ast.UnaryOp(op=ast.Not()):
            yield "logic", put("op", ast.UAdd())
        case ast.Constant(value=bool(value)):
            yield "constant", put("value", not value)
        case ast.Constant(value=int(value)):
            yield "constant", put("value", value + 1)
            if value:
                yield "constant", put("value", value - 1)
        case ast.BoolOp(op=op):
            yield "logic", put("op", ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.IfExp():
            yield "branch", swap("body", "orelse")
        case ast.If(test=test) if not isinstance(test, ast.Name):
            yield "branch", put("test", ast.UnaryOp(ast.Not(), test))
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield "call", put("func", ast.Name(_CALLS[name], ast.Load()))
        case ast.Call(func=ast.Name(id=name), args=[test, one, other]) if name in _CHOICES:
            yield "call", put("args", [test, other, one])


def _of_module(node: ast.AST) -> bool:
    """Whether a node is ``m.d.sync += ...``, or another domain's."""
    target = getattr(node, "target", None)
    return (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Attribute)
        and target.value.attr == "d"
    )


@cache
def all_mutants(group: str) -> tuple[Mutant, ...]:
    """Return all mutants of a group."""
    found = []
    for path in GROUPS[group]:
        seen: dict[tuple[str, str], int] = {}
        for number, site in enumerate(_sites(_parsed(path))):
            change = f"{site.before} -> {site.after}"
            again = seen[site.place, change] = seen.get((site.place, change), -1) + 1
            found.append(Mutant(group, path, site.place, site.kind, change, again, number))
    return tuple(found)


def drawn(group: str, count: int) -> list[Mutant]:
    """Draw mutants of a group: in turn one of each file and operator class, by their digests."""
    queues: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in all_mutants(group):
        queues.setdefault((mutant.kind, mutant.path), []).append(mutant)
    for queue in queues.values():
        queue.sort(key=lambda each: hashlib.sha256(each.name.encode()).digest())
    in_turn = [each for turn in zip_longest(*queues.values()) for each in turn if each]
    return in_turn[:count]


class _Loader(SourceFileLoader):
    """Loads a module from another source than its file's."""

    def __init__(self, name: str, path: str, source: str):
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec")


class Finder(MetaPathFinder):
    """Has one module imported as a mutant; put it first in `sys.meta_path`."""

    def __init__(self, mutant: Mutant):
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the mutant's spec, and of no other module one."""
        if fullname != self._mutant.module:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mutant.source())
        return spec

    def install(self) -> None:
        """Have it asked first; the module must not be imported yet."""
        assert self._mutant.module not in sys.modules
        sys.meta_path.insert(0, self)
