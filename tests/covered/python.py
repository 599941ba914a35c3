"""Lines and branches of golden and hw that a fixed, quick share of the tests runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("golden/streampool_golden", "hw/streampool_hw")
TESTS = (
    "golden/test_adaptive.py",
    "golden/test_beats.py",
    "golden/test_columns.py",
    "golden/test_edges.py",
    "golden/test_float_clamp.py",
    "golden/test_floats.py",
    "golden/test_indices.py",
    "golden/test_job.py",
    "golden/test_layers.py",
    "golden/test_naive.py",
    "golden/test_operations.py",
    "golden/test_pool.py",
    "golden/test_public_names.py",
    "golden/test_quantised.py",
    "golden/test_refusals.py",
    "golden/test_spec.py",
    "hw/test_blocks.py",
    "hw/test_dtypes.py",
    "hw/test_gates.py",
    "hw/test_ipxact.py",
    "hw/test_memories.py",
    "hw/test_names.py",
    "hw/test_parts.py",
    "hw/test_postprocess.py",
    "hw/test_reductions.py",
    "hw/test_runtime_jobs.py",
    "hw/test_schedule.py",
    "hw/test_uneven.py",
    "hw/test_verilog.py",
)
"""The share: what imports the packages, and runs a few minutes on one core."""


class Failure(RuntimeError):
    """A test failed, so nothing can be said of what it reaches."""


def reached(folder: Path, tests: Iterable[str] = TESTS) -> dict[str, Any]:
    """Run tests; return what they reach of each package, and of each file what they do not."""
    folder.mkdir(parents=True, exist_ok=True)
    data = f"--data-file={folder / 'python.data'}"
    _coverage(
        *("run", data, "--branch", f"--source={','.join(PACKAGES)}", "-m", "pytest", "-q", "-x"),
        *("-p", "no:cacheprovider", "-p", "no:xdist", *(f"tests/{name}" for name in tests)),
    )
    report = folder / "python.report.json"
    _coverage("json", data, "-q", "-o", str(report))
    files = json.loads(report.read_text("utf-8"))["files"]
    packages = {package: _total(package, files) for package in PACKAGES}
    missed = [
        {"path": path, "lines": _lines(file), "branches": _branches(file)}
        for path, file in sorted(files.items())
        if file["missing_lines"] or file["missing_branches"]
    ]
    return {"coverage": metadata.version("coverage"), "packages": packages, "files": missed}


def _coverage(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coverage", *words],
        cwd=ROOT,
        env=os.environ | {"CI": "1"},  # the examples are always the same
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise Failure(f"coverage {words[0]} ended with {done.returncode}:\n{said}")


def _total(package: str, files: dict[str, Any]) -> dict[str, int]:
    of = [file["summary"] for path, file in files.items() if path.startswith(f"{package}/")]
    names = {
        "lines": "num_statements",
        "run": "covered_lines",
        "branches": "num_branches",
        "taken": "covered_branches",
    }
    return {name: sum(each[key] for each in of) for name, key in names.items()}


def _lines(file: dict[str, Any]) -> str:
    """Return the lines that are not run, as ranges."""
    runs = groupby(enumerate(file["missing_lines"]), lambda both: both[1] - both[0])
    ends = [[line for _, line in run] for _, run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in ends)


def _branches(file: dict[str, Any]) -> str:
    """Return the branches that are not taken, of lines that are run; below 0 a function ends."""
    missing = set(file["missing_lines"])
    taken = [each for each in file["missing_branches"] if each[0] not in missing]
    return ", ".join(f"{first} to {'the end' if then < 0 else then}" for first, then in taken)
