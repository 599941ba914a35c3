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
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from streampool_farm.farm import Farm
from streampool_farm.store import FOLDER
from streampool_farm.task import Task, TaskFailed, digest
from streampool_sim.frames import unpack
from streampool_sim.log import fingerprint

from . import onnx_cases
from .cases import Case, UnpoolCase, drawn
from .simulated import core_of, indices_of, traces

ORACLES = ("torch", "onnxruntime", "tflite")
SPECIFICATIONS, IN_CORES, SEED = 2000, 200, 1
BATCH = 40
"""Cores at once."""

RECORDED, MOST_RECORDED = 40, 150
"""How many cases of each runtime are recorded, and the values that one may have."""

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "conformance.json"
"""Of whole runs; those of others go to the same name in ``build/``."""


def through_golden(case: Case | UnpoolCase) -> list[str]:
    """Check the golden model against a runtime's output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case.judge(*case.golden())


def through_cores(cases: Sequence[Case | UnpoolCase]) -> list[str]:
    """Check simulated cores against a runtime's outputs, or the exact value where it is listed."""
    cores = [core_of(case.job) for case in cases]
    faults = []
    runs = traces(cores, [case.x for case in cases], [case.indices for case in cases])
    for case, core, trace in zip(cases, cores, runs, strict=True):
        known = len(case.own)
        found = case.judge(unpack(core.job, trace.out), indices_of(core, trace))
        faults += [f"core: {fault}" for fault in found]
        del case.own[known:]  # the golden model's are listed already
    return faults


def hold(name: str, count: int, in_cores: int, seed: int) -> dict[str, Any]:
    """Check both against one runtime, and return what came of it.

    Returns
    -------
    dict
        ``runtime``, ``version``; or ``skipped``, a sentence. ``specifications`` by operator,
        ``in_cores``, ``refused``, ``values``; ``mismatches``, a list of sentences; ``own``, which
        values are the runtime's own float32 rounding; ``every_sum``, as of the function.
    """
    oracle = importlib.import_module(f".with_{name}", __package__)
    if importlib.util.find_spec(oracle.PACKAGE) is None:
        return {"runtime": name, "skipped": f"{oracle.PACKAGE} is not installed"}
    version = oracle.load()
    start = time.monotonic()
    cases: list[Case | UnpoolCase] = []
    faults: list[str] = []
    refused = 0
    while len(cases) < count:
        case = drawn(oracle, seed, len(cases) + refused)
        if case is None:
            refused += 1
            continue
        cases.append(case)
        faults += through_golden(case)
        if len(cases) % 500 == 0 or len(cases) == count:
            tell(f"{name}: {len(cases)}/{count} specifications", start, len(faults))
    for at in range(0, in_cores, BATCH):
        faults += through_cores(cases[at : min(at + BATCH, in_cores)])
        tell(f"{name}: {min(at + BATCH, in_cores)}/{in_cores} cores", start, len(faults))
    rows, more = every_sum(oracle)
    tell(f"{name}: every sum", start, len(faults + more))
    return {
        "runtime": name,
        "package": oracle.PACKAGE,
        "version": version,
        "specifications": dict(sorted(Counter(case.what for case in cases).items())),
        "in_cores": dict(sorted(Counter(case.what for case in cases[:in_cores]).items())),
        "refused": refused,
        "values": _values(cases),
        "mismatches": faults + more,
        "own": [one for case in cases for one in case.own],
        "every_sum": rows,
    }


def held(payload: dict[str, Any]) -> dict[str, Any]:
    """Do what `hold` does as a task, on whatever machine."""
    if payload["sources"] != _sources():
        raise TaskFailed("this worker has other sources than the command; install the same on both")
    return hold(payload["name"], payload["count"], payload["cores"], payload["seed"])


def on_farm(names: Sequence[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what came of runtimes, each of them a task of a farm."""
    asked = {"count": options.count, "cores": options.cores, "seed": options.seed}
    payloads = [{"name": name, "sources": _sources(), **asked} for name in names]
    tasks = []
    for each in payloads:
        package = importlib.import_module(f".with_{each['name']}", __package__).PACKAGE
        version = metadata.version(package) if importlib.util.find_spec(package) else None
        key = digest("conformance", each, version)
        tasks.append(Task(f"{__package__}.run:held", each, key, each["name"]))
    with Farm(options.store, options.scheduler) as farm:
        yield from (found for _, found in farm.run(tasks))


def _sources() -> str:
    """Return a hash of all that a result rests on, but for the runtimes."""
    own = sorted(Path(__file__).parent.glob("*.py"))
    return digest(fingerprint(), [path.read_text("utf-8") for path in own])


def every_sum(oracle: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Check the golden model against a runtime on every sum of some numbers of uint8 values.

    Returns
    -------
    rows : list of dict
        For each operator and scale ``what``, ``scale``, ``zero_points``, ``sums`` that were tried,
        ``own``, those that the runtime's float32 rounded otherwise, and the first of them.
    faults : list of str
        Other mismatches.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    faults: list[str] = []
    for case in oracle.exhaustive():
        faults += through_golden(case)
        spec = case.spec
        scale = str(spec.scale) if spec.scale.denominator < 100 else f"{float(spec.scale):.6f}"
        row = rows.setdefault(
            (case.what, scale),
            {"what": case.what, "scale": scale, "sums": 0, "own": 0, "first": None},
        )
        row["sums"] += case.y.size
        row["own"] += len(case.own)
        if case.own and row["first"] is None:
            taps, zeros = spec.kernel[1], list(spec.zero_points)
            total = int(case.x[_window(case.own[0]["at"], case.x.shape)].sum())
            row["first"] = {"taps": taps, "zero_points": zeros, "sum": total, **case.own[0]}
    return list(rows.values()), faults


def _window(at: tuple[int, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return where the inputs of an output are: a row, whatever it is along."""
    frame, channel, row, _ = at
    return frame, channel, row, slice(0, shape[3])


def _values(cases: Sequence[Case | UnpoolCase]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for case in cases:
        found[case.what] += case.y.size
    return dict(sorted(found.items()))


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
    """Run the command line; 0: no mismatch, 1: one, 130: stopped by hand."""
    parser = argparse.ArgumentParser(prog="python -m conformance.run", description=__doc__)
    parser.add_argument(
        "runtimes", nargs="*", metavar="RUNTIME", help=f"{', '.join(ORACLES)}, onnx"
    )
    parser.add_argument("--count", type=int, default=SPECIFICATIONS, help=f"({SPECIFICATIONS})")
    parser.add_argument("--cores", type=int, default=IN_CORES, help=f"({IN_CORES})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"({SEED})")
    parser.add_argument("--output", type=Path, help="the results as JSON")
    parser.add_argument("--record", type=Path, help="write a few cases there, and do no more")
    parser.add_argument("--scheduler", help="share the runtimes out: its address, or local")
    parser.add_argument("--store", type=Path, default=ROOT / FOLDER, help="of these")
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
    if options.scheduler is None:
        rows = (hold(name, options.count, options.cores, options.seed) for name in names)
    else:
        rows = on_farm(names, options)
    while True:
        try:
            row = next(rows, None)
        except KeyboardInterrupt:
            print("\nstopped; what was done of other runtimes is kept", file=sys.stderr)
            return 130
        if row is None:
            break
        name = row["runtime"]
        if "skipped" in row:
            print(f"{name}: skipped, {row['skipped']}")
            continue
        found[name] = {**row, "seed": options.seed}
        faults += len(row["mismatches"])
        _write(output, [found[each] for each in ORACLES if each in found])
        for fault in row["mismatches"][:5]:
            print(f"FAULT {fault}")
        print(
            f"{name} {row['version']}: {options.count} specifications, {options.cores} of them"
            f" through cores, {len(row['mismatches'])} mismatches,"
            f" {len(row['own'])} values of its own rounding"
        )
    return int(faults > 0)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main())
