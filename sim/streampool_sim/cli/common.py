"""Options that several verbs have, and how they end."""

import warnings
from pathlib import Path

from streampool_golden import Job, SpecWarning
from streampool_golden.job import DEFAULT_LANES

from ..words import by
from . import values
from .command import Option, option


def shape_option(default: tuple[int, ...] | None = None, *, required: bool = True) -> Option:
    """Return ``--shape``, required if there is no default, but for what may do without."""
    return option(
        "--shape",
        values.shape,
        "CxHxW",
        "channels x rows x columns (planes before the rows), or channels x steps"
        + (f" ({by(default)})" if default else ""),
        required=required and default is None,
        default=default,
    )


def lanes_option() -> Option:
    """Return ``--lanes``."""
    return option(
        "--lanes",
        values.positive,
        "N",
        f"channels side by side in a beat (all of them, {DEFAULT_LANES} at most)",
    )


def freq_option(help: str, default: float | None = 100.0) -> Option:
    """Return ``--freq``."""
    return option("--freq", values.megahertz, "MHZ", help, default=default)


def folder_option() -> Option:
    """Return ``--output`` of what is written into a folder."""
    help = "folder (this one)"
    return option("-o --output", Path, "DIR", help, default=Path())


def no_check_option() -> Option:
    """Return ``--no-check``, of what synthesizes."""
    help = "take the netlist as it is, without frames through it"
    return option("--no-check", help=help)


def finished(job: Job, said: str) -> int:
    """Say a job's warnings, and print what came out."""
    for message in job.warnings:
        warnings.warn(message, SpecWarning, stacklevel=2)
    print(said)
    return 0
