"""Put faults into netlists, and show that each is found: ``make mutants``.

A result is kept under a digest of what it rests on, so a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import metadata, resources
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from streampool_golden import SpecWarning
from streampool_hw import PoolCore
from streampool_hw.export import yosys
from streampool_sim.progress import Progress

from . import equal, netlists
from .cores import CORES
from .listed import NETLISTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "mutants"
COUNT = 112
"""Mutants of each core's netlist."""
LIMIT = 300
"""Seconds that a mutant's proof may take; most take two or three."""


def digest(*parts: str) -> str:
    """Return what a result of these texts is kept under."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def kept(folder: Path, key: str, find: Callable[[], Any]) -> Any:
    """Return the result of a key, which is found if it is not there yet."""
    path = folder / "results" / f"{key}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    result = find()
    if result.get("said") == "open":  # another time there may be more of it
        return result
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(path)
    return result


def _source(module: Any) -> str:
    return Path(module.__file__).read_text("utf-8")


# as they are imported: they may be edited while this runs
_NETLISTS, _EQUAL = map(_source, (netlists, equal))


def of_netlist(name: str, count: int, folder: Path) -> dict[str, Any]:
    """Run the mutants of one core."""
    warnings.simplefilter("ignore", SpecWarning)
    job = CORES[name]
    engine = resources.files("streampool_sim.engines").joinpath("driver.cc").read_text("utf-8")
    rtlil = yosys.to_rtlil(PoolCore(job), "top")
    place = folder / "netlists" / name.replace(", ", "-").replace(" ", "-")

    def find() -> dict[str, Any]:
        start = time.monotonic()
        mutants, killed, left = netlists.judged(job, count, place)
        return {
            "name": name,
            "mutants": len(mutants.faults),
            "killed": killed,
            "left": left,
            "flat": mutants.flat,
            "seconds": round(time.monotonic() - start, 1),
        }

    return kept(folder, digest(rtlil, str(count), engine, _NETLISTS), find)


def of_survivor(name: str, flat: str, fault: str, folder: Path) -> dict[str, Any]:
    """Prove a mutant that no run told from its core."""

    def find() -> dict[str, Any]:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="proof-", dir=folder) as place:
            verdict = equal.compare(flat, fault, Path(place), LIMIT)
        return {**verdict._asdict(), "seconds": round(time.monotonic() - start, 1)}

    found = kept(folder, digest(flat, fault, _EQUAL), find)
    return {"name": name, "fault": fault, **found}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all mutants; return 1 where one is left without a reason."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help="of each netlist")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has TEXT in its name")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        rows, left = _netlists(pool, options)
    for row in rows:
        print(
            f"{row['name']}: {row['mutants']} mutants, {sum(row['killed'].values())} killed,"
            f" {row['equal']} proved equal, {row['listed']} listed"
        )
    for line in left:
        print(f"LEFT {line}")
    total = sum(row["mutants"] for row in rows)
    print(f"{total} mutants in {time.monotonic() - start:.0f} s, {len(left)} without a reason")
    if not options.only:
        listed = [
            {"name": f"{core}: `{fault}`", "why": why} for (core, fault), why in NETLISTS.items()
        ]
        document = {
            "tools": {"pyosys": metadata.version("pyosys")},
            "netlists": rows,
            "listed": listed,
        }
        text = json.dumps(document, indent=1) + "\n"
        (options.folder / "summary.json").write_text(text, encoding="utf-8")
    return int(bool(left))


Rows = tuple[list[dict[str, Any]], list[str]]
"""A row for each core or group, and what is left without a reason."""


def _netlists(pool: ProcessPoolExecutor, options: argparse.Namespace) -> Rows:
    names = [name for name in CORES if options.only in name]
    cores = _all(
        *(pool, "running netlists", "cores"),
        [(of_netlist, name, options.count, options.folder) for name in names],
    )
    proofs = _all(
        *(pool, "proving what is left", "mutants"),
        [
            (of_survivor, core["name"], core["flat"], fault, options.folder)
            for core in cores
            for fault in core["left"]
            if (core["name"], fault) not in NETLISTS
        ],
    )
    left = [
        f"{proof['name']}: {proof['said']} {proof['fault']}"
        for proof in proofs
        if proof["said"] != "equal"
    ]
    alive = {(core["name"], fault) for core in cores for fault in core["left"]}
    left += [
        f"{name}: listed, and killed or not drawn: {fault}"
        for name, fault in NETLISTS
        if name in names and options.count == COUNT and (name, fault) not in alive
    ]
    return [_row(core, proofs) for core in cores], left


def _row(core: dict[str, Any], proofs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    own = [proof for proof in proofs if proof["name"] == core["name"]]
    equal = sum(proof["said"] == "equal" for proof in own)
    return {
        **{key: core[key] for key in ("name", "mutants", "killed")},
        "equal": equal,
        "listed": len(core["left"]) - equal,
        "seconds": round(core["seconds"] + sum(proof["seconds"] for proof in own), 1),
    }


def _all(pool: ProcessPoolExecutor, doing: str, unit: str, tasks: list[Any]) -> list[Any]:
    """Return the results of tasks, in their order."""
    waiting = {pool.submit(*task): number for number, task in enumerate(tasks)}
    results: dict[int, Any] = {}
    with Progress(doing, "done", unit) as progress:
        for done in as_completed(waiting):
            results[waiting[done]] = done.result()
            progress(len(results), len(tasks))
    return [results[number] for number in range(len(tasks))]


if __name__ == "__main__":
    sys.exit(main())
