"""Cores simulated, each by the engine that is through sooner."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from streampool import PoolCore
from streampool_sim.engines import Trace, amaranth, fast
from streampool_sim.engines.model import Build, cache_folder
from streampool_sim.frames import pack

LANES = 2
LONG = 1500
"""Cycles a frame from which a core is compiled, and not run by Amaranth's simulator."""


def traces(cores: Sequence[PoolCore], frames: Sequence[np.ndarray]) -> Iterator[Trace]:
    """Yield the run of every core on its frames."""
    long = [core for core in cores if core.job.limit_cycles >= LONG]
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=cache_folder()) as folder:
        models = iter(Build(long, optimise="-O0", folder=Path(folder)).load() if long else ())
        for core, x in zip(cores, frames, strict=True):
            beats = pack(core.job, x)
            if core.job.limit_cycles >= LONG:
                yield fast.run(core, beats, model=next(models))
            else:
                yield amaranth.run(core, beats)
