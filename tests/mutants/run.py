"""Put faults into netlists and sources, and show that each is found: ``make mutants``.

A result is kept under a digest of what it rests on, so a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache, partial
from importlib import metadata, resources
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from streampool_golden import SpecWarning
from streampool_hw import PoolCore
from streampool_hw.export import yosys
from streampool_sim.progress import Progress
from streampool_sim.sweep import fingerprint

from . import equal, netlists, share
from .cores import CORES
from .listed import NETLISTS, SOURCES
from .sources import GROUPS, all_mutants, drawn

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "mutants"
COUNT = 112
"""Mutants of each core's netlist."""
LIMIT = 300
"""Seconds that a mutant's proof may take; most take two or three."""
DRAWN = 30
"""Mutants of each group of sources."""


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


def of_cores(group: str, folder: Path) -> Path:
    """Return the file of the facts of a group's cores, of the code as it is."""
    key = digest("facts", fingerprint(), share.sources(), *share.jobs(group))
    kept(folder, key, lambda: share.known(group))
    return folder / "results" / f"{key}.json"


@cache
def _server(facts: Path) -> "subprocess.Popen[str]":
    """Start what runs shares; it ends with this process, whose end closes its input."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path[1:]))}
    command = [sys.executable, "-m", "mutants.share", str(facts)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=Path(__file__).parent, env=environment, stdin=pipe, stdout=pipe, text=True
    )


def _asked(facts: Path, *words: object) -> dict[str, Any]:
    server = _server(facts)
    assert server.stdin is not None and server.stdout is not None
    print(*words, file=server.stdin, flush=True)
    return json.loads(server.stdout.readline())


def of_tests(group: str, folder: Path, facts: Path) -> dict[str, Any]:
    """Run a group's tests of the code as it is."""
    key = digest("as it is", group, fingerprint(), share.sources(group))
    found = kept(folder, key, partial(_asked, facts, "tests", group, share.WITHOUT))
    return {"name": f"{group}, as it is", **found}


def of_source(group: str, number: int, name: str, folder: Path, facts: Path) -> dict[str, Any]:
    """Run one mutant of a source: cores, and the group's tests if these do not tell it.

    What cores say rests on the gates of all cores as they are, which the facts are of.
    """
    source = all_mutants(group)[number].source()
    found: dict[str, Any] = {"name": name, "group": group, "killed": None, "seconds": 0}
    parts = {"cores": (facts.read_text("utf-8"), share.sources()), "tests": (share.sources(group),)}
    for what in reversed(parts) if group in share.WHOLE else parts:  # what is quicker first
        texts = parts[what]
        key = digest(what, source, *texts)
        result = kept(folder, key, partial(_asked, facts, what, group, number))
        found["seconds"] += result["seconds"]
        if result["killed"] is not None:
            return {**found, "killed": f"{what}: {result['killed']}"}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all mutants; return 1 where one is left without a reason."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help="of each netlist")
    parser.add_argument("--drawn", type=int, default=DRAWN, metavar="N", help="of each group")
    parser.add_argument("--part", choices=("netlists", "sources"), help="these alone")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has TEXT in its name")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        parts = {
            "netlists": lambda: _netlists(pool, options),
            "sources": lambda: _sources(pool, options),
        }
        asked = [options.part] if options.part else list(parts)
        found = {name: parts[name]() for name in asked}
    left = [line for _, lines in found.values() for line in lines]
    for name, (rows, _) in found.items():
        for row in rows:
            print(
                f"{name}, {row['name']}: {row['mutants']} mutants,"
                f" {sum(row['killed'].values())} killed, {row.get('equal', 0)} proved equal,"
                f" {row['listed']} listed"
            )
    for line in left:
        print(f"LEFT {line}")
    total = sum(row["mutants"] for rows, _ in found.values() for row in rows)
    print(f"{total} mutants in {time.monotonic() - start:.0f} s, {len(left)} without a reason")
    if not options.only:
        listed = {
            "netlists": {f"{core}: `{fault}`": why for (core, fault), why in NETLISTS.items()},
            "sources": {f"`{name}`": why for name, why in SOURCES.items()},
        }
        for name, (rows, _) in found.items():
            document = {"pyosys": metadata.version("pyosys"), "rows": rows, "listed": listed[name]}
            text = json.dumps(document, indent=1) + "\n"
            (options.folder / f"{name}.json").write_text(text, encoding="utf-8")
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


def _sources(pool: ProcessPoolExecutor, options: argparse.Namespace) -> Rows:
    chosen = [
        mutant
        for group in GROUPS
        for mutant in drawn(group, options.drawn)
        if options.only in mutant.name
    ]
    plain = [group for group in GROUPS if group not in share.WHOLE]
    alike = {group: (plain if group in plain else share.WHOLE)[0] for group in GROUPS}
    kinds = list(dict.fromkeys(alike[mutant.group] for mutant in chosen))
    made = _all(pool, "making cores", "kinds", [(of_cores, kind, options.folder) for kind in kinds])
    facts = dict(zip(kinds, made, strict=True))
    tasks = []
    for mutant in chosen:
        number, file = all_mutants(mutant.group).index(mutant), facts[alike[mutant.group]]
        tasks.append((of_source, mutant.group, number, mutant.name, options.folder, file))
    results = _all(pool, "running sources", "mutants", tasks)
    # a test that fails anyway would kill all that come to it: where one lives there is none
    alive = {result["group"] for result in results if result["killed"] is None}
    tested = {r["group"] for r in results if (r["killed"] or "").startswith("tests: ")}
    as_it_is = _all(
        *(pool, "running tests of the code as it is", "groups"),
        [
            (of_tests, group, options.folder, facts[alike[group]])
            for group in sorted(tested - alive)
        ],
    )
    rows = []
    for group in GROUPS:
        own = [result for result in results if result["group"] == group]
        left = [result for result in own if result["killed"] is None]
        rows.append(
            {
                "name": group,
                "mutants": len(own),
                "killed": {
                    by: sum((result["killed"] or "").startswith(f"{by}: ") for result in own)
                    for by in ("cores", "tests")
                },
                "listed": len(left),
                "seconds": round(sum(result["seconds"] for result in own), 1),
            }
        )
    names = {result["name"] for result in results if result["killed"] is None}
    lines = [f"{each['name']}: {each['killed']}" for each in as_it_is if each["killed"]]
    lines += sorted(names - SOURCES.keys())
    if not options.only and options.drawn == DRAWN:
        lines += [f"listed, and killed or not drawn: {name}" for name in SOURCES.keys() - names]
    return rows, lines


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
