"""What docs/ state of what the tests reach, from the files that ``make coverage`` leaves."""

import json
from collections.abc import Iterable
from pathlib import Path

import blocks

_KINDS = {"line": "lines", "branch": "branches", "toggle": "toggles", "expr": "expressions"}


def verilog(path: Path) -> str:
    """Return, core by core, how many points of its Verilog the frames reach."""
    found = json.loads(path.read_text("utf-8"))
    rows: list[list[object]] = []
    totals = [0] * (len(_KINDS) + 2)
    for core in found["rows"]:
        points, never, listed = (core[key] for key in ("points", "never", "listed"))
        numbers = [points[kind] - never.get(kind, 0) - listed.get(kind, 0) for kind in _KINDS]
        numbers += [sum(never.values()), sum(listed.values())]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        rows.append([core["name"], *(f"{number:,}" for number in numbers)])
    rows.append(["all", *(f"{number:,}" for number in totals)])
    head = ["core", *(f"> {name}" for name in _KINDS.values()), "> proved out of reach", "> listed"]
    return f"{blocks.table(' | '.join(head), rows)}\nBy Verilator {found['verilator']}.\n"


def listed(path: Path) -> str:
    """Return the reasons why points are not reached, and how many each is for."""
    found = json.loads(path.read_text("utf-8"))["listed"]
    return "".join(f"- {why} ({count:,} points).\n" for why, count in found.items())


def bins(path: Path) -> str:
    """Return the bins by what they are of, and how many were hit."""
    found = json.loads(path.read_text("utf-8"))
    rows = [[name, group["bins"], group["hit"]] for name, group in found["groups"].items()]
    rows.append(["all", *(sum(int(row[k]) for row in rows) for k in (1, 2))])
    return blocks.table("bins of | > bins | > hit", rows)


def python(path: Path) -> str:
    """Return lines and branches of the packages that the tests run."""
    found = json.loads(path.read_text("utf-8"))
    rows = [_python_row(name, package) for name, package in found["packages"].items()]
    head = "package | > lines | > of these run | > branches | > of these taken | > of both"
    return f"{blocks.table(head, rows)}\nBy coverage.py {found['coverage']}.\n"


def _python_row(name: str, package: dict[str, int]) -> list[object]:
    lines, run, branches, taken = (package[key] for key in ("lines", "run", "branches", "taken"))
    return [
        f"`{name}`",
        *(f"{number:,}" for number in (lines, run, branches, taken)),
        f"{(run + taken) / (lines + branches):.1%}",
    ]


def python_missed(path: Path) -> str:
    """Return, file by file, the lines that no test runs and the branches that none takes."""
    files: Iterable[dict] = json.loads(path.read_text("utf-8"))["files"]
    rows = [[f"`{each['path']}`", each["lines"] or "-", each["branches"] or "-"] for each in files]
    return blocks.table("file | lines | branches", rows)
