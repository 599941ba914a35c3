"""The smallest maxima that hold given jobs."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from streampool_golden import PoolJob, PoolSpec, SpecError

from .job import RuntimeJob
from .maxima import LEAST as LEAST_OF_ALL
from .maxima import Maxima

LEAST = LEAST_OF_ALL | {"max_partials": 1, "max_drain": 1, "max_kinds": 1}
"""The maxima that grow with what they have to hold, and the least of each."""


def grown(
    most: Maxima, spec: PoolSpec, shape: Sequence[int], fixed: Collection[str] = ()
) -> Maxima:
    """Return maxima that hold one more job; what is `fixed` stays, and a job may pass it.

    Raises
    ------
    SpecError
        As `RuntimeJob`, where no larger maxima help.
    """
    job = PoolJob(spec, tuple(shape), most.lanes)
    needs = {"max_fold": job.fold, "max_length": max(job.size + job.out_size)}
    rows, *columns = job.axes
    if columns and not rows.identity:
        needs["max_row"] = job.fold * columns[0].outputs
    while True:
        free = {name: need for name, need in needs.items() if name not in fixed}
        larger = {name: max(need, getattr(most, name)) for name, need in free.items()}
        try:
            held = replace(most, **larger)
        except SpecError:  # more than any core has; the job says by how much
            RuntimeJob(job, maxima=most)
            raise
        try:
            RuntimeJob(job, maxima=held)
        except SpecError as error:
            if error.field not in LEAST or error.field in fixed:
                raise
            before = getattr(held, error.field)
            needs = {
                error.field: before + 1
                if error.field in ("max_partials", "max_drain")
                else 2 * before
            }
            most = held
        else:
            return held
