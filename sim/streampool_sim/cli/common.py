"""Options that several verbs have, and what is made of them."""

from collections.abc import Sequence
from pathlib import Path

from streampool_golden import PoolJob, PoolSpec
from streampool_golden.job import DEFAULT_LANES

from ..refusals import Refused
from . import values
from .command import Option, option
from .fields import Options, spec_of

CLOCK_MHZ = 100.0
"""The clock where none is given."""


def shape_option(
    group: str, default: tuple[int, ...] | None = None, *, required: bool = True
) -> Option:
    """Return ``--shape``, required if there is no default, but for what may do without."""
    note = "" if default is None else f" ({'x'.join(map(str, default))})"
    return option(
        "--shape",
        takes=values.shape,
        metavar="CxHxW",
        group=group,
        required=required and default is None,
        default=default,
        help="channels x rows x columns (planes before the rows), or channels x steps" + note,
    )


def lanes_option(group: str) -> Option:
    """Return ``--lanes``."""
    return option(
        "--lanes",
        takes=values.positive,
        metavar="N",
        group=group,
        help=f"channels side by side in a beat (all of them, {DEFAULT_LANES} at most)",
    )


def size_option(group: str) -> Option:
    """Return ``--size``, which ``--op unpool`` alone takes."""
    return option(
        "--size",
        takes=values.lengths,
        metavar="HxW",
        group=group,
        help="of the map that --op unpool makes: what was pooled, rows x columns or steps",
    )


def freq_option(group: str, help: str, default: float | None = CLOCK_MHZ) -> Option:
    """Return ``--freq``."""
    return option(
        "--freq", takes=values.megahertz, metavar="MHZ", group=group, default=default, help=help
    )


def folder_option(group: str) -> Option:
    """Return ``--output`` of what is written into a folder."""
    return option(
        *("-o", "--output"),
        takes=Path,
        metavar="DIR",
        group=group,
        default=Path(),
        help="folder (this one)",
    )


def no_check_option(group: str) -> Option:
    """Return ``--no-check``, of what synthesizes."""
    return option(
        "--no-check",
        group=group,
        default=False,
        help="take the netlist as it is, without frames through it",
    )


def check_no_size(options: Options) -> None:
    """Refuse ``--size`` with any other operation."""
    if options.size is not None:
        raise Refused(
            f"--size is what --op unpool makes, and has no meaning with --op {options.op}"
        )


def spec_of_shape(options: Options) -> PoolSpec:
    """Return the specification of a core whose frames ``--shape`` says."""
    size = options.shape[1:]
    return spec_of(options, dtype="int8", ndim=len(size), size=size)


def job_of(options: Options) -> PoolJob:
    """Return what a core has to do whose frames ``--shape`` says."""
    spec = spec_of_shape(options)
    return PoolJob(spec, options.shape, lanes_of(options.shape, options.lanes))


def lanes_of(shape: Sequence[int], lanes: int | None) -> int | None:
    """Return ``--lanes``; refuses those that would never carry anything."""
    if lanes is not None and lanes > shape[0]:
        raise Refused(f"--lanes {lanes} is more than the channels; {shape[0]} at most would do")
    return lanes
