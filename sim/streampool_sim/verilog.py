"""The verb `verilog`: its options, and what it prints of the files."""

import argparse
from pathlib import Path

from streampool_golden import BASES, PoolJob, UnpoolJob
from streampool_hw import FAMILIES
from streampool_hw.export.verilog import Written, write_unpool_verilog, write_verilog

from . import files
from . import options as opt
from .options import Refused

__all__ = ["EXAMPLES", "add_options", "summary", "unpool_summary", "unpool_written", "written"]

EXAMPLES = """\
examples:
  streampool verilog --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 -o .
  streampool verilog --op avg --kernel 7 --dtype uint8 --shape 16x7x7 --name head -o .
  streampool verilog --kernel 2 --index-base plane --shape 64x112x112 --lanes 4 -o .
  streampool verilog --op unpool --shape 64x56x56 --size 112x112 --lanes 4 -o .
  streampool verilog --kernel 2 --shape 3x224x224 --family ecp5 --tkeep --tuser -o .

Writes NAME.v, with AXI4-Stream ports, and beside it NAME.json, which states the beats, cycles and
latency; NAME.core for FuseSoC; NAME_inst.vh, an instance to paste; NAME.sdc, a timing constraint.
Exit: 0 written, 2 refused, and then none of them is written.
"""


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the verb's own options."""
    group.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder (this one)"
    )
    opt.add_size_option(group)
    group.add_argument("--name", help="of the module and the files (streampool_OP)")
    group.add_argument(
        "--family",
        default=FAMILIES[0],
        metavar="FAMILY",
        help=f"of devices: {', '.join(FAMILIES)} ({FAMILIES[0]}); so far only ecp5 has cells of its"
        " own, the others give the same gates",
    )
    group.add_argument("--tkeep", action="store_true", help="have tkeep on both sides")
    group.add_argument(
        "--tuser", action="store_true", help="have tuser, start of frame, on both sides"
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        default=opt.CLOCK_MHZ,
        metavar="MHZ",
        help=f"clock that the example of a constraint asks for ({opt.CLOCK_MHZ:g})",
    )


def written(job: PoolJob, options: argparse.Namespace) -> Written:
    """Write a job's core as the options say.

    Raises
    ------
    SpecError, Refused
        If the name, or the folder, will not do.
    """
    _check_folder(options)
    return write_verilog(
        *(job.spec, job.shape, job.lanes, options.output, options.name),
        family=options.family,
        tkeep=options.tkeep,
        tuser=options.tuser,
        freq_mhz=options.freq,
    )


def unpool_written(options: argparse.Namespace) -> tuple[UnpoolJob, Written]:
    """Write a MaxUnpool core as the options say: ``--shape`` is a frame in, ``--size`` one out.

    Raises
    ------
    SpecError, Refused
        If the name, the folder, or another option will not do.
    """
    size = opt.unpooled_size(options)
    if options.index_base not in (None, BASES[0]):
        raise Refused(
            f"--index-base {options.index_base} is not what an unpooling core takes, which is"
            f" {BASES[0]}"
        )
    if options.family != FAMILIES[0]:
        raise Refused(f"--family {options.family} has no meaning with --op unpool, which fits any")
    if len(size) != len(options.shape) - 1:
        raise Refused(
            f"--size {opt.by(size)} does not fit --shape {opt.by(options.shape)}, whose frames have"
            f" {len(options.shape) - 1} spatial axes; a length for each would do"
        )
    _check_folder(options)
    lanes = opt.lanes_of(options.shape, options.lanes)
    job = UnpoolJob(options.shape, size, lanes, options.dtype or "int8")
    return job, write_unpool_verilog(
        *(job, options.output, options.name or "streampool_unpool"),
        tkeep=options.tkeep,
        tuser=options.tuser,
        freq_mhz=options.freq,
    )


def _check_folder(options: argparse.Namespace) -> None:
    if options.output.is_dir() and not files.is_writable(options.output):
        raise Refused(f"--output {options.output} cannot be written to; another folder would do")


def unpool_summary(job: UnpoolJob, made: Written) -> str:
    """Say a line about each file of a MaxUnpool core."""
    lanes = opt.count(job.lanes, "lane")
    core = f"MaxUnpool of {opt.by(job.shape)} to {opt.by(job.out_shape)}, {lanes} of {job.input}"
    return _lines(core, made)


def summary(job: PoolJob, made: Written) -> str:
    """Say a line about each file."""
    lanes = opt.count(job.lanes, "lane")
    core = f"{opt.describe(job.spec)}, shape {opt.by(job.shape)}, {lanes} of {job.spec.dtype}"
    return _lines(core, made)


def _lines(core: str, made: Written) -> str:
    lines = [
        (made.verilog, core),
        (made.about, "its beats, cycles and latency"),
        (made.core, "for FuseSoC"),
        (made.template, "an instance, to paste or to include"),
        (made.constraints, "an example of a timing constraint"),
    ]
    return "\n".join(f"{path}: {text}" for path, text in lines)
