"""Long runs: random cores of the sweep through the fast engine, stalled and reset at random.

Where a core fails, its frame is made smaller as long as it still fails; what is left is told by a
command that shows it again.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np
from streampool_golden import PoolJob, SpecError
from streampool_hw import Core, PoolCore

from .cases import Case, case
from .engines import EngineError, fast
from .engines.compiled import cache_folder
from .engines.model import Build, Model
from .engines.trace import Stall
from .frames import pack
from .progress import Progress
from .simulation import compare
from .stats import frame_cycles
from .words import by

BATCH = 8
"""Cores to one compile."""

SECONDS = 2.0
"""How long each core runs: about as long as it was compiled."""

FRAMES = 16
"""Different frames of a run."""

LONG, SHORT = 200_000, 4
"""Clocks of every fourth run, at least, and frames of the others."""

STALLS = (0.0, 0.0, 0.1, 0.3, 0.5, 0.8, 0.95)
"""The probabilities that a side is idle in a clock, drawn for each side."""

_TRIES = 12
"""Runs that a smaller frame gets to fail in, each of other stalls."""

Make = Callable[[PoolJob], Core]


@dataclass(frozen=True)
class Run:
    """One run of a core: how many frames, the stalls of each side and their seed, and a reset."""

    frames: int
    stall: Stall
    seed: int
    reset_at: int | None

    @classmethod
    def drawn(cls, seed: int, index: int, number: int, job: PoolJob) -> "Run":
        """Draw run `number` of a case: every fourth is long, and most others have a reset."""
        rng = np.random.default_rng([seed, index, 4, number])
        stall = (float(rng.choice(STALLS)), float(rng.choice(STALLS)))
        long = number % 4 == 0
        idle = 1 - max(stall)
        frames = max(SHORT, round(LONG * idle / job.limit_cycles)) if long else SHORT
        reset_at = None
        if not long and rng.random() < 0.8:
            reset_at = int(rng.integers(3 * round(job.limit_cycles / idle)))
        return cls(frames, stall, int(rng.integers(2**32)), reset_at)


@dataclass(frozen=True)
class Failure:
    """What a core did wrong in a run of a case, and how large its frame was at first."""

    what: Case
    run: Run
    fault: str
    shape: tuple[int, ...]

    @property
    def command(self) -> str:
        """The command that shows it again."""
        job, run = self.what.job, self.run
        words = [f"streampool soak --seed {self.what.seed} --case {self.what.index}"]
        words.append(f"--shape {by(job.shape)} --lanes {job.lanes}")
        if job.has_columns:
            words.append(f"--columns {job.columns} --columns-out {job.columns_out}")
        stall = run.stall if isinstance(run.stall, tuple) else (run.stall, run.stall)
        words.append(f"--frames {run.frames} --stalls {stall[0]}:{stall[1]} --run {run.seed}")
        if run.reset_at is not None:
            words.append(f"--reset-at {run.reset_at}")
        return " ".join(words)


class Bench:
    """A core's compiled model with the frames of its case."""

    def __init__(self, what: Case, core: Core, model: Model):
        self.what, self.core, self._model = what, core, model
        frames = what.frames(FRAMES)
        self._beats, self._golden = (
            pack(core.job, frames, seed=what.index),
            core.job.reference(frames),
        )
        self.clocks = 0

    def fault(self, run: Run) -> str | None:
        """Run the core once; return what is wrong in a sentence, or None."""
        job = self.core.job
        how = {"count": run.frames, "stall": run.stall, "seed": run.seed}
        beats = [each[: run.frames] for each in self._beats]
        golden = [each[: run.frames] for each in self._golden]
        try:
            trace = fast.run(self.core, beats, model=self._model, reset_at=run.reset_at, **how)
        except EngineError as error:
            return str(error)
        self.clocks += trace.cycles + (run.reset_at or 0)
        _, wrong = compare(job, trace, *golden)
        if wrong is None and run.stall == (0.0, 0.0):
            taken = max(
                frame_cycles(trace, job.beats_out), default=0
            )  # of few frames there is none
            if taken > self.core.cycles_bound:
                return f"a frame took {taken} cycles, bound {self.core.cycles_bound}"
        return wrong


def benches(cases: Sequence[Case], make: Make, folder: Path, optimise: str) -> list[Bench]:
    """Compile the cores of cases together."""
    cores = [make(what.job) for what in cases]
    with tempfile.TemporaryDirectory(prefix="batch-", dir=folder) as own:
        models = Build(cores, optimise=optimise, folder=Path(own)).load()
    return [Bench(*each) for each in zip(cases, cores, models, strict=True)]


def soak(
    minutes: float, seed: int | None, make: Make = PoolCore, tell: Callable[[str], object] = print
) -> Failure | None:
    """Run random cores for so many minutes, or until one fails; return that, made small.

    Each core has `SECONDS` of runs. Those of a seed are always the same, and so are its cores; how
    far it gets depends on the machine. Without a seed one is drawn, and told.
    """
    seed = int.from_bytes(os.urandom(4), "little") if seed is None else seed
    tell(f"seed {seed}")
    start, cores, clocks, runs = time.monotonic(), 0, 0, 0
    with (
        Progress("compiling the first cores", "soaked", "seconds") as progress,
        tempfile.TemporaryDirectory(prefix="soak-", dir=cache_folder()) as folder,
    ):
        while (spent := time.monotonic() - start) < 60 * minutes:
            cases = [case(seed, index) for index in range(cores, cores + BATCH)]
            for bench in benches(cases, make, Path(folder), "-O1"):
                began = time.monotonic()
                for number in range(10**9):
                    run = Run.drawn(seed, bench.what.index, number, bench.what.job)
                    if (fault := bench.fault(run)) is not None:
                        tell(f"case {bench.what.index}, run {number}: {fault}")
                        failure = Failure(bench.what, run, fault, bench.what.job.shape)
                        return reduced(failure, bench, make, Path(folder), tell)
                    runs += 1
                    if number and time.monotonic() - began > SECONDS:
                        break
                clocks, cores = clocks + bench.clocks, cores + 1
                progress(round(min(spent, time.monotonic() - start)), round(60 * minutes))
                if time.monotonic() - start > 60 * minutes:
                    break
    tell(f"{cores} cores, {runs:,} runs, {clocks:,} clocks: no fault")
    return None


def again(
    seed: int, index: int, shape: Sequence[int], how: dict[str, int | None], run: Run
) -> str | None:
    """Show one run of a case with another frame again; return what is wrong."""
    job = PoolJob(case(seed, index).job.spec, tuple(shape), **how)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(prefix="soak-", dir=cache_folder()) as folder:
        [bench] = benches([Case(seed, index, job, 0.0)], PoolCore, Path(folder), "-O0")
        return bench.fault(run)


def reduced(
    failure: Failure, bench: Bench, make: Make, folder: Path, tell: Callable[[str], object]
) -> Failure:
    """Make a failing frame smaller, axis by axis, then the run shorter, while it fails."""
    while smaller := list(_smaller(failure.what)):
        tell(f"  {by(failure.what.job.shape)} fails; trying {len(smaller)} smaller frames")
        found = _first(failure, benches(smaller, make, folder, "-O0"))
        if found is None:
            break
        failure, bench = found
    for shorter in _shorter(failure.run):
        if (fault := bench.fault(shorter)) is not None:
            failure = replace(failure, run=shorter, fault=fault)
            break
    tell(f"smallest: {failure.what.job!r}\n{failure.fault}\nagain: {failure.command}")
    return failure


def _smaller(what: Case) -> Iterator[Case]:
    """Yield cases of fewer channels, or shorter along one axis: the smallest first."""
    job = what.job
    sizes = [tuple(min(length, most) for length in job.shape) for most in (1, 2, 4, 8)]
    for axis, length in enumerate(job.shape):
        for less in sorted({1, length // 4, length // 2, length - 1}):
            if 1 <= less < length:
                sizes.append((*job.shape[:axis], less, *job.shape[axis + 1 :]))
    for shape in sorted(set(sizes) - {job.shape}, key=lambda shape: (prod(shape), shape)):
        lanes = min(job.lanes, shape[0])
        columns = min(job.columns, shape[-1])
        try:
            less = PoolJob(job.spec, shape, lanes, columns)
        except SpecError:
            continue
        yield replace(what, job=less)


def _first(failure: Failure, tried: Sequence[Bench]) -> tuple[Failure, Bench] | None:
    """Return the first of some benches that fails, in the run that failed or one of its kind."""
    for bench in tried:
        for number in range(_TRIES):
            run = replace(failure.run, seed=failure.run.seed + number)
            if run.reset_at is not None:
                run = replace(run, reset_at=run.reset_at * (number + 1) // _TRIES)
            if (fault := bench.fault(run)) is not None:
                return replace(failure, what=bench.what, run=run, fault=fault), bench
    return None


def _shorter(run: Run) -> Iterator[Run]:
    """Yield runs of fewer frames, without the reset and without stalls, the shortest first."""
    counts = sorted({count for count in (1, 2, 3, 4, run.frames // 16, run.frames) if count})
    for count in counts:
        for reset_at in dict.fromkeys((None, run.reset_at)):
            for stall in dict.fromkeys(((0.0, 0.0), run.stall)):
                yield replace(run, frames=count, reset_at=reset_at, stall=stall)
