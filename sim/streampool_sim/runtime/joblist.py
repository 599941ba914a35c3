"""A list of jobs, read from JSON, and run in turn through one simulated core."""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.errors import refuse_unknown, shown
from streampool_golden.job import DEFAULT_LANES
from streampool_hw.runtime.job import RuntimeJob, check_op
from streampool_hw.runtime.least import LEAST, grown
from streampool_hw.runtime.maxima import Maxima
from streampool_hw.runtime.resync import RuntimeResyncCore, runtime_core

from ..inputs.npy import read_array
from ..inputs.opening import opened
from ..pictures import narrowest
from ..refusals import Refused
from .cases import random_frame
from .engine import RuntimeModel, Turn

KEYS = ("spec", "shape", "input", "output")
"""What an object of the list may have."""


@dataclass(frozen=True)
class Entry:
    """One job of a list.

    Attributes
    ----------
    where : str
        What a refusal calls it.
    job : PoolJob
        What it computes, on frames of which shape. Its lanes are not yet the core's.
    input, output : Path or None
        Files of its frames; without an input they are random.
    """

    where: str
    job: PoolJob
    input: Path | None
    output: Path | None


@dataclass(frozen=True)
class Ran:
    """What came of a list of jobs.

    Attributes
    ----------
    outputs : list of numpy.ndarray
        Of each job what left, with an axis for the frames where its input has one.
    stats : dict
        What there is to say: docs/runtime.md has the keys.
    """

    outputs: list[np.ndarray]
    stats: dict[str, Any]


def read_list(path: Path) -> list[Entry]:
    """Read a list of jobs, or refuse it."""
    with opened(path, "a .json file") as file:
        raw = file.read()
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(
            f"{path} is not JSON{where}; use a list of objects of spec and shape"
        ) from None
    if not isinstance(found, list) or not found:
        what = "has no jobs" if found == [] else f"has no list, but {shown(found)}"
        raise Refused(f"{path} {what}; use a list of objects of spec and shape")
    return [_entry(path, f"{path}: job {k}", each) for k, each in enumerate(found, 1)]


def _entry(path: Path, where: str, said: Any) -> Entry:
    with _told(where):
        if not isinstance(said, dict):
            raise Refused(f"{where}: {shown(said)} is no object; use one of {', '.join(KEYS)}")
        refuse_unknown(said, KEYS, "key of a job")
        for name in ("spec", "shape"):
            if name not in said:
                raise Refused(f"{where}: {name} is missing; every job has spec and shape")
        shape, spec = said["shape"], said["spec"]
        if not (isinstance(shape, list) and 2 <= len(shape) <= 4):
            raise Refused(
                f"{where}: shape must be a list of channels, rows and columns, or of channels and"
                f" steps, not {shown(shape)}"
            )
        if isinstance(spec, dict):
            spec = {"ndim": len(shape) - 1, **spec}
        else:
            raise Refused(f"{where}: spec must be an object of its fields, not {shown(spec)}")
        files = (_file(path, where, name, said.get(name)) for name in ("input", "output"))
        return Entry(where, PoolJob(PoolSpec.from_json(spec), shape), *files)


def _file(path: Path, where: str, name: str, said: Any) -> Path | None:
    if said is None:
        return None
    if not isinstance(said, str) or not said or "\0" in said:
        raise Refused(f"{where}: {name} must be the name of a .npy file, not {shown(said)}")
    return path.parent / said


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Let what golden refuses name the job."""
    try:
        yield
    except SpecError as error:
        raise SpecError(error.field, f"{where}: {error}") from None


def jobs_of(entries: Sequence[Entry], **given: Any) -> list[RuntimeJob]:
    """Return the jobs for one core: of the maxima `given`, and else the least that hold all."""
    jobs = [each.job for each in entries]
    for each in entries:
        with _told(each.where):
            check_op(each.job.op)
    most = Maxima(
        **{
            "lanes": min(DEFAULT_LANES, max(job.shape[0] for job in jobs)),
            "bits": jobs[0].input.bits,
            "operations": tuple(dict.fromkeys(job.op for job in jobs)),
            **LEAST,
            **given,
        }
    )
    for each in entries:
        with _told(each.where):
            most = grown(most, each.job.spec, each.job.shape, given)
    return [RuntimeJob(job.spec, job.shape, most) for job in jobs]


def frames_of(
    entry: Entry, job: RuntimeJob, rng: np.random.Generator, count: int | None = None
) -> np.ndarray:
    """Return a job's frames: those of its input, or so many random ones, by default one.

    They are ``(frames, C, *size)``, or one without an axis for frames, as in the input. Of an input
    the first `count` frames are taken.
    """
    if entry.input is None:
        return np.stack([random_frame(rng, job) for _ in range(count or 1)])
    shape, dtype = job.job.shape, job.job.input
    try:
        with opened(entry.input, "a .npy file") as file:
            x = read_array(entry.input, file)
    except Refused as error:
        raise Refused(f"{entry.where}: {error}") from error
    if x.shape[-len(shape) :] != shape or x.ndim > len(shape) + 1:
        raise Refused(
            f"{entry.where}: {entry.input} has the shape {x.shape}; use {shape}, or frames of it"
            f" behind one another, (frames, {', '.join(map(str, shape))})"
        )
    low, high = int(x.min()), int(x.max())
    if not dtype.low <= low <= high <= dtype.high:
        fits = narrowest(low, high)
        use = f"use dtype {fits} in its spec" if fits else "use 32 bits at most"
        raise Refused(
            f"{entry.where}: {entry.input} has values from {low} to {high}, and {dtype} holds"
            f" {dtype.low} to {dtype.high}; {use}"
        )
    x = x.astype(dtype.numpy)
    return x if x.ndim == len(shape) else x[:count]


def run_jobs(
    entries: Sequence[Entry],
    jobs: Sequence[RuntimeJob],
    frames: Sequence[np.ndarray],
    *,
    stall: float = 0.0,
    seed: int = 0,
    resync: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Ran:
    """Run the jobs' frames back to back, and compare every one with the golden model.

    The host writes a job while the last frame of the one before comes in. Each side is idle with
    the probability `stall`; then no clocks can be told that a change loses. With `resync` the core
    follows its frames' marks, which are right.

    Raises
    ------
    EngineError
        If the core gets stuck, or breaks the stream's handshake, or there is no C++ compiler.
    """
    core = runtime_core(jobs[0].maxima, resync=resync)
    each_in = [x.reshape(-1, *job.job.shape) for x, job in zip(frames, jobs, strict=True)]
    turns = [Turn(job, frame) for job, x in zip(jobs, each_in, strict=True) for frame in x]
    model = RuntimeModel(core)
    started = time.perf_counter()
    played = model.run(turns, stalls=(stall, stall), seed=seed, progress=progress)
    seconds = time.perf_counter() - started
    rows: list[dict[str, Any]] = []
    outputs: list[np.ndarray] = []
    at, end, before = 0, int(played.in_cycles[0][0]) - 1, None
    for entry, job, x in zip(entries, jobs, each_in, strict=True):
        upto = at + len(x)
        y, (right,) = np.stack(played.frames[at:upto]), job.job.reference(x)
        lasts = [each.nonzero()[0].tolist() for each in played.last[at:upto]]
        # a job has the clocks up to its last beat in, and no fewer than its limit: where more
        # leaves than came, the next job's first windows wait for the rest
        came, limit = max(end, played.offered[at] - 1), len(x) * job.limit_cycles
        cycles = max(int(played.in_cycles[upto - 1][-1]) - came, limit)
        steady = math.ceil(len(x) * model.steady_cycles(job))
        rows.append(
            {
                "spec": job.job.spec.to_json(),
                "shape": list(job.job.shape),
                "out_shape": list(job.job.out_shape),
                "input": None if entry.input is None else str(entry.input),
                "output": None if entry.output is None else str(entry.output),
                "frames": len(x),
                "cycles": cycles,
                "limit_cycles": limit,
                "steady_cycles": steady,
                "bound_cycles": len(x) * job.cycles_bound,
                "clocks_lost": None if stall else max(0, cycles - steady),
                "most_clocks_lost": 0 if before is None else job.bubble_after(before),
                "host_cycles": came - end,
                "writes": len(job.writes),
                "equal": bool(np.array_equal(y, right))
                and lasts == [[job.job.beats_out - 1]] * len(x),
            }
        )
        own = frames[len(outputs)].shape[: -len(job.job.shape)]
        outputs.append(y.reshape(*own, *job.job.out_shape))
        at, end, before = upto, came + cycles, job
    stats = {
        "maxima": asdict(core.maxima),
        "engine": "fast",
        **({"resync": list(core.marks)} if isinstance(core, RuntimeResyncCore) else {}),
        "frames_simulated": len(turns),
        "cycles": played.cycles,
        "seconds": seconds,
        "cycles_per_second": played.cycles / seconds if seconds else None,
        "jobs": rows,
        "matches_golden": all(row["equal"] for row in rows),
    }
    return Ran(outputs, stats)
