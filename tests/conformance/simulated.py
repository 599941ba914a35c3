"""Cores simulated, each by the engine that is through sooner."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from streampool_golden import PoolJob, UnpoolJob
from streampool_hw import PoolCore, UnpoolCore
from streampool_sim.engines import Trace, amaranth, fast
from streampool_sim.engines.compiled import cache_folder
from streampool_sim.engines.model import Build
from streampool_sim.frames import pack, unpack

LONG = 1500
"""Cycles per frame from which a core is compiled, and not run by Amaranth's simulator."""


def core_of(job: PoolJob | UnpoolJob) -> PoolCore | UnpoolCore:
    """Return the core that does a job."""
    if isinstance(job, UnpoolJob):
        return UnpoolCore(job)
    return PoolCore(job)


def traces(
    cores: Sequence[PoolCore | UnpoolCore],
    frames: Sequence[np.ndarray],
    indices: Sequence[np.ndarray | None],
) -> Iterator[Trace]:
    """Yield the run of every core on its frames, and on the indices that one of MaxUnpool takes."""
    long = [core for core in cores if core.job.limit_cycles >= LONG]
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=cache_folder()) as folder:
        models = iter(Build(long, optimise="-O0", folder=Path(folder)).load() if long else ())
        for core, x, places in zip(cores, frames, indices, strict=True):
            arrays = [x]
            if isinstance(core.job, UnpoolJob) and places is not None:
                arrays.append(places)
            beats = pack(core.job, *arrays)
            if core.job.limit_cycles >= LONG:
                yield fast.run(core, beats, model=next(models))
            else:
                yield amaranth.run(core, beats)


def indices_of(core: PoolCore | UnpoolCore, trace: Trace) -> np.ndarray | None:
    """Return the indices that came beside pooled values, numbered over all frames, if any did."""
    if len(trace.fields) < 2:
        return None
    indices = unpack(core.job, trace.fields[1], 1)
    frames = np.arange(len(indices)).reshape(-1, *(1,) * (indices.ndim - 1))
    return indices + frames * core.job.index_step  # the core knows of one frame
