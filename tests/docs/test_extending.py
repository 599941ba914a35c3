"""What docs/extending.md shows is true: its lines are run, put in from outside."""

import re
from textwrap import dedent
from typing import Any

import blocks
import numpy as np
import pytest
from streampool_golden import PoolSpec, dtypes, operations
from streampool_hw.boards import table
from streampool_hw.reduce import operations as gates
from streampool_hw.reduce import reduction
from streampool_sim import simulate

TEXT = (blocks.ROOT / "docs" / "extending.md").read_text("utf-8")
OPERATION, GATES, FLOAT, BOARD, VERB = map(
    dedent, re.findall(r"^   ```python\n(.*?)^   ```$", TEXT, re.M | re.S)
)


def entry(shown: str, *modules: Any) -> dict[str, Any]:
    """Return an entry of a table, after the statements that are shown before it."""
    names = {name: value for module in modules for name, value in vars(module).items()}
    before, _, line = shown.rpartition("# in OPERATIONS\n")
    exec(before, names)
    return eval(f"{{{line}}}", names)


def test_the_operation(monkeypatch: pytest.MonkeyPatch):
    for made, name in (
        (entry(OPERATION, operations), operations.OPERATIONS),
        (entry(GATES, reduction, gates), gates.OPERATIONS),
    ):
        assert list(made) == ["or"]
        monkeypatch.setitem(name, "or", made["or"])
    frames = np.random.default_rng(6).integers(-8, 8, (3, 2, 8, 8), dtype=np.int8)
    result = simulate(PoolSpec("or", 2, dtype="int4"), frames, lanes=2, engine="amaranth")
    windows = frames.reshape(3, 2, 4, 2, 4, 2)
    assert np.array_equal(result.output, np.bitwise_or.reduce(windows, axis=(3, 5)))


def test_the_float(monkeypatch: pytest.MonkeyPatch):
    [(name, shape)] = entry(FLOAT).items()
    monkeypatch.setitem(dtypes.FLOATS, name, shape)
    assert dtypes.DType.of(name).numpy.itemsize * 8 == shape[0]


def test_the_board():
    board = eval(BOARD, {**vars(table)})
    platform = board.create_platform()
    assert board.chip.part == f"{platform.device}-{platform.package}"
    names = {name for name, _ in platform.resources}
    assert {lamp.pin.name for lamp in board.lamps} | {board.button.name} <= names


def test_the_verb(capsys: pytest.CaptureFixture[str]):
    names: dict[str, Any] = {"__package__": "streampool_sim.cli"}
    exec(VERB, names)
    words = ["--kernel", "3", "--padding", "1", "--shape", "2x4x4"]
    assert names["command"](words, standalone_mode=False) == 0
    assert capsys.readouterr().out == "16 cycles per frame at least, 16 at most\n"
