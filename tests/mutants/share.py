"""The quick share of tests that source mutants run against.

Small cores of every kind are made first. One whose gates and figures are those of the code as it is
does what that one does. The others run, without and with stalls and with a reset, and are compared
with the golden model to the cycle; and the golden model with the naive one in plain Python. Then
come the group's own tests, by pytest. The first difference of all is told, and the rest left out.
"""

import hashlib
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from . import own
from .limits import begin
from .sources import GROUPS, ROOT, Finder, Mutant, all_mutants

_CORES = ("core_jobs", "column_jobs", "pool_specs")
OWN: tuple[dict[str, Any], ...] = (
    {"op": "avg", "kernel": 3, "dtype": "int5", "scale": "3/4", "zero_points": (2, -3)},
    {"op": "avg", "kernel": 2, "dtype": "int6", "rounding": "floor", "clamp": (-9, 20)},
    {"op": "avg", "kernel": 2, "dtype": "int6", "rounding": "trunc", "divisor_override": -3},
    {"op": "sum", "kernel": 3, "dtype": "int6", "out_dtype": "int7", "saturate": True},
    {"op": "max", "kernel": 2, "dtype": "float16", "clamp": (0, 6)},
    {"op": "max", "kernel": 2, "indices": "flat"},
    {"op": "min", "kernel": 3, "padding": 1, "indices": "flat_columns", "dtype": "uint5"},
    {"op": "max", "kernel": 2, "indices": "channels_last"},
    {"op": "max", "kernel": 3, "stride": 1, "indices": "plane", "dtype": "float16"},
    {"op": "avg", "kernel": 3, "dtype": "uint8", "out_dtype": "uint4", "rounding": "half_even"},
)
"""Specifications of finishing blocks that the jobs of cores have not."""
STALLS = ((0.0, 0.8), (0.8, 0.0), (0.4, 0.6))
"""Of the source and the sink: those of the runs that are reset within their second frame."""
WHOLE = ("finishing", "golden")
"""Groups whose cores have all that may stand behind the stages."""
RUN = 12
"""Cores that run at most, of those whose gates or figures are others."""
CORE, MOST = 6, 30
"""Seconds of the processor after which one counts as one that does not end."""


def sources(group: str = "") -> str:
    """Return the texts of a group's tests, or without one of what cores are made by and run in."""
    found = [Path(__file__), *(ROOT / "tests" / f"{name}.py" for name in _CORES)]
    return "\0".join(path.read_text("utf-8") for path in (own.files(group) if group else found))


def jobs(group: str) -> dict[str, Any]:
    """Return the jobs whose cores are made, by what they are for, the quickest first.

    For schedules and stages those are left out that have much behind the stages.
    """
    from column_jobs import COLUMN_JOBS
    from core_jobs import DEPTH, JOBS
    from streampool_golden import PoolJob, PoolSpec
    from streampool_hw.reduce.stage import BANK

    found: dict[str, PoolJob] = {
        **JOBS,
        **{f"columns, {name}": job for name, job in COLUMN_JOBS.items()},
        **{str(fields): PoolJob(PoolSpec(**fields), (3, 6, 7), 2) for fields in OWN},
    }
    for length, outputs in ((97, 29), (17, 41)):
        job = PoolJob(PoolSpec("sum", adaptive=outputs, ndim=1, dtype="int3"), (1, length), 1)
        found[f"sums to {outputs} of {length}, by an accumulator"] = job
    for size in ((3, 5), (2, DEPTH)):  # two banks, in registers and in a RAM
        job = PoolJob(PoolSpec("max", (2, 1), dtype="int3"), (BANK + 2, *size), BANK + 2)
        found[f"banks, {size}"] = job

    def effort(item: tuple[str, PoolJob]) -> tuple[bool, int]:
        _, job = item
        return job.spec.in_dtype.is_float or "gem" in job.spec.op, job.limit_cycles

    del found["avg bfloat16 that grows"]  # takes as long as thirty others
    if group not in WHOLE:
        found = {name: job for name, job in found.items() if not _finishes(job)}
    return dict(sorted(found.items(), key=effort))


def _finishes(job: Any) -> bool:
    spec = job.spec
    return spec.in_dtype.is_float or bool(spec.indices) or spec.op not in ("max", "min", "sum")


def facts(core: Any) -> str:
    """Return a digest of a core's gates, and of what it says of itself."""
    from streampool_hw.export import yosys

    said = (core.latency, core.cycles_bound, core.store_words, core.words_bound)
    text = f"{yosys.to_rtlil(core, 'top')}{said}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class _Calls:
    """Keeps which functions of the mutated modules are called, as `Mutant.function` names them."""

    def __init__(self) -> None:
        self._paths = {str(ROOT / path): path for paths in GROUPS.values() for path in paths}
        self.found: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        path = self._paths.get(frame.f_code.co_filename) if event == "call" else None
        if path is not None:
            self.found.add(f"{path} {frame.f_code.co_qualname.replace('.<locals>', '')}")


def known(group: str) -> dict[str, tuple[str, list[str]]]:
    """Return the facts of a group's cores as the code is, and what is called to make each."""
    from streampool_hw import PoolCore

    warnings.simplefilter("ignore")
    result = {}
    for name, job in jobs(group).items():
        calls = _Calls()
        sys.setprofile(calls)
        try:
            found = facts(PoolCore(job))
        finally:
            sys.setprofile(None)
        result[name] = found, sorted(calls.found)
    return result


Known = Mapping[str, tuple[str, Sequence[str]]]


def by_cores(mutant: Mutant, due: Known) -> Iterator[str]:
    """Yield what is wrong with cores; `due` is what `known` returns of the code as it is."""
    from streampool_hw import PoolCore

    run = 0
    for number, (name, job) in enumerate(jobs(mutant.group).items()):
        begin(CORE)
        yield from (f"{name}: {fault}" for fault in _naive(job, number))
        same, calls = due[name]
        # the golden model makes no gates, but it makes the jobs, long before
        called = mutant.group == "golden" or not mutant.function or mutant.function in calls
        if called and run < RUN:
            core = PoolCore(job)
            if facts(core) != same:
                run += 1
                yield from (f"{name}: {fault}" for fault in _run(core, number))
    if mutant.group == "golden":
        yield from _float_averages()


def _run(core: Any, number: int) -> Iterator[str]:
    """Run a core in Amaranth's simulator."""
    from streampool_sim.cases import Case
    from streampool_sim.engines import amaranth
    from streampool_sim.frames import pack
    from streampool_sim.simulation import compare
    from streampool_sim.sweep import check

    job, case = core.job, Case(0, number, core.job, 0.5)
    result = check(core, case, None, both=False)
    yield from result["faults"]
    grows = {axis.outputs > axis.length for axis in job.axes if axis.outputs != axis.length}
    if len(grows) < 2 and not any(plan.idle for plan in core.plans):
        due = max(job.beats_in, job.beats_out)
        if result["cycles_per_frame"] != due:
            yield f"{result['cycles_per_frame']} cycles per frame, {due} beats"
    frames = case.frames(3)
    beats, golden = pack(job, frames, seed=number), job.reference(frames)
    for seed, stall in enumerate(STALLS):
        reset_at = round((1.1 + 0.3 * seed) * job.limit_cycles) + core.latency
        trace = amaranth.run(core, beats, count=3, stall=stall, seed=seed, reset_at=reset_at)
        _, wrong = compare(job, trace, *golden)
        if wrong:
            yield f"stall {stall}, reset in clock {reset_at}: {wrong}"


def _naive(job: Any, number: int) -> Iterator[str]:
    """Compare the golden model with the naive one, where that knows the job."""
    from pool_specs import naive_pool
    from streampool_golden import pool
    from streampool_sim.cases import Case

    if job.spec.in_dtype.is_float:
        return
    frames = Case(0, number, job, 0.0).frames(1)
    for plane, out in zip(frames[0], pool(job.spec.replace(indices=None), frames)[0], strict=True):
        found = naive_pool(job.spec, plane.tolist())
        if found is None or (out.reshape(-1).tolist(), out.shape) != found:
            yield "the golden model is not what the naive one has"
            return


def _float_averages() -> Iterator[str]:
    """Compare averages of four float16, whose sum and quotient float64 has exactly, with NumPy."""
    import numpy as np
    from streampool_golden import DType, PoolSpec, pool
    from streampool_sim.cases import random_floats

    x = random_floats(np.random.default_rng(3), DType.of("float16"), (64, 1, 32))
    x = np.where(np.isfinite(x), x, np.float16(-0.0))
    found = pool(PoolSpec("avg", 4, ndim=1, dtype="float16"), x)
    with np.errstate(over="ignore"):
        due = (x.astype(np.float64).reshape(64, 1, 8, 4).sum(-1) / 4).astype(np.float16)
    if not np.array_equal(found, due):
        yield "an average of float16 is not NumPy's"


WITHOUT = -1
"""In place of a mutant's number: the code as it is, which its group's tests have to pass."""


def judge(group: str, number: int, due: Known | None) -> str | None:
    """Return what is wrong with one of a group's mutants, by its number in the list, or None.

    By cores, if their facts are due, or else by the group's tests.
    """
    mutant = all_mutants(group)[number]
    if number != WITHOUT:
        Finder(mutant).install()
    warnings.simplefilter("ignore")
    try:
        near = Path(mutant.path).stem
        wrong = own.wrong(group, near) if due is None else by_cores(mutant, due)
        return next(wrong, None)
    except Exception as error:  # what a mutant ends with, whatever that is
        return f"{type(error).__name__}: {error}"


def serve(due: Known) -> int:
    """Judge the mutants that standard input names, each in a process of its own; tell as JSON.

    What takes long to import, and is no mutant, is there already when a process begins.
    """
    for name in ("amaranth.sim", "amaranth.lib.memory", "hypothesis.strategies", "ml_dtypes"):
        import_module(name)
    os.environ["CI"] = "1"  # the examples are always the same
    for group in GROUPS:
        all_mutants(group)
    for line in sys.stdin:
        what, group, number = line.split()
        start = time.monotonic()
        reading, writing = os.pipe()
        if not (child := os.fork()):
            begin(MOST)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            killed = judge(group, int(number), due if what == "cores" else None)
            os.write(writing, json.dumps(killed and " ".join(killed.split())[:300]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as said:
            text = said.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGVTALRM:
            return 1  # it was stopped, so nothing is known
        if os.WIFSIGNALED(status):
            text = json.dumps("it does not end")
        elif not text:
            text = json.dumps(f"it ends with {os.waitstatus_to_exitcode(status)}")
        seconds = round(time.monotonic() - start, 1)
        print(json.dumps({"killed": json.loads(text), "seconds": seconds}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
