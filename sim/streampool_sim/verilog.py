"""The verb `verilog`: its options, and what it prints of the files."""

import argparse
from pathlib import Path

from streampool import FAMILIES
from streampool.verilog import Written, write_verilog
from streampool_golden import Job

from . import files
from . import options as opt
from .options import Refused

__all__ = ["EXAMPLES", "add_options", "summary", "written"]

EXAMPLES = """\
examples:
  streampool verilog --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 -o .
  streampool verilog --op avg --kernel 7 --dtype uint8 --shape 16x7x7 --name head -o .
  streampool verilog --kernel 2 --shape 3x224x224 --family ecp5 --tkeep --tuser -o .

Writes NAME.v, with AXI4-Stream ports, and beside it NAME.json, which states the beats, cycles and
latency; NAME.core for FuseSoC; NAME_inst.vh, an instance to paste; NAME.sdc, a timing constraint.
"""


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the verb's own options."""
    group.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder (this one)"
    )
    group.add_argument("--name", help="of the module and the files (streampool_OP)")
    group.add_argument(
        "--family",
        choices=FAMILIES,
        default=FAMILIES[0],
        metavar="FAMILY",
        help=f"of devices: {', '.join(FAMILIES)} ({FAMILIES[0]})",
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


def written(job: Job, options: argparse.Namespace) -> Written:
    """Write a job's core as the options say.

    Raises
    ------
    SpecError, Refused
        If the name, or the folder, will not do.
    """
    if options.output.is_dir() and not files.is_writable(options.output):
        raise Refused(f"--output {options.output} cannot be written to; another folder would do")
    return write_verilog(
        *(job.spec, job.shape, job.lanes, options.output, options.name),
        family=options.family,
        tkeep=options.tkeep,
        tuser=options.tuser,
        freq_mhz=options.freq,
    )


def summary(job: Job, made: Written) -> str:
    """Say a line about each file."""
    lanes = opt.count(job.lanes, "lane")
    core = f"{opt.describe(job.spec)}, shape {opt.by(job.shape)}, {lanes} of {job.spec.dtype}"
    lines = [
        (made.verilog, core),
        (made.about, "its beats, cycles and latency"),
        (made.core, "for FuseSoC"),
        (made.template, "an instance, to paste or to include"),
        (made.constraints, "an example of a timing constraint"),
    ]
    return "\n".join(f"{path}: {text}" for path, text in lines)
