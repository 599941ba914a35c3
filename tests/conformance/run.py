"""Check the golden model and the simulated core against runtimes: ``make conformance``.

Each runtime draws random specifications and runs them itself. Through the golden model go 2,000 of
each, through the core 200 of those. What is left over of a mismatch is listed.
"""

import argparse
import importlib
import importlib.util
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from streampool_farm.farm import ALONE, Farm
from streampool_farm.store import FOLDER
from streampool_farm.task import Task, TaskFailed
from streampool_hw.export.yosys import ToolError

from . import onnx_cases
from .cases import drawn
from .parts import part

ORACLES = ("torch", "onnxruntime", "tflite")
SPECIFICATIONS, IN_CORES, SEED = 2000, 200, 1
PART, BATCH = 250, 40
"""Specifications, and cores, that a worker checks at once."""

RECORDED, MOST_RECORDED = 40, 150
"""How many cases of each runtime are recorded, and the values that one may have."""

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "conformance.json"
"""Of whole runs; those of others go to the same name in ``build/``."""


def held(farm: Farm, names: Sequence[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Check model and cores against runtimes, in parts on a farm; yield what came of each.

    Yields
    ------
    dict
        ``runtime``, ``version``; or ``skipped``, a sentence. ``specifications`` by operator,
        ``in_cores``, ``refused``, ``values``; ``mismatches``, a list of sentences; ``own``, which
        values are the runtime's own float32 rounding; ``every_sum``, as `parts.sums` returns.
    """
    runs = []
    for name in names:
        oracle = importlib.import_module(f".with_{name}", __package__)
        if importlib.util.find_spec(oracle.PACKAGE) is None:
            yield {"runtime": name, "skipped": f"{oracle.PACKAGE} is not installed"}
        else:
            runs.append(Held(name, oracle, options))
    start = time.monotonic()
    # some of the specifications are refused, so others have to be drawn
    while tasks := [(task, run) for run in runs for task in run.missing()]:
        of = {task.key: run for task, run in tasks}
        for task, found in farm.run(task for task, _ in tasks):
            of[task.key].take(found)
            faults = sum(len(run.faults) for run in runs)
            tell(f"{task.label}: {of[task.key].progress}", start, faults)
    for run in runs:
        yield run.row()


class Held:
    """A runtime's run: the parts that are missing, and what came of the others."""

    def __init__(self, name: str, oracle: Any, options: argparse.Namespace):
        self._name, self._oracle, self._version = name, oracle, oracle.load()
        self._count, self._in_cores = options.count, options.cores
        self._seed, self._drawn = options.seed, 0
        self._cases: dict[int, dict[str, Any]] = {}
        self._sums: dict[str, Any] = {}
        self._core_faults: list[str] = []
        self._asked = False

    @property
    def _wanted(self) -> list[dict[str, Any]]:
        """The specifications that count, in the order of their numbers."""
        return [self._cases[index] for index in sorted(self._cases)[: self._count]]

    @property
    def progress(self) -> str:
        """How far it is."""
        return f"{len(self._wanted)}/{self._count} specifications"

    @property
    def faults(self) -> list[str]:
        """What is wrong so far."""
        golden = [fault for case in self._wanted for fault in case["faults"]]
        return [*golden, *self._core_faults, *self._sums.get("faults", ())]

    def missing(self) -> list[Task]:
        """Return the parts that are next; none when all is there."""
        found = []
        size = min(PART, self._count)
        for _ in range(len(self._wanted), self._count, size):
            ends = {"first": self._drawn, "end": self._drawn + size}
            found.append(self._part("specifications", **ends))
            self._drawn += size
        if not found and not self._asked:
            self._asked = True
            indices = [case["index"] for case in self._wanted[: self._in_cores]]
            for at in range(0, len(indices), BATCH):
                found.append(self._part("cores", indices=indices[at : at + BATCH]))
            found.append(self._part("sums"))
        return found

    def _part(self, what: str, **how: Any) -> Task:
        return part(what, self._oracle, self._version, seed=self._seed, **how)

    def take(self, found: dict[str, Any]) -> None:
        """Take the result of a part."""
        if "cases" in found:
            self._cases |= {case["index"]: case for case in found["cases"]}
        elif "rows" in found:
            self._sums = found
        else:
            self._core_faults += found["faults"]

    def row(self) -> dict[str, Any]:
        """Return what came of it."""
        cases = self._wanted
        values: Counter[str] = Counter()
        for case in cases:
            values[case["what"]] += case["values"]
        return {
            "runtime": self._name,
            "package": self._oracle.PACKAGE,
            "version": self._version,
            "specifications": _counted(cases),
            "in_cores": _counted(cases[: self._in_cores]),
            "refused": cases[-1]["index"] + 1 - len(cases),
            "values": dict(sorted(values.items())),
            "mismatches": self.faults,
            "own": [one for case in cases for one in case["own"]],
            "every_sum": self._sums["rows"],
        }


def _counted(cases: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return how many cases there are of each operator."""
    return dict(sorted(Counter(case["what"] for case in cases).items()))


def record(path: Path) -> None:
    """Write a few cases of each runtime, with what it gave, for tests that have none of them."""
    kept = []
    for name in ORACLES:
        oracle = importlib.import_module(f".with_{name}", __package__)
        version = oracle.load()
        left, index = RECORDED, 0
        while left:
            case = drawn(oracle, SEED, index)
            index += 1
            if case is None or case.x.size > MOST_RECORDED:
                continue
            left -= 1
            kept.append({"source": f"{oracle.PACKAGE} {version}", **case.to_json()})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in kept)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")


def tell(what: str, start: float, faults: int) -> None:
    """Say on standard error how far it is."""
    print(
        f"{what}, {faults} mismatches, {time.monotonic() - start:.0f} s",
        file=sys.stderr,
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0: no mismatch, 1: one, 2: a part failed, 130: stopped by hand."""
    parser = argparse.ArgumentParser(prog="python -m conformance.run", description=__doc__)
    parser.add_argument(
        "runtimes", nargs="*", metavar="RUNTIME", help=f"{', '.join(ORACLES)}, onnx"
    )
    parser.add_argument("--count", type=int, default=SPECIFICATIONS, help=f"({SPECIFICATIONS})")
    parser.add_argument("--cores", type=int, default=IN_CORES, help=f"({IN_CORES})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"({SEED})")
    parser.add_argument("--output", type=Path, help="the results as JSON")
    parser.add_argument("--record", type=Path, help="write a few cases there, and do no more")
    parser.add_argument(
        "--scheduler", default=ALONE, help="of Dask, or local (this machine, without Dask)"
    )
    parser.add_argument("--workers", type=int, help="that start here (the processors)")
    parser.add_argument("--store", type=Path, default=ROOT / FOLDER, help="of results")
    options = parser.parse_args(argv)
    if options.record is not None:
        record(options.record)
        return 0
    for name in options.runtimes:
        if name not in (*ORACLES, "onnx"):
            parser.error(f"{name!r} is no runtime; {', '.join(ORACLES)} are, and onnx's cases")
    if not 0 <= options.cores <= options.count or options.count < 1:
        parser.error("--count must be 1 or more, and --cores no more than that")
    output = options.output
    if output is None:
        whole = (options.count, options.cores) == (SPECIFICATIONS, IN_CORES)
        output = RESULTS if whole else ROOT / "build" / RESULTS.name
        output.parent.mkdir(exist_ok=True)
    found = {}
    if output.is_file():
        found = {row["runtime"]: row for row in json.loads(output.read_text("utf-8"))}
    faults = 0
    if not options.runtimes or "onnx" in options.runtimes:
        rows = [case.row() for case in onnx_cases.held()]
        _write(output.with_name("onnx_cases.json"), rows)
        faults += sum(row["core"] == "DIFFERS" for row in rows)
    names = [name for name in options.runtimes or ORACLES if name != "onnx"]
    try:
        with Farm(options.store, options.scheduler, options.workers) as farm:
            for row in held(farm, names, options):
                faults += _kept(row, options, found, output)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    except (TaskFailed, ToolError) as error:
        print(error, file=sys.stderr)
        return 2
    return int(faults > 0)


def _kept(
    row: dict[str, Any], options: argparse.Namespace, found: dict[str, Any], output: Path
) -> int:
    """Put what came of a runtime into the results, and print it; returns its mismatches."""
    name = row["runtime"]
    if "skipped" in row:
        print(f"{name}: skipped, {row['skipped']}")
        return 0
    found[name] = {**row, "seed": options.seed}
    _write(output, [found[each] for each in ORACLES if each in found])
    for fault in row["mismatches"][:5]:
        print(f"FAULT {fault}")
    print(
        f"{name} {row['version']}: {options.count} specifications, {options.cores} of them"
        f" through cores, {len(row['mismatches'])} mismatches,"
        f" {len(row['own'])} values of its own rounding"
    )
    return len(row["mismatches"])


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main())
