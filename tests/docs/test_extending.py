"""What docs/extending.md shows is true: its lines are run, put in from outside."""

import re
import sys
from textwrap import dedent
from types import ModuleType
from typing import Any

import blocks
import numpy as np
import pytest
from streampool_golden import PoolSpec, dtypes, operations
from streampool_hw.boards import table as boards
from streampool_hw.reduce import operations as gates
from streampool_hw.reduce import reduction
from streampool_sim import cli, simulate
from streampool_sim.cli import registry

TEXT = (blocks.ROOT / "docs" / "extending.md").read_text("utf-8")
OPERATION, GATES, FLOAT, BOARD, VERB, LISTED = map(
    dedent, re.findall(r"^   ```python\n(.*?)^   ```$", TEXT, re.M | re.S)
)


def entry(shown: str, beside: ModuleType, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run lines where they say they belong, by default beside the table; return its entry."""
    *placed, line = re.split(r"^# in (\S+)\n", shown, flags=re.M)
    places = {"reduction.py": reduction, "operations.py": beside}
    places |= dict.fromkeys(("OPERATIONS", "GATES"), beside)
    where = beside
    for before, place in zip(placed[::2], placed[1::2], strict=True):
        names = dict(vars(where))
        exec(before, names)
        for name in names.keys() - vars(where).keys():
            patch.setattr(where, name, names[name], raising=False)
        where = places[place]
    return eval(f"{{{line}}}", dict(vars(where)))


def test_the_operation(monkeypatch: pytest.MonkeyPatch):
    for shown, module, table in (
        (OPERATION, operations, operations.OPERATIONS),
        (GATES, gates, gates.GATES),
    ):
        made = entry(shown, module, monkeypatch)
        assert list(made) == ["or"]
        monkeypatch.setitem(table, "or", made["or"])
    frames = np.random.default_rng(6).integers(-8, 8, (3, 2, 8, 8), dtype=np.int8)
    result = simulate(PoolSpec("or", 2, dtype="int4"), frames, lanes=2, engine="amaranth")
    windows = frames.reshape(3, 2, 4, 2, 4, 2)
    assert np.array_equal(result.output, np.bitwise_or.reduce(windows, axis=(3, 5)))


def test_the_float(monkeypatch: pytest.MonkeyPatch):
    [(name, shape)] = eval(f"{{{FLOAT}}}").items()
    monkeypatch.setitem(dtypes.FLOATS, name, shape)
    assert dtypes.DType.of(name).numpy.itemsize * 8 == shape[0]


def test_the_board():
    board = eval(BOARD, {**vars(boards)})
    platform = board.create_platform()
    assert board.chip.part == f"{platform.device}-{platform.package}"
    names = {name for name, _ in platform.resources}
    assert {lamp.pin.name for lamp in board.lamps} | {board.button.name} <= names


def test_the_verb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    module = ModuleType("streampool_sim.cli.limits")
    module.__package__ = "streampool_sim.cli"
    exec(VERB, vars(module))
    [(name, about)] = eval(f"{{{LISTED}}}").items()
    monkeypatch.setitem(sys.modules, f"streampool_sim.cli.{name}", module)
    monkeypatch.setitem(registry._OURS, name, about)
    registry.verbs.cache_clear()
    try:
        words = ["--kernel", "3", "--padding", "1", "--shape", "2x4x4"]
        assert cli.main([name, *words]) == 0
        assert capsys.readouterr().out == "16 cycles per frame at least, 16 at most\n"
        for asked in ([], [name]):
            with pytest.raises(SystemExit):
                cli.main([*asked, "--help"])
        said = capsys.readouterr().out
        assert f"  {name} " in said and about in said
        assert f"examples:\n  streampool {name}" in said
    finally:
        registry.verbs.cache_clear()
