"""The verb `verilog`, and what it prints of the files."""

from streampool_golden import BASES, PoolJob, UnpoolJob
from streampool_hw import FAMILIES
from streampool_hw.export.verilog import Written, files_of, write_verilog
from streampool_hw.files import is_writable

from .. import files
from ..progress import Progress
from ..refusals import Refused
from ..words import by, count, describe
from . import common
from .command import option, tell, verb
from .fields import Options, spec_options, unpooled_size

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


def _verilog(options: Options) -> int:
    if options.op == "unpool":
        with Progress("making the core"):
            said = unpool_summary(*unpool_written(options))
        print(said)
        return 0
    common.check_no_size(options)
    job = common.job_of(options)
    with Progress("making the core"):
        made = written(job, options)
    for message in job.warnings:
        tell(message)
    print(summary(job, made))
    return 0


def written(job: PoolJob, options: Options) -> Written:
    """Write a job's core as the options say.

    Raises
    ------
    SpecError, Refused
        If the name, or the folder, will not do.
    """
    _check_folder(options)
    return write_verilog(
        *(job, options.output, options.name),
        family=options.family,
        tkeep=options.tkeep,
        tuser=options.tuser,
        freq_mhz=options.freq,
    )


def unpool_written(options: Options) -> tuple[UnpoolJob, Written]:
    """Write a MaxUnpool core as the options say: ``--shape`` is a frame in, ``--size`` one out.

    Raises
    ------
    SpecError, Refused
        If the name, the folder, or another option will not do.
    """
    size = unpooled_size(options)
    if options.index_base not in (None, BASES[0]):
        raise Refused(
            f"--index-base {options.index_base} is not what an unpooling core takes, which is"
            f" {BASES[0]}"
        )
    if options.family != FAMILIES[0]:
        raise Refused(f"--family {options.family} has no meaning with --op unpool, which fits any")
    if len(size) != len(options.shape) - 1:
        raise Refused(
            f"--size {by(size)} does not fit --shape {by(options.shape)}, whose frames have"
            f" {len(options.shape) - 1} spatial axes; a length for each would do"
        )
    _check_folder(options)
    lanes = common.lanes_of(options.shape, options.lanes)
    job = UnpoolJob(options.shape, size, lanes, options.dtype or "int8")
    return job, write_verilog(
        *(job, options.output, options.name),
        tkeep=options.tkeep,
        tuser=options.tuser,
        freq_mhz=options.freq,
    )


def _check_folder(options: Options) -> None:
    if options.output.is_dir() and not is_writable(options.output):
        raise Refused(f"--output {options.output} cannot be written to; another folder would do")
    for path in files_of(options.output, options.name or f"streampool_{options.op}"):
        files.check_not_read_only(path)


def unpool_summary(job: UnpoolJob, made: Written) -> str:
    """Say a line about each file of a MaxUnpool core."""
    lanes = count(job.lanes, "lane")
    core = f"MaxUnpool of {by(job.shape)} to {by(job.out_shape)}, {lanes} of {job.input}"
    return _lines(core, made)


def summary(job: PoolJob, made: Written) -> str:
    """Say a line about each file."""
    lanes = count(job.lanes, "lane")
    core = f"{describe(job.spec)}, shape {by(job.shape)}, {lanes} of {job.spec.dtype}"
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


WHAT = "what is written"

command = verb(
    "verilog",
    [
        *spec_options(more_ops=("unpool",)),
        common.shape_option(WHAT),
        common.lanes_option(WHAT),
        common.folder_option(WHAT),
        common.size_option(WHAT),
        option(
            "--name",
            takes=str,
            metavar="NAME",
            group=WHAT,
            help="of the module and the files (streampool_OP)",
        ),
        option(
            "--family",
            takes=str,
            metavar="FAMILY",
            choices=FAMILIES,
            group=WHAT,
            default=FAMILIES[0],
            help=f"of devices: {', '.join(FAMILIES)} ({FAMILIES[0]}); so far only ecp5 has cells of"
            " its own, the others give the same gates",
        ),
        option("--tkeep", group=WHAT, default=False, help="have tkeep on both sides"),
        option(
            "--tuser", group=WHAT, default=False, help="have tuser, start of frame, on both sides"
        ),
        common.freq_option(WHAT, "clock that the example of a constraint asks for (100)"),
    ],
    _verilog,
    about="Write a core as one Verilog file with AXI4-Stream ports.",
    examples=EXAMPLES,
)
