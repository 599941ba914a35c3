"""Placements of an exploration: tasks of a farm, and rows of the model that they become."""

from collections.abc import Iterator, Sequence

from streampool_bench.fpga.placing import placing
from streampool_farm.farm import Farm
from streampool_golden import PoolJob

from .rows import Row


def placed(
    farm: Farm, device: str, jobs: Sequence[PoolJob], *, seeds: int = 1, check: bool = True
) -> Iterator[tuple[PoolJob, Row | str]]:
    """Place jobs, and yield each with its row, or with the reason why the device cannot take it."""
    tasks = {}
    for job in jobs:
        task = placing(job, device, seeds=seeds, check=check)
        tasks[task.key] = (job, task)
    for task, found in farm.run(task for _, task in tasks.values()):
        yield tasks[task.key][0], Row.of(task.key, found) if found["placed"] else found["reason"]
