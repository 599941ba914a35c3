"""The core of each kind of job."""

from collections.abc import Callable
from typing import Any

from streampool_golden import Job, PoolJob, SpecError, UnpoolJob
from streampool_golden.errors import shown

from .base import Core
from .core import PoolCore
from .unpool import UnpoolCore
from .vendor.families import GENERIC, check_family

CORES: dict[type[Job], Callable[..., Core]] = {
    PoolJob: lambda job, **options: PoolCore(job.spec, job.shape, job.lanes, **options),
    UnpoolJob: UnpoolCore,
}
"""What makes a core, by the class of its job; an entry more is a kind more."""


def make_core(job: Job, **options: Any) -> Core:
    """Return the core of a job.

    Parameters
    ----------
    job : Job
        What it has to do.
    **options
        What its kind takes besides: ``family`` and ``settings`` in any, ``frames`` in an
        `UnpoolCore`.

    Raises
    ------
    SpecError
        If `job` is no job, or an option is not what it must be.
    """
    if type(job) not in CORES:
        known = " or ".join(kind.__name__ for kind in CORES)
        raise SpecError(
            "job", f"job must be a {known}; use PoolJob(spec, shape, lanes), not {shown(job)}."
        )
    # refused before there is a component, which warns of being unused
    check_family(options.get("family", GENERIC))
    return CORES[type(job)](job, **options)
