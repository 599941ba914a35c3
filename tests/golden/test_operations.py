"""The table of operations: an entry put in from outside is one like any other."""

import ast
from itertools import product
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pytest
from streampool_golden import (
    OPERATIONS,
    OPS,
    Operation,
    PoolJob,
    PoolSpec,
    Reduction,
    SpecError,
    pool,
)
from streampool_golden.operations import MAXIMUM, SUM

CUBES = Operation(SUM, lambda x: x**3, "cubes", widens=True)
FARTHEST = Operation(MAXIMUM, abs, widens=True)
UNION = Reduction(np.bitwise_or, lambda low, high: 0, lambda low, high, taps: (low, high))


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(OPERATIONS, "cubes", CUBES)
    monkeypatch.setitem(OPERATIONS, "farthest", FARTHEST)
    monkeypatch.setitem(OPERATIONS, "union", Operation(UNION))


def windows(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """Return the real taps of each window as lists, in an array of objects."""
    starts = [range(-padding, n + padding - kernel + 1, stride) for n in x.shape]
    found = np.empty(tuple(map(len, starts)), object)
    for i, start in np.ndenumerate(np.empty(found.shape)):
        del start
        corner = [starts[axis][at] for axis, at in enumerate(i)]
        found[i] = [
            int(x[tap])
            for tap in product(*(range(c, c + kernel) for c in corner))
            if all(0 <= at < n for at, n in zip(tap, x.shape, strict=True))
        ]
    return found


@pytest.mark.parametrize(
    ("op", "dtype", "reduce", "out"),
    [
        ("cubes", "int5", lambda taps: sum(x**3 for x in taps), "int17"),
        ("cubes", "uint4", lambda taps: sum(x**3 for x in taps), "uint15"),
        ("farthest", "int5", lambda taps: max(map(abs, taps)), "uint5"),
        ("union", "uint4", lambda taps: np.bitwise_or.reduce(taps), "uint4"),
    ],
)
def test_an_operation_from_outside(op, dtype, reduce, out):
    spec = PoolSpec(op, 3, 2, 1, dtype=dtype)
    job = PoolJob(spec, (1, 5, 7))
    low, high = spec.in_dtype.low, spec.in_dtype.high
    x = np.random.default_rng(1).integers(low, high, (1, 5, 7), endpoint=True)
    expected = np.vectorize(reduce)(windows(x[0], 3, 2, 1))
    assert np.array_equal(pool(spec, x)[0], expected)
    assert np.array_equal(job.reference(x[np.newaxis])[0][0, 0], expected)
    assert (job.output.name, job.kind) == (out, f"{op} pooling")
    assert PoolSpec.from_json(spec.to_json()) == spec


def test_what_an_entry_does_not_say_is_refused():
    cases: list[tuple[str, dict[str, Any]]] = [
        ("indices", {"indices": "plane"}),
        ("divisor_override", {"divisor_override": 3}),
        ("scale", {"scale": "1/2"}),
        ("zero_points", {"zero_points": (1, 1)}),
        ("dtype", {"dtype": "float16"}),
        ("out_dtype", {"out_dtype": "int8"}),
    ]
    for field, fields in cases:
        with pytest.raises(SpecError) as refused:
            PoolSpec("cubes", 2, **fields)
        assert refused.value.field == field
    with pytest.raises(SpecError, match="sums 4 cubes of int32"):
        PoolJob(PoolSpec("cubes", 2, dtype="int32"), (1, 2, 2))


def test_an_operation_that_is_in_no_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(OPERATIONS, "cubes")
    with pytest.raises(SpecError, match="op must be one of max, min"):
        PoolSpec("cubes", 2)


def comparisons(source: str) -> list[str]:
    """Return where a text compares something with the name of an operation."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = {part.value for side in sides for part in ast.walk(side) if is_text(part)}
            if names & set(OPS):
                found.append(ast.unparse(node))
    return found


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("room", ["golden/streampool_golden", "hw", "sim"])
def test_no_operation_is_asked_for_by_name(room):
    paths = sorted((Path(__file__).parents[2] / room).rglob("*.py"))
    assert len(paths) > 20
    assert {path.name: found for path in paths if (found := comparisons(path.read_text()))} == {}


def test_comparisons_are_found():
    assert comparisons("if spec.op == 'avg': pass") == ["spec.op == 'avg'"]
    assert comparisons("x = op not in ('max', 'min') and op == 'unpool'") == [
        "op not in ('max', 'min')"
    ]
