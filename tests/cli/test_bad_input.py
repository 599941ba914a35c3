"""Bad command lines by the hundred: one sentence about the right thing, status 2 and no file.

`bad_commands.txt` has one on each line, and what its refusal says; the dots stand for what a field
takes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command

TABLE = Path(__file__).with_name("bad_commands.txt").read_text("utf-8")
ROWS = [tuple(line.split("  =>  ")) for line in TABLE.splitlines() if line]
LEAST = 150
FILES: dict[str, Callable[[], Any]] = {
    "map.npy": lambda: np.arange(36, dtype=np.int8).reshape(6, 6),
    "stack.npy": lambda: np.zeros((2, 3, 6, 6), np.int8),
    "six.npy": lambda: np.zeros((1, 1, 1, 1, 1, 1), np.int8),
    "text.npy": lambda: np.array(["a"]),
    "bools.npy": lambda: np.zeros((4, 4), bool),
    "complex.npy": lambda: np.zeros((4, 4), complex),
    "floats.npy": lambda: np.full((4, 4), 0.5),
    "none.npy": lambda: np.zeros((1, 0, 4, 4), np.int8),
    "scalar.npy": lambda: np.int8(3),
    "note.txt": lambda: "hello",
    "x.json": lambda: "{",
    "list.json": lambda: "[]",
}


@pytest.fixture
def files(folder: Path) -> None:
    """Write the files that the table names."""
    for name, made in FILES.items():
        content = made()
        if isinstance(content, str):
            (folder / name).write_text(content)
        else:
            np.save(folder / name, content)


def test_the_table_is_long_and_has_no_line_twice():
    assert len({row[0] for row in ROWS}) == len(ROWS) >= LEAST


@pytest.mark.parametrize(("line", "said"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.usefixtures("files")
def test_bad_command(line: str, said: str, refused: Command):
    told = refused(*line.split()).err
    for part in said.split(" ... "):
        assert part in told
