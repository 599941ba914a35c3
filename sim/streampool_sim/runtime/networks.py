"""The layers of known networks back to back through one run-time core, at full size.

``python -m streampool_sim.runtime.networks`` prints them as JSON.
"""

import json
import sys
from dataclasses import asdict, dataclass

import numpy as np
from streampool_golden.networks import Layer, networks
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima

from ..progress import Progress
from .cases import clocks_lost, fault, random_frame
from .engine import RuntimeModel, Turn

MAXIMA = Maxima(operations=("max", "avg"), max_partials=4, max_row=2304)
"""What holds every layer of two axes, and of one."""


@dataclass(frozen=True)
class Row:
    """What a layer took behind the one before."""

    name: str
    op: str
    kernel: tuple[int, ...]
    clocks: int
    limit: int  # the more of the beats in and out
    bound: int  # what the job takes while it stays
    lost: int
    formula: int  # the most that may be lost at this change
    writes: int


def layers() -> list[tuple[Layer, RuntimeJob]]:
    """Return the layers that a run-time core has, and their jobs."""
    return [
        (layer, RuntimeJob(layer.spec, layer.shape, MAXIMA))
        for layer in networks()
        if layer.spec.ndim < 3
    ]


def rows() -> list[Row]:
    """Run all layers in turn, and compare every frame with the golden model."""
    numbers = np.random.default_rng(0)
    jobs = layers()
    turns = [Turn(job, random_frame(numbers, job)) for _, job in jobs]
    with Progress("compiling the core", "simulated", "beats") as progress:
        model = RuntimeModel(RuntimePoolCore(MAXIMA))
        played = model.run(turns, progress=progress)
    wrong = fault(turns, played)
    if wrong is not None:
        raise SystemExit(wrong)
    found, before = [], None
    for (layer, job), lost in zip(jobs, clocks_lost(model, turns, played), strict=True):
        found.append(
            Row(
                layer.name,
                layer.spec.op,
                job.job.spec.kernel or job.job.size,
                lost + job.cycles_bound,
                job.job.limit_cycles,
                job.cycles_bound,
                lost,
                job.bubble_after(before) if before else 0,
                len(job.writes),
            )
        )
        before = job
    return found


if __name__ == "__main__":
    json.dump([asdict(row) for row in rows()], sys.stdout, indent=1)
