"""Placements that the cost model does not foresee, made up for tests of the search."""

from collections.abc import Iterator, Sequence

from streampool_explore.model import CostModel
from streampool_explore.rows import CELLS, Row
from streampool_golden import PoolJob

DEVICE = "ecp5-25k-6"


class Truth:
    """Placements that the model does not foresee, made up."""

    def __init__(self) -> None:
        self.model, self.placed = CostModel(DEVICE), list[PoolJob]()

    def row(self, job: PoolJob) -> Row:
        [cost] = self.model.costs([job])
        cells = [cost.cells[name].value * (1.3 if job.columns > 2 else 0.9) for name in CELLS]
        features = self.model.check(job)
        return Row(repr(job), job, DEVICE, 1, features, tuple(map(round, cells)), 180.0 + job.lanes)

    def __call__(self, jobs: Sequence[PoolJob]) -> Iterator[tuple[PoolJob, Row | str]]:
        self.placed += jobs
        return ((job, self.row(job)) for job in jobs)
