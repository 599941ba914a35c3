"""`make` says in one sentence what a machine lacks, before it does anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("target", "there", "missing"),
    [
        ("test", [], "perl, a C++ compiler (c++ or g++), python3 (3.11 or later) with venv"),
        ("test", ["g++", "perl"], "python3 (3.11 or later) with venv"),
        ("test", ["python3", "c++"], "perl"),
        ("sweep", ["python3", "perl"], "a C++ compiler (c++ or g++)"),
        ("run", [], "python3 (3.11 or later) with venv"),
    ],
)
def test_missing_tools(target: str, there: list[str], missing: str, tmp_path: Path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in there:
        # All that is asked of them here is whether they start.
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, target],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    said = f"streampool: this needs {missing}, which this machine lacks."
    assert done.stderr.splitlines()[0] == said
    assert not (tmp_path / ".venv").exists()


def test_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY: ")]
    # under another make it would name the folders that it enters
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    targets = {line.split()[1] for line in listed.stdout.splitlines()}
    assert targets == set(phony.split()[1:]) - {"tools"}
