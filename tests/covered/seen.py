"""Small cores in Amaranth's simulator, and what of them falls into the bins."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Const, DomainRenamer, Fragment, Signal, Value
from column_jobs import COLUMN_JOBS
from core_jobs import JOBS
from mutants.cores import CORES
from streampool_golden import PoolJob, PoolSpec, pool_job
from streampool_golden.fields import ROUNDINGS
from streampool_golden.rounding import floor_root
from streampool_hw import PoolCore
from streampool_sim.cases import Case, case
from streampool_sim.engines import amaranth
from streampool_sim.frames import pack
from streampool_sim.simulation import compare

from . import bins
from .bins import FLOORS, SIDES, Moment

FRAMES = 6
DRAWN = 300
"""Specifications of the sweep whose kinds of stages there have to be."""
STALLS = ((0.4, 0.5), (0.0, 0.9), (0.9, 0.0), (0.7, 0.9), (0.9, 0.98))
EVER = 1 << 40
MORE = {
    "a long axis": PoolJob(PoolSpec("max", 3, padding=1, stride=1, ndim=1), (1, 39)),
    "columns, beats in a RAM": PoolJob(
        PoolSpec("sum", 4, 2, ndim=1, padding="same_lower", dtype="int4"), (8, 3), 1, columns=2
    ),
    "columns, a queue of three in one clock": PoolJob(
        PoolSpec("max", (4, 2), 1, ((3, 0), (0, -2)), dtype="int4"), (1, 8, 17), columns=9
    ),
    "a drain in part beside a frame": PoolJob(
        PoolSpec("sum", 7, 2, ((3, 6),), ceil_mode=True, ndim=1, dtype="int4"), (24, 2), 4
    ),
    "a drain in part beside a frame, RAM": PoolJob(
        PoolSpec("max", (1, 4), 1, ((0, 0), (2, 2)), dtype="int4"), (9, 3, 4), 1
    ),
}
"""Small cores of the kinds of stages that the others lack."""
TIES = "ties: "
"""What the names of cores for ties begin with."""


def jobs() -> dict[str, PoolJob]:
    """Return the suite's small cores, the quickest first, and then those for the ties."""
    found = {
        **{f"core: {name}": job for name, job in JOBS.items()},
        **{f"columns: {name}": job for name, job in COLUMN_JOBS.items()},
        **{f"mutants: {name}": job for name, job in CORES.items()},
        **{f"more: {name}": job for name, job in MORE.items()},
    }
    found = dict(sorted(found.items(), key=lambda item: item[1].limit_cycles * item[1].lanes))
    return found | _tie_jobs()


def _tie_jobs() -> dict[str, PoolJob]:
    found = {}
    for rounding in ROUNDINGS:
        for root, op in {0: "avg", **bins.ROOTS}.items():
            kernel = (1, 2 ** max(root, 1))
            spec = PoolSpec(op, kernel, rounding=rounding, dtype="int4")
            found[f"{TIES}{op}, {rounding}"] = PoolJob(spec, (1, 1, 16 * kernel[1]))
    return found


def cores() -> Iterator[PoolCore]:
    """Yield cores that have every kind of stage: the suite's, and those of the sweep."""
    for job in [*jobs().values(), *(case(1, number).job for number in range(DRAWN))]:
        if isinstance(job, PoolJob):
            yield PoolCore(job)


def frames_of(job: PoolJob, name: str) -> np.ndarray:
    """Return the frames that a core gets."""
    if not name.startswith(TIES):
        return Case(0, 1, job, 0.0).frames(FRAMES)
    frames = np.zeros((1, *job.shape), np.int8)
    frames[0, 0, 0, :: job.shape[-1] // 16] = range(-8, 8)  # each window's other taps are 0
    return frames


@contextmanager
def ties_noted(found: set[str]) -> Iterator[None]:
    """Note the ties that the golden model rounds in here."""
    divide, root = pool_job.round_div, pool_job.round_root

    def pairs(num: Any, den: Any) -> Iterator[tuple[int, int]]:
        both = np.broadcast_arrays(np.asarray(num, object), np.asarray(den, object))
        for n, d in zip(*map(np.ravel, both), strict=True):
            yield (int(n), int(d)) if d > 0 else (-int(n), -int(d))

    def divided(num: Any, den: Any, mode: str) -> np.ndarray:
        for n, d in pairs(num, den):
            floor, rest = divmod(n, d)
            if 2 * rest == d:
                found.add(bins.tie(mode, SIDES[n > 0], FLOORS[floor % 2]))
        return divide(num, den, mode)

    def rooted(num: Any, den: Any, mode: str, degree: int) -> np.ndarray:
        for n, d in pairs(num, den):
            floor = floor_root(n // d, degree)
            if (2 * floor + 1) ** degree * d == n << degree:
                found.add(bins.tie(mode, f"root {degree}", FLOORS[floor % 2]))
        return root(num, den, mode, degree)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_job, "round_div", divided)
        patch.setattr(pool_job, "round_root", rooted)
        yield


class Looking:
    """Picks what bins need out of an elaborated bench."""

    def __init__(self, core: PoolCore):
        self.stages = list(bins.stages(core))

    def values(self, bench: Fragment) -> Sequence[Value]:
        """Return the signals of each stage, as `Moment` has them, one stage after the other."""
        there: dict[str, Signal] = {}
        copy = DomainRenamer({})(bench)  # the simulator names the signals itself, which is once
        for info in copy.prepare().fragments.values():
            scope = ".".join(map(str, info.name[1:]))
            there |= {f"{scope}.{name}": signal for signal, name in info.signal_names.items()}
        found: list[Value] = []
        for path, stage in self.stages:
            own = {
                name: there.get(f"{path}.{name}")
                for name in ("draining", "between", "blocked", "sequencer.word")
            }
            credit = there.get(f"{path}.fifo.credit", there.get(f"{path}.room"))
            assert credit is not None, path
            found += [stage.i.valid, stage.i.ready, credit]
            found += [Const(0, 1) if value is None else value for value in own.values()]
        return found

    def moments(self, sample: Sequence[int]) -> Iterator[tuple[Any, Moment]]:
        """Yield what a clock's sample has of each stage."""
        size = len(Moment._fields)
        for number, (_, stage) in enumerate(self.stages):
            yield stage, Moment(*sample[number * size : (number + 1) * size])


def may_hit(job: PoolJob) -> set[str]:
    """Return the bins that a core may hit, but for ties."""
    core = PoolCore(job)
    found = bins.of_plans(core)
    return found.union(*(bins.of_form(bins.form(stage)) for _, stage in bins.stages(core)))


def hit(name: str, job: PoolJob, due: set[str]) -> set[str]:
    """Run a core until it hits no more of the bins that are due; return those that it hits.

    What leaves is compared with the golden model each time.
    """
    core = PoolCore(job)
    looking, found = Looking(core), bins.of_plans(core)
    frames = frames_of(job, name)
    with ties_noted(found), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        golden = job.reference(frames)
    beats, wanted = pack(job, frames), due & may_hit(job)

    def run(stall: tuple[float, float], reset_at: int | None = None) -> list[tuple[int, ...]]:
        watch = amaranth.Watch(looking.values, EVER)
        how = {"stall": stall, "seed": len(name), "reset_at": reset_at, "watch": watch}
        _, wrong = compare(job, amaranth.run(core, beats, **how), *golden)
        assert wrong is None, f"{name}: {wrong}"
        return watch.samples

    for number, stall in enumerate(STALLS):
        if number and wanted <= found:
            break
        resets: dict[str, int] = {}
        for clock, sample in enumerate(run(stall)):
            for stage, moment in looking.moments(sample):
                kind, phase = bins.form(stage), moment.phase(stage)
                found.update(bins.happens(kind, phase, event) for event in moment.events(phase))
                resets.setdefault(bins.happens(kind, phase, "reset"), clock)
        for each in (wanted & resets.keys()) - found:
            run(stall, resets[each])
            found.add(each)
    return found
