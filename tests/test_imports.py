"""The house as its imports draw it: no circle, and no arrow up."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOMS = {
    "streampool_golden": "golden",
    "streampool_hw": "hw",
    "streampool_farm": "sim",
    "streampool_sim": "sim",
    "streampool_bench": "sim",
    "streampool_models": "sim",
    "streampool_explore": "sim",
    "streampool": "sim",
}
BELOW = {
    "streampool_golden": (),
    "streampool_hw": ("streampool_golden",),
    "streampool_farm": ("streampool_golden", "streampool_hw"),
    "streampool_sim": ("streampool_farm", "streampool_golden", "streampool_hw"),
    "streampool_bench": (
        "streampool_farm",
        "streampool_golden",
        "streampool_hw",
        "streampool_sim",
    ),
    "streampool_models": ("streampool_golden", "streampool_hw", "streampool_sim"),
    "streampool_explore": (
        "streampool_bench",
        "streampool_farm",
        "streampool_golden",
        "streampool_hw",
        "streampool_models",
        "streampool_sim",
    ),
    "streampool": (
        "streampool_golden",
        "streampool_hw",
        "streampool_models",
        "streampool_sim",
    ),
}
TOP = Path(__file__).parents[1]

Graph = Mapping[str, set[str]]


def modules(room: str, top: Path) -> dict[str, Path]:
    """Return the modules of a package by name, packages as their ``__init__``."""
    found = {}
    for path in sorted((top / room).rglob("*.py")):
        parts = [room, *path.relative_to(top / room).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, package: str, known: Iterable[str]) -> set[str]:
    """Return the known modules that a source text imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            # a name is that of a module, or of something in one
            named = {f"{base}.{alias.name}" for alias in node.names}
            found |= named | ({base} if named - set(known) else set())
    return found & set(known)


def graph() -> dict[str, set[str]]:
    """Return what each module of ours imports of ours."""
    paths = {
        name: path
        for room, folder in ROOMS.items()
        for name, path in modules(room, TOP / folder).items()
    }
    return {
        name: imports(
            path.read_text("utf-8"),
            name if path.name == "__init__.py" else name.rpartition(".")[0],
            paths,
        )
        for name, path in paths.items()
    }


def circle(edges: Graph) -> list[str]:
    """Return a circle of a graph, or nothing."""
    left = {node: set(after) & set(edges) for node, after in edges.items()}
    while ends := [node for node, after in left.items() if not after]:
        for node in ends:
            del left[node]
        left = {node: after - set(ends) for node, after in left.items()}
    node, way = min(left, default=None), []
    while node is not None and node not in way:
        way.append(node)
        node = min(left[node])
    return [] if node is None else [*way[way.index(node) :], node]


def folder(module: str) -> str:
    """Return the folder of a package that a module is in; at its root, the module."""
    return ".".join(module.split(".")[:2])


GRAPH = graph()


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"streampool"}))
def test_no_module_needs_one_that_needs_it(room):
    own = {name: after for name, after in GRAPH.items() if name.split(".")[0] == room}
    assert len(own) > 5
    assert circle(own) == []


@pytest.mark.parametrize("room", ["streampool_hw", "streampool_sim"])
def test_no_folder_needs_one_that_needs_it(room):
    folders: dict[str, set[str]] = {}
    for module, after in GRAPH.items():
        if module.startswith(f"{room}."):
            others = {folder(each) for each in after if each.startswith(f"{room}.")}
            folders.setdefault(folder(module), set()).update(others - {folder(module)})
    assert len(folders) > 8
    assert circle(folders) == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_needs_one_above_it(room):
    up = {
        (module, other)
        for module, after in GRAPH.items()
        for other in after
        if module.split(".")[0] == room and other.split(".")[0] not in (room, *BELOW[room])
    }
    assert not up


def test_circles_and_imports_are_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    known = {"p", "p.a", "p.q", "p.q.b", "p.q.c"}
    source = "if False:\n    import p.a\ndef f():\n    from .b import x\n    from .. import a\n"
    assert imports(source, "p.q", known) == {"p.a", "p.q.b"}
    assert imports("from . import c\nfrom .. import name\nimport os", "p.q", known) == {
        "p.q.c",
        "p",
    }
    assert imports("from p.q import name", "p", known) == {"p.q"}
