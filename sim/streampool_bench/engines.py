"""Cycles per second of each engine, on the same cores and the same machine.

``python -m streampool_bench.engines`` prints a table, and JSON with ``--json FILE``
(``-``: stdout).
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import PoolJob, PoolSpec, __version__
from streampool_hw import PoolCore
from streampool_sim.engines import CompilerMissing, Trace, amaranth, fast
from streampool_sim.engines.model import Build
from streampool_sim.frames import pack

REFERENCE = "max 3x3 stride 2 padding 1, 1x112x112 uint8, 1 lane"
"""The core that the engines are compared on."""

JOBS = {
    REFERENCE: PoolJob(PoolSpec("max", 3, 2, 1, dtype="uint8"), (1, 112, 112), 1),
    "max 2x2 stride 2, 1x224x224 uint8, 1 lane": PoolJob(
        PoolSpec("max", 2, dtype="uint8"), (1, 224, 224), 1
    ),
    "avg 3x3 stride 1 padding 1, 3x64x64 uint8, 3 lanes": PoolJob(
        PoolSpec("avg", 3, 1, 1, dtype="uint8"), (3, 64, 64), 3
    ),
    "max 3x3 stride 2 padding 1, 64x56x56 int8, 8 lanes": PoolJob(
        PoolSpec("max", 3, 2, 1), (64, 56, 56), 8
    ),
}

WANTED_RATIO = 300
"""The goal: how many times as fast as Amaranth's simulator the fast engine is."""


def measure(job: PoolJob, seconds: float) -> dict[str, Any]:
    """Run a job in both engines for about `seconds` each, and return their cycles per second.

    ``compile_seconds`` is from the core to the loaded model, 0 where it was in the cache.
    """
    core = PoolCore(job)
    dtype = job.spec.in_dtype
    frame = np.random.default_rng(0).integers(
        dtype.low, dtype.high, (1, *job.shape), np.int64, endpoint=True
    )
    beats = pack(job, frame)
    start = time.perf_counter()
    build = Build([core])
    cached = build.is_built
    [model] = build.load()
    compile_seconds = 0.0 if cached else time.perf_counter() - start

    probe = fast.run(core, beats, count=1, model=model)
    count = max(2, round(seconds * _speed(probe) / job.limit_cycles))
    quick = fast.run(core, beats, count=count, model=model)
    slow = amaranth.run(core, beats, count=1)
    if not np.array_equal(slow.out_cycles, probe.out_cycles):
        raise AssertionError("the engines differ, so there is nothing to compare")
    return {
        "amaranth": _speed(slow),
        "fast": _speed(quick),
        "ratio": _speed(quick) / _speed(slow),
        "compile_seconds": compile_seconds,
    }


def _speed(trace: Trace) -> float:
    return trace.cycles / trace.seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark's command line; 1 where there is no compiler."""
    parser = argparse.ArgumentParser(prog="python -m streampool_bench.engines", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each fast run (default 2)")
    parser.add_argument("--json", metavar="FILE", help="where the figures go as JSON; - is stdout")
    options = parser.parse_args(argv)
    results: dict[str, Any] = {"version": __version__, "machine": platform.machine(), "jobs": {}}
    table = sys.stderr if options.json == "-" else sys.stdout
    print(f"{'cycles per second':52} {'Amaranth':>9} {'fast':>11} {'ratio':>6}", file=table)
    for name, job in JOBS.items():
        try:
            result = results["jobs"][name] = measure(job, options.seconds)
        except CompilerMissing as error:
            print(f"streampool: {error}, so there is nothing to compare", file=sys.stderr)
            return 1
        print(
            f"{name:52} {result['amaranth']:9,.0f} {result['fast']:11,.0f} {result['ratio']:6.0f}",
            file=table, flush=True,
        )  # fmt: skip
    ratio = results["ratio"] = results["jobs"][REFERENCE]["ratio"]
    met = "met" if ratio >= WANTED_RATIO else "MISSED"
    print(
        f"the fast engine is {ratio:.0f} times as fast on the first (goal: {WANTED_RATIO}; {met})",
        file=table,
    )
    if options.json:
        text = json.dumps(results, indent=2) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            Path(options.json).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
