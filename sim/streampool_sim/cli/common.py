"""What several verbs have: options, those of what a core computes among them, and the job of it."""

import warnings
from collections import ChainMap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from streampool_farm.store import FOLDER as STORE
from streampool_golden import (
    BASES,
    OPERATIONS,
    PRESETS,
    Job,
    PoolJob,
    PoolSpec,
    SpecWarning,
    UnpoolJob,
    preset,
)
from streampool_golden.dtypes import FLOATS
from streampool_golden.fields import CAFFE, NAMED_PADDINGS, NANS, ROUNDING_ABOUT, ROUNDINGS
from streampool_golden.job import DEFAULT_LANES
from streampool_golden.slices import slice_job

from ..refusals import Refused
from ..words import by, describe
from . import values
from .command import Option, Options, option, under

UNPOOL = "unpool"
"""What ``--op`` takes beside the operations of the table: values are put back by their indices."""

WHERE = "where the maxima were"

COLUMNS = ("columns", "columns_out")

OF_UNPOOLING = ("--op", "--dtype", "--index-base")
"""What has a meaning with it."""


def spec_options(ops: Iterable[str] = OPERATIONS) -> list[Option]:
    """Return the options that make a `PoolSpec`, each of them under the name of its field."""
    return under(
        "what is pooled, as torch names it",
        option("--op", ops, "OP", "{}", default="max"),
        option(
            "--kernel",
            values.kernel,
            "K",
            "window: 3, rows x columns such as 3x2 (planes before them), or global",
        ),
        option("--adaptive", values.sizes, "N", "outputs instead of a kernel, such as 7x7"),
        option("--stride", values.sizes, "S", "step from window to window (the kernel)"),
        option(
            "--padding",
            values.padding,
            "P",
            "1, 1x0, 0:1x0:1 (before:after for each axis; negative crops), same, same-lower, "
            "valid (0)",
            choices=NAMED_PADDINGS,
        ),
        option("--dilation", values.sizes, "D", "distance between a window's taps (1)"),
        option("--ceil-mode", help="keep the last window that only partly fits"),
        option("--caffe-ceil", help="the same by Caffe's rule for windows behind the input"),
        option(
            "--count-include-pad/--no-count-include-pad",
            help="means divide by padding too (yes, but no with same, nor for l2)",
        ),
        option("--divisor divisor_override", values.integer, "N", "means divide by N everywhere"),
        option("--rounding", ROUNDINGS, "MODE", "{} (half-away; of floats half-even)"),
        option(
            "--rounding-about",
            ROUNDING_ABOUT,
            "WHAT",
            "what rounding takes for zero: raw, or zero-point, the output's (raw)",
        ),
        option(
            "--scale",
            values.ratio,
            "IN/OUT",
            "averages are multiplied by it: 0.02/0.05, as float32, or 3/4 (1)",
        ),
        option(
            "--zero-points",
            values.pair,
            "IN:OUT",
            "what stands for 0 in input and output, which padding is, for averages (0:0)",
        ),
        option("--preset", PRESETS, "NAME", "average as a runtime does: {}"),
        option("--clamp", values.clamp, "LOW:HIGH", "limit the outputs, as ReLU6 does: 0:6"),
        option(
            "--dtype",
            str,
            "TYPE",
            f"int2 to int32, uint1 to uint32, {', '.join(FLOATS)} (INPUT's, else int8)",
            choices=("int8", "uint8", "int16", "uint16", *FLOATS),
        ),
        option("--nan", NANS, "RULE", "what a maximum or minimum does with NaN: {} (propagate)"),
        option(
            "--index-base indices",
            BASES,
            "BASE",
            "give each maximum's or minimum's index too, as torch numbers it (plane), ONNX "
            "(flat, flat-columns) or TensorFlow (channels-last)"
            + ("; with unpool, how those read are numbered" if UNPOOL in ops else ""),
        ),
        option("--out-dtype", str, "TYPE", "of the output (the input's; a sum's always holds it)"),
        option("--saturate", help="let a sum saturate to a narrower --out-dtype"),
    )


def job_options() -> list[Option]:
    """Return the options that make a job of any kind; its shape and lanes are others."""
    size = option(
        "--size",
        values.lengths,
        "HxW",
        "of the map that --op unpool makes: what was pooled, rows x columns or steps",
    )
    return [
        *spec_options(ChainMap[str, Any]({UNPOOL: None}, OPERATIONS)),
        *under(WHERE, size),
    ]


def shape_option(
    default: tuple[int, ...] | None = None, *, required: bool = True, unless: str = ""
) -> Option:
    """Return ``--shape``, required if there is no default, but for what may do without."""
    return option(
        "--shape",
        values.shape,
        "CxHxW",
        "channels x rows x columns (planes before the rows), or channels x steps",
        required=required and default is None,
        default=default,
        unless=unless,
    )


def lanes_option() -> Option:
    """Return ``--lanes``."""
    return option(
        "--lanes",
        values.positive,
        "N",
        f"channels side by side in a beat (all of them, {DEFAULT_LANES} at most)",
    )


def columns_options() -> list[Option]:
    """Return ``--columns`` and ``--columns-out``."""
    return [
        option(
            "--columns",
            values.positive,
            "P",
            "adjacent columns, or steps, side by side in a beat of P x lanes values (1)",
        ),
        option(
            "--columns-out",
            values.positive,
            "Q",
            "windows side by side in a beat out (the fewest that keep pace)",
        ),
    ]


def resync_option() -> Option:
    """Return ``--resync``."""
    return option("--resync", help="drop frames whose marks are out of place, and go on in step")


def slices_option() -> Option:
    """Return ``--slices``."""
    return option(
        "--slices",
        values.positive,
        "N",
        "cut the core into N, each with its share of the lanes, for widths beyond 32 values",
        default=1,
    )


def own_streams_option() -> Option:
    """Return ``--own-streams``."""
    return option("--own-streams", help="give each slice streams of its own, instead of one")


def check_slices(options: Options, job: Job) -> None:
    """Refuse slices that a job cannot be cut into, and streams of their own without slices."""
    if getattr(options, "own_streams", False) and options.slices == 1:
        raise Refused("--own-streams has no meaning with one slice; use --slices N")
    if options.slices > 1 and isinstance(job, PoolJob):
        slice_job(job, options.slices)


def freq_option(help: str, default: float | None = 100.0) -> Option:
    """Return ``--freq``."""
    return option("--freq", values.megahertz, "MHZ", help, default=default)


def store_options(without: str) -> list[Option]:
    """Return ``--store`` and ``--scheduler``; what happens `without` it is said."""
    return under(
        "where it runs",
        option("--store", Path, "DIR", f"for results, each of which is made once ({STORE})"),
        option(
            "--scheduler",
            str,
            "ADDRESS",
            f"of a Dask scheduler, such as tcp://10.0.0.5:8786, or local for one here ({without})",
        ),
    )


def farm_options() -> list[Option]:
    """Return the options of what Dask's workers do, of this machine or of many."""
    number = option("--workers", values.positive, "N", "that start here (the processors)")
    return [*store_options("local"), *under("where it runs", number)]


def check_workers(options: Options) -> None:
    """Refuse a number of workers where they are there already."""
    if options.workers is not None and options.scheduler not in (None, "local"):
        raise Refused("--workers has no meaning with --scheduler, whose workers are there already")


def folder_option() -> Option:
    """Return ``--output`` of what is written into a folder."""
    return option("-o --output", Path, "DIR", "folder", default=Path())


def no_check_option() -> Option:
    """Return ``--no-check``, of what synthesizes."""
    return option("--no-check", help="take the netlist as it is, without frames through it")


def given(options: Options) -> dict[str, Option]:
    """Return those options of a specification that say what is not usual, as they are typed."""
    said = {}
    for each in spec_options():
        value = getattr(options, each.name)
        if value != each.default:
            no = value is False and each.secondary_opts
            said[(each.secondary_opts if no else each.opts)[0]] = each
    return said


def spec_of(options: Options, shape: Sequence[int], dtype: str = "int8") -> PoolSpec:
    """Make the specification that the options describe, of frames of a shape, channels first.

    Without ``--kernel`` or ``--adaptive`` it is the usual first pooling of a network: 3x3, stride
    2, padding 1, each unless its option says something else.
    """
    fields: dict[str, Any] = {"op": options.op, "ndim": len(shape) - 1, "dtype": dtype}
    if options.kernel is None and options.adaptive is None:
        fields |= {"kernel": 3, "stride": 2, "padding": 1}
    fields |= {each.name: getattr(options, each.name) for each in given(options).values()}
    if options.ceil_mode and options.caffe_ceil:
        raise Refused("--ceil-mode and --caffe-ceil are two rules for one window; use one of them")
    if fields.pop("caffe_ceil", False):
        fields["ceil_mode"] = CAFFE
    if (name := fields.pop("preset", None)) is None:
        return PoolSpec(**fields)
    return preset(name, fields.pop("op"), fields.pop("kernel", None), size=shape[1:], **fields)


def pool_job(options: Options, shape: Sequence[int] = (), dtype: str = "int8") -> PoolJob:
    """Make what a pooling core has to do, on frames of ``--shape`` where nothing else is said."""
    shape = shape or options.shape
    spec, lanes = spec_of(options, shape, dtype), _lanes(options, shape)
    columns, columns_out = (getattr(options, name, None) for name in COLUMNS)
    return PoolJob(spec, shape, lanes, columns or 1, columns_out)


def job_of(options: Options, shape: Sequence[int] = (), dtype: str = "int8") -> tuple[Job, str]:
    """Make what was asked for of frames of a shape, by default those of ``--shape``.

    Beside the job stands what it computes in words, where its title does not say all of it.
    """
    shape = shape or options.shape
    if options.op != UNPOOL:
        if options.size is not None:
            raise Refused(
                f"--size {by(options.size)} is what --op {UNPOOL} makes, and has no meaning with"
                f" --op {options.op}; leave it out"
            )
        job = pool_job(options, shape, dtype)
        return job, describe(job.spec)
    columns = [f"--{name.replace('_', '-')}" for name in COLUMNS if getattr(options, name, None)]
    columns += ["--slices"] * (getattr(options, "slices", 1) > 1)
    resync = ["--resync"] if getattr(options, "resync", False) else []
    for flag in [*given(options), *columns, *resync]:
        if flag not in OF_UNPOOLING:
            raise Refused(f"{flag} has no meaning with --op {UNPOOL}; leave it out")
    if options.size is None:
        raise Refused(f"--op {UNPOOL} needs the size of the map that it makes; use --size HxW")
    if len(options.size) != len(shape) - 1:
        raise Refused(
            f"--size {by(options.size)} does not fit frames of the shape {by(shape)}, which have"
            f" {len(shape) - 1} spatial axes; use a length for each"
        )
    lanes = _lanes(options, shape)
    return UnpoolJob(shape, options.size, lanes, options.dtype or dtype), ""


def _lanes(options: Options, shape: Sequence[int]) -> int | None:
    """Return ``--lanes``; refuses those that would never carry anything."""
    lanes = getattr(options, "lanes", None)
    if lanes is not None and lanes > shape[0]:
        raise Refused(f"--lanes {lanes} is more than the channels; use {shape[0]} at most")
    return lanes


def warn_of(job: Job) -> None:
    """Say a job's warnings."""
    for message in job.warnings:
        warnings.warn(message, SpecWarning, stacklevel=2)


def finished(job: Job, said: str) -> int:
    """Say a job's warnings, and print what came out."""
    warn_of(job)
    print(said)
    return 0
