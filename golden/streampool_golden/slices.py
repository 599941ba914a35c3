"""A job cut into slices, which share out its lanes."""

from .errors import SpecError, meaningless
from .fields import integer
from .pool_job import PoolJob

OWN_CHANNELS = "plane"
"""The index base that does not number channels, of which a slice has only its own."""


def slice_job(job: PoolJob, slices: int) -> PoolJob:
    """Return what each of so many slices does of a job, or refuse to cut it so.

    Slice s has the lanes ``s * lanes / slices ...`` of every beat, and the channels that cross
    there.
    """
    slices = integer("slices", slices, 1, what="a positive integer that divides the lanes")
    if job.lanes % slices:
        fits = next(n for n in range(min(slices, job.lanes), 0, -1) if job.lanes % n == 0)
        raise SpecError(
            "slices",
            f"slices {slices} do not divide the {job.lanes} lane{'s'[: job.lanes > 1]} that they"
            f" share out; use {fits}, or other lanes.",
        )
    if slices > 1 and job.spec.indices not in (None, OWN_CHANNELS):
        raise meaningless(
            "slices", slices, f"the index base {job.spec.indices!r}, which numbers all channels"
        )
    lanes = job.lanes // slices
    return PoolJob(job.spec, (job.fold * lanes, *job.size), lanes, job.columns, job.columns_out)
