"""The verb `verilog`, and what it prints of the files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streampool_golden import BASES, Job, PoolJob
from streampool_hw import FAMILIES, Slices
from streampool_hw.export import runtime_verilog
from streampool_hw.export.axi import TLAST
from streampool_hw.export.verilog import files_of, write_verilog
from streampool_hw.files import is_writable
from streampool_hw.resync import MARKS

from .. import files
from ..progress import Progress
from ..refusals import Refused
from ..words import by
from . import common, runtime_options
from .command import Options, dashed, option, under, verb

EXAMPLES = """\
examples:
  streampool verilog --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 -o .
  streampool verilog --op avg --kernel 7 --dtype uint8 --shape 16x7x7 --name head -o .
  streampool verilog --kernel 2 --index-base plane --shape 64x112x112 --lanes 4 -o .
  streampool verilog --op unpool --shape 64x56x56 --size 112x112 --lanes 4 -o .
  streampool verilog --kernel 2 --shape 3x224x224 --family ecp5 --tkeep --tuser -o .
  streampool verilog --kernel 2 --shape 3x1080x1920 --columns 4 --tuser --tlast line --resync -o .
  streampool verilog --kernel 2 --shape 64x224x224 --columns 32 --slices 8 --own-streams -o .

  streampool verilog --runtime --lanes 8 --max-partials 2 --max-row 2304 --max-words 16 -o .

Writes NAME.v, with AXI4-Stream ports, and beside it NAME.json, which states the beats, cycles and
latency; NAME.core for FuseSoC; NAME_inst.vh, an instance to paste; NAME.sdc, a timing constraint.
With --runtime a host says over AXI4-Lite what the core does: what is fixed is the most that a job
may ask for. NAME.h and NAME.rdl then have the registers, and NAME_driver.h writes jobs there in C.
Exit: 0 written, 2 refused, and then none of them is written.
"""


@verb(
    "verilog",
    EXAMPLES,
    *common.job_options(),
    *under(
        "what is written",
        common.shape_option(unless="runtime"),
        common.lanes_option(),
        *common.columns_options(),
        common.slices_option(),
        common.own_streams_option(),
        common.folder_option(),
        option("--name", str, "NAME", "of the module and the files (streampool_OP)"),
        option(
            "--family",
            FAMILIES,
            "FAMILY",
            "of devices, whose own cells and counters are used where they pay: {}",
            default=FAMILIES[0],
        ),
        option("--tkeep", help="have tkeep on both sides"),
        option("--tuser", help="have tuser, start of frame, on both sides"),
        option("--tlast", TLAST, "WHAT", "what tlast ends, as of video: {}", default=TLAST[0]),
        common.resync_option(),
        common.freq_option("clock that the example of a constraint asks for"),
    ),
    *runtime_options.core_options(),
)
def command(options: Options) -> int:
    """Write the core and what goes with it, and print the files."""
    if options.runtime:
        return _runtime(options)
    runtime_options.refuse_alone(runtime_options.core_options())
    job, words = common.job_of(options)
    common.check_slices(options, job)
    what: Job | Slices = job
    how: dict[str, Any] = {"family": options.family}
    if isinstance(job, PoolJob) and options.own_streams:
        what, how = Slices(job, options.slices, **how), {}
    elif options.slices > 1:
        how["slices"] = options.slices
    if len(job.fields_in) > 1:  # indices come in
        _check_indices_in(options)
    _check_folder(options, files_of(options.output, options.name or f"streampool_{options.op}"))
    with Progress("making the core"):
        made = write_verilog(
            *(what, options.output, options.name),
            **how,
            tkeep=options.tkeep,
            tuser=options.tuser,
            tlast=options.tlast,
            resync=options.resync,
            freq_mhz=options.freq,
        )
    lanes = f"{job.side_by_side} of {job.input}"
    title = f"{words}, shape {by(job.shape)}, {lanes}" if words else job.title
    return common.finished(job, _listed(made, title, "its beats, cycles and latency"))


def _runtime(options: Options) -> int:
    """Write a core whose job changes while it runs, and print the files."""
    also = ("output", "name", "family", "freq", "resync")
    if options.resync:  # which makes something of it
        also += ("tuser",)
    maxima = runtime_options.maxima_of(options, also)
    name = options.name or runtime_verilog.NAME
    _check_folder(options, runtime_verilog.runtime_files_of(options.output, name))
    with Progress("making the core"):
        made = runtime_verilog.write_runtime_verilog(
            *(maxima, options.output, name),
            family=options.family,
            resync=options.resync,
            marks=MARKS[not options.tuser :],
            freq_mhz=options.freq,
        )
    operations = " and ".join(maxima.operations)
    title = f"{operations} as a host says, {maxima.lanes} lanes of {maxima.bits} bits"
    print(_listed(made, title, "its maxima, registers and latency"))
    return 0


def _check_folder(options: Options, paths: Iterable[Path]) -> None:
    """Refuse a folder that cannot be written, and files there that must not be."""
    if options.output.is_dir() and not is_writable(options.output):
        raise Refused(f"--output {options.output} cannot be written to; use another folder")
    for path in paths:
        files.check_not_read_only(path)


def _listed(made: Iterable[Path], title: str, about: str) -> str:
    """Say what each file is."""
    texts = (
        title,
        about,
        "for FuseSoC",
        "an instance, to paste or to include",
        "an example of a timing constraint",
        "an IP-XACT component, for Vivado's catalogue",
        "its registers, for C",
        "a driver for these",
        "a planner of jobs, of maxima and minima",
        "its registers, in SystemRDL",
    )
    return "\n".join(f"{path}: {text}" for path, text in zip(made, texts, strict=False))


def _check_indices_in(options: Options) -> None:
    """Refuse what has no meaning where indices come in."""
    if options.indices not in (None, BASES[0]):
        raise Refused(
            f"--index-base {dashed(options.indices)} is not what an unpooling core takes;"
            f" use {BASES[0]}"
        )
    if options.family != FAMILIES[0]:
        raise Refused(
            f"--family {options.family} has no meaning with --op {options.op}, which fits any;"
            " leave it out"
        )
