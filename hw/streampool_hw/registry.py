"""The core of each kind of job."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from streampool_golden import Job, PoolJob, SpecError, UnpoolJob
from streampool_golden.errors import meaningless, refuse_unknown, shown

from .base import Core
from .families import GENERIC, check_family
from .resync import ResyncCore, check_resync
from .slices import cut_core
from .unpool import UnpoolCore

CORES: dict[type[Job], Callable[..., Core]] = {
    PoolJob: cut_core,
    UnpoolJob: UnpoolCore,
}
"""What makes a core, by the class of its job; an entry more is a kind more."""


def make_core(job: Job, *, resync: bool = False, **options: Any) -> Core:
    """Return the core of a job.

    Parameters
    ----------
    job : Job
        What it has to do.
    resync : bool, optional
        Have it follow its frames' marks, in a `ResyncCore`.
    **options
        What its kind takes besides: ``family`` and ``settings`` in any, ``slices`` of a
        `PoolJob`, `frames` of an `UnpoolJob`.

    Raises
    ------
    SpecError
        If `job` is no job, or an option is not what it must be.
    """
    check_options(job, options)
    if resync:
        check_resync(job)
        if options.get("slices", 1) != 1:
            raise meaningless("resync", resync, "slices")
    core: Any = CORES[type(job)](job, **options)
    return ResyncCore(core) if resync else core


def check_options(job: Job, options: Mapping[str, Any], *callers: Callable[..., object]) -> None:
    """Refuse what is no job, and options that neither its core nor those who call take.

    This is before there is a component, which warns of being unused.
    """
    if type(job) not in CORES:
        known = " or ".join(kind.__name__ for kind in CORES)
        raise SpecError(
            "job", f"job must be a {known}; use PoolJob(spec, shape, lanes), not {shown(job)}."
        )
    made_by = (*callers, make_core, CORES[type(job)])
    takers = [inspect.signature(each).parameters.values() for each in made_by]
    known = {each.name for taken in takers for each in taken if each.kind is each.KEYWORD_ONLY}
    refuse_unknown(options, sorted(known), "option")
    check_family(options.get("family", GENERIC))
