"""The pooling layers of known networks through the fast engine, at their full size.

``streampool networks`` runs them, and resumes what was stopped: each result is kept under a hash of
everything that it rests on.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import PoolJob
from streampool_golden.networks import networks
from streampool_hw import PoolCore

from .engines import fast
from .engines.compiled import cache_folder
from .engines.model import Build, Model
from .frames import pack
from .log import Log
from .progress import Progress, time_left
from .simulation import STEADY_FRAMES, compare
from .stats import frame_cycles
from .sweep import about

RESULTS = Path("build/networks.jsonl")
SEED = 1
BATCH = 8
"""Cores to one compile."""

LONG = 200_000
"""Cycles per frame from which a layer is worth the compiler's optimisation."""


def jobs() -> list[PoolJob]:
    """Return the layers' jobs, each once, in the list's order; lanes are as by default."""
    return list(dict.fromkeys(PoolJob(layer.spec, layer.shape) for layer in networks()))


def check(core: PoolCore, model: Model, index: int) -> dict[str, Any]:
    """Run a layer on random frames, back to back; returns a line of the results.

    Its ``faults`` are empty where every beat equals the golden model and every frame of the steady
    state takes exactly the limit.
    """
    job, dtype = core.job, core.job.spec.in_dtype
    frames = np.random.default_rng([SEED, index]).integers(
        dtype.low, dtype.high, (STEADY_FRAMES, *job.shape), dtype.numpy, endpoint=True
    )
    trace = fast.run(core, pack(job, frames), model=model)
    _, mismatch = compare(job, trace, *job.reference(frames))
    taken = frame_cycles(trace, job.beats_out)
    faults = [] if mismatch is None else [mismatch]
    if set(taken.tolist()) != {job.limit_cycles}:
        faults.append(f"frames took {taken.tolist()} cycles, limit {job.limit_cycles}")
    return {
        **about(index, job),
        "cycles_per_frame": float(taken.mean()),
        "limit_cycles": job.limit_cycles,
        "latency_cycles": core.latency,
        "store_words": sum(core.store_words.values()),
        "cycles_per_second": trace.cycles / trace.seconds,
        "faults": faults,
    }


def _batches(wanted: Sequence[PoolJob], todo: Sequence[int]) -> Iterator[list[int]]:
    """Cut what is to be done into batches for one compile each, the short ones first."""
    for long in (False, True):
        same = [index for index in todo if (wanted[index].limit_cycles >= LONG) is long]
        yield from (same[at : at + BATCH] for at in range(0, len(same), BATCH))


def run(path: Path = RESULTS) -> dict[PoolJob, dict[str, Any]]:
    """Run the layers that are not in the results file yet; return all results by their jobs."""
    wanted = jobs()
    log = Log(path, SEED)
    todo = [index for index in range(len(wanted)) if index not in log.results]
    start, clocks = time.monotonic(), 0
    due = sum(wanted[index].limit_cycles for index in todo)
    with Progress("compiling the first layers", "simulated", "clocks") as progress:
        for batch in _batches(wanted, todo):
            cores = [PoolCore(job) for job in (wanted[k] for k in batch)]
            with tempfile.TemporaryDirectory(prefix="networks-", dir=cache_folder()) as folder:
                level = "-O1" if cores[0].job.limit_cycles >= LONG else "-O0"
                models = Build(cores, optimise=level, folder=Path(folder)).load()
                for index, core, model in zip(batch, cores, models, strict=True):
                    log.add([result := check(core, model, index)])
                    clocks += core.job.limit_cycles
                    left = (time.monotonic() - start) / clocks * (due - clocks)
                    progress.step(
                        clocks,
                        due,
                        f"{len(log.results)}/{len(wanted)} layers, about {time_left(left)} left",
                    )
                    for fault in result["faults"]:
                        print(f"FAULT {fault}", file=sys.stderr, flush=True)
    return {job: log.results[index] for index, job in enumerate(wanted)}
