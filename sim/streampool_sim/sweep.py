"""Random specifications through the core, checked against the golden model and the limits.

``streampool sweep 5000 --seed 1`` runs, and resumes, a sweep;
``streampool sweep --seed 1 --case 17`` runs one of its cases alone.
"""

import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from streampool_farm.farm import Farm
from streampool_farm.task import Task, TaskFailed, digest
from streampool_golden import BASES, PoolJob, UnpoolJob
from streampool_hw import Core, PoolCore, UnpoolCore
from streampool_hw.schedule.plan import AxisPlan

from .cases import Case, case
from .engines import EngineError, Trace, amaranth, fast
from .engines.compiled import cache_folder
from .engines.model import Build, Model
from .frames import pack
from .log import Log, fingerprint
from .progress import Progress
from .simulation import STEADY_FRAMES, compare
from .stats import frame_cycles

BATCH = 24
"""Cores to one compile."""

STALLED_FRAMES = 3
PLAIN_MOST = 100
"""Cycles per frame up to which a case runs in Amaranth's simulator alone."""

BOTH_ENGINES_EVERY, BOTH_ENGINES_MOST = 10, 250
"""Every so many cases run in both engines, which then have to agree to the cycle.

Those of longer frames are left out: Amaranth's simulator takes seconds for each.
"""

UNPOOLED = BASES[0]
"""The base of indices that a MaxUnpool core takes: maxima that have it are unpooled again."""

MOST_FAILURES = 20
"""Failures after which a sweep gives up."""


def about(index: int, job: PoolJob) -> dict[str, Any]:
    """Return what each line of the results begins with."""
    return {
        "index": index,
        "spec": job.spec.to_json(),
        "shape": list(job.shape),
        "lanes": job.lanes,
        **({"columns": [job.columns, job.columns_out]} if job.has_columns else {}),
    }


def check(core: PoolCore, what: Case, model: Model | None, *, both: bool) -> dict[str, Any]:
    """Run one case without and with stalls, and say what is wrong.

    It runs in the core's compiled model, or in Amaranth's simulator where that is None, or in both,
    whose traces are compared. Returns a line of the results, whose ``faults`` are sentences.
    """
    job, bound = core.job, core.words_bound
    frames = what.frames(STEADY_FRAMES)
    faults = [
        f"axis {axis} has {words} words in its store, limit {bound.get(axis, 0)}"
        for axis, words in core.store_words.items()
        if words > bound.get(axis, 0)
    ]
    found, trace = _faults(core, (frames,), what, model, both=both)
    faults += found
    result = {
        **about(what.index, job),
        "limit_cycles": job.limit_cycles,
        "limit_words": sum(bound.values()),
        "store_words": sum(core.store_words.values()),
        "engines": [*(["fast"] if model else []), *(["amaranth"] if both or not model else [])],
        "unpooled": job.spec.indices == UNPOOLED and not job.has_columns,
        "faults": faults,
    }
    if trace is not None:
        result["cycles_per_frame"] = float(frame_cycles(trace, job.beats_out).mean())
        result["seconds"] = trace.seconds
        faults += _latency_faults(core, trace)
    if result["unpooled"]:
        # odd cases go through a core that keeps one frame, others through one of two
        unpools = UnpoolCore(
            UnpoolJob(job.out_shape, job.size, job.lanes, job.output),
            frames=1 if what.index % 2 else 2,
        )
        found, _ = _faults(unpools, job.reference(frames), what, None)
        faults += [f"unpooled, {fault}" for fault in found]
    return result


def _faults(
    core: Core,
    arrays: Sequence[np.ndarray],
    what: Case,
    model: Model | None,
    *,
    both: bool = False,
) -> tuple[list[str], Trace | None]:
    """Return what is wrong with a core's runs, and the run without stalls, if it ended."""
    job, faults, steady = core.job, [], None
    beats, golden = pack(job, *arrays, seed=what.index), job.reference(*arrays)
    for stall, count in ((0.0, STEADY_FRAMES), (what.stall, STALLED_FRAMES)):
        how: dict[str, Any] = {"count": count, "stall": stall, "seed": what.index}
        name = f"stall {stall}: "
        traces: list[Trace] = []
        try:
            if model is not None:
                traces.append(fast.run(core, beats, model=model, **how))
            if both or model is None:
                traces.append(amaranth.run(core, beats, **how))
        except EngineError as error:
            faults.append(f"{name}{error}")
            continue
        trace = traces[0]
        _, mismatch = compare(job, trace, *golden)
        if mismatch:
            faults.append(name + mismatch)
        if len(traces) == 2:
            faults += [f"{name}engines differ in {field}" for field in _differences(*traces)]
        if not stall:
            steady, taken = trace, frame_cycles(trace, job.beats_out).max()
            if taken > core.cycles_bound:
                faults.append(f"a frame took {taken} cycles, bound {core.cycles_bound}")
    return faults, steady


def _differences(one: Trace, other: Trace) -> list[str]:
    return [
        field.name
        for field in fields(Trace)
        if field.name not in ("seconds", "engine")
        and not np.array_equal(getattr(one, field.name), getattr(other, field.name))
    ]


def _latency_faults(core: PoolCore, trace: Trace) -> list[str]:
    """Check the first output of all against the latency, where an input beat lets it leave.

    Later outputs, and those of a drain, leave with no beat that a port shows; nor do those of a
    stage behind one that grows.
    """
    job, position = core.job, 0
    if len(job.stages) > 1 and any(stage.growth > 0 for stage in job.stages):
        return []
    plans = {stage.axis: plan for stage, plan in zip(job.stages, core.plans, strict=True)}
    lengths = [*job.size[:-1], -(-job.size[-1] // job.columns)]
    if job.stages and job.stages[0].along not in job.axes:  # all axes as one
        lengths = [lengths[-1] * prod(lengths[:-1])]
    for index, length in enumerate(lengths):
        plan = plans.get(index)
        slot = plan.leave[0] if plan else 0
        waits = isinstance(plan, AxisPlan) and slot != plan.axis.taps(0)[-1]
        if slot >= length or waits:
            return []
        position = position * length + slot
    measured = int(trace.out_cycles[0] - trace.in_cycles[position * job.fold])
    if measured == core.latency:
        return []
    return [f"the first output came after {measured} cycles, latency {core.latency}"]


def run_batch(seed: int, indices: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    """Run cases whose cores are compiled together; returns a line of the results for each.

    The smallest frames are through Amaranth's simulator before a compiler would be done. Models
    are in `folder` as long as the batch runs; what a killed one leaves there is the caller's.
    """
    compiled: list[tuple[Case, PoolCore]] = []
    results: list[dict[str, Any]] = []
    for index in indices:
        what = case(seed, index)
        try:
            core = PoolCore(what.job)
        except Exception as error:  # a core that cannot be made is a finding, not the sweep's end
            results.append(_broken(what, error))
            continue
        if what.job.limit_cycles <= PLAIN_MOST and not _both(what):
            results.append(_checked(core, what, None))
        else:
            compiled.append((what, core))
    if not compiled:
        return results
    with tempfile.TemporaryDirectory(prefix="batch-", dir=folder) as own:
        cores = [core for _, core in compiled]
        try:
            models = Build(cores, optimise="-O0", folder=Path(own)).load()
        except Exception as error:
            if len(compiled) == 1:
                return [*results, _broken(compiled[0][0], error)]
            for what, _ in compiled:  # which one is it?
                results += run_batch(seed, [what.index], folder)
            return results
        for (what, core), model in zip(compiled, models, strict=True):
            results.append(_checked(core, what, model))
    return results


def _both(what: Case) -> bool:
    """Whether a case is one of those that go through both engines."""
    small = what.job.limit_cycles <= BOTH_ENGINES_MOST
    return small and what.index % BOTH_ENGINES_EVERY == 0


def _checked(core: PoolCore, what: Case, model: Model | None) -> dict[str, Any]:
    try:
        return check(core, what, model, both=model is not None and _both(what))
    except Exception as error:
        return _broken(what, error)


def _broken(what: Case, error: Exception) -> dict[str, Any]:
    return {**about(what.index, what.job), "faults": [f"{type(error).__name__}: {error}"]}


def run_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Run a batch as a task, on whatever machine."""
    if payload["sources"] != fingerprint():
        raise TaskFailed("this worker has other sources than the command; install the same on both")
    folder = Path(tempfile.gettempdir())
    return {"lines": run_batch(payload["seed"], payload["indices"], folder)}


def _tasks(seed: int, indices: Sequence[int]) -> Iterator[Task]:
    """Yield the batches of cases; which of them go together follows from their numbers alone."""
    sources = fingerprint()
    for _, batch in itertools.groupby(indices, lambda index: index // BATCH):
        payload = {"sources": sources, "seed": seed, "indices": [*batch]}
        yield Task(f"{__name__}:run_task", payload, digest("sweep", payload), fields=("lines",))


def sweep(count: int, seed: int, path: Path, farm: Farm) -> int:
    """Run the cases 0 to count - 1 that are not in the results file yet; return the failures.

    A `farm` runs them in batches, each of which its store keeps.
    """
    log = Log(path, seed)
    todo = [index for index in range(count) if index not in log.results]
    failed = [index for index in range(count) if log.results.get(index, {}).get("faults")]
    for index in failed[:1]:
        _print_fault(seed, log.results[index])
    if len(todo) < count:
        print(f"{count - len(todo)} of {count} cases are in {path} already", file=sys.stderr)
    done = count - len(todo)
    with Progress("compiling the first cores", "checked", "cases") as progress:
        for _, found in farm.run(_tasks(seed, todo)):
            results = found["lines"]
            log.add(results)
            for result in results:
                if result["faults"]:
                    failed.append(result["index"])
                    if len(failed) == 1:
                        _print_fault(seed, result)
            done += len(results)
            progress(done, count)
            if len(failed) >= MOST_FAILURES:
                print(f"{len(failed)} failures, the rest is left out", file=sys.stderr)
                break
    _print_summary(count, seed, log, failed)
    return len(failed)


def _print_fault(seed: int, result: dict[str, Any]) -> None:
    print(f"case {result['index']}: {result['faults'][0]}")
    print(
        f"  again: python -m streampool_sim sweep --seed {seed} --case {result['index']}",
        flush=True,
    )


def _print_summary(count: int, seed: int, log: Log, failed: list[int]) -> None:
    results = [log.results[index] for index in range(count) if index in log.results]
    whole = [result for result in results if "cycles_per_frame" in result]
    at_limit = sum(result["cycles_per_frame"] == result["limit_cycles"] for result in whole)
    both = sum(len(result["engines"]) == 2 for result in whole)
    words, limit_words = (
        sum(result[key] for result in whole) for key in ("store_words", "limit_words")
    )
    print(f"{len(results)} specifications of seed {seed}, without and with stalls:")
    print(f"  {len(failed)} failed; {both} went through both engines")
    print(f"  unpooled again: {sum(result['unpooled'] for result in whole)}")
    print(f"  cycles per frame exactly at the limit: {at_limit} of {len(whole)}")
    print(f"  store words: {words}, where the limit allows {limit_words}")
    if failed:
        print(f"  failed: {', '.join(map(str, sorted(failed)[:20]))}")


def run_case(seed: int, index: int) -> int:
    """Run one case in both engines, print what is found, and return the number of faults."""
    what = case(seed, index)
    job = what.job
    print(f"{job!r}\nstall {what.stall}")
    core = PoolCore(job)
    with tempfile.TemporaryDirectory(prefix="sweep-", dir=cache_folder()) as folder:
        [model] = Build([core], optimise="-O0", folder=Path(folder)).load()
        result = check(core, what, model, both=True)
    for name in ("cycles_per_frame", "limit_cycles", "store_words", "limit_words"):
        print(f"{name}: {result.get(name)}")
    for fault in result["faults"]:
        print(f"FAULT {fault}")
    print("right" if not result["faults"] else f"{len(result['faults'])} faults")
    return len(result["faults"])
