"""The verb `build`, and what it prints of a bitstream."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from streampool_golden import PoolJob
from streampool_hw import RuntimeJob
from streampool_hw.boards import BOARDS, Built, build
from streampool_hw.boards.pattern import FRAMES

from .. import files
from ..netlist_check import check_design
from ..progress import Progress
from ..refusals import Refused
from ..runtime import joblist
from ..words import checked, count, table
from . import common, runtime_options, values
from .command import Options, option, under, verb

EXAMPLES = """\
examples:
  streampool build --board icebreaker --kernel 2 --shape 4x16x16 --lanes 2 -o .
  streampool build --board ulx3s-85f --freq 200 --kernel 3 --stride 2 --padding 1 \\
    --shape 64x112x112 --lanes 8 -o .

  streampool build --board icebreaker --link --kernel 3 --stride 2 --padding 1 --dtype uint8 \\
    --shape 3x160x240 -o .
  streampool build --board colorlight-5a-75b --runtime jobs.json --lanes 2 -o .

Writes BOARD.bit, .bin or .fs, as the device takes it, and BOARD.json. The core pools frames of a
fixed pattern with random stalls, and its LEDs say whether the checksums are the golden model's.
Before it is placed, its netlist is simulated, in seconds.
With --runtime the core is a run-time core, and its frames are of the jobs of a list, in turn.
With --link the core waits for frames on the board's serial port, from `streampool run --engine
board:PORT`; the files are called BOARD-link.
Needs the extra streampool[fpga], and streampool[usb] for an OrangeCrab's link. Exit: 0 built,
2 refused, or the board cannot take it.
"""


@verb(
    "build",
    EXAMPLES,
    *common.spec_options(),
    *under(
        "what is built, and where",
        common.shape_option(unless="runtime"),
        common.lanes_option(),
        *common.columns_options(),
        common.resync_option(),
        option("--board", BOARDS, "BOARD", "one of {}", required=True),
        common.folder_option(),
        common.freq_option("clock, by the PLL of an ECP5 (the board's own)", None),
        option("--link", help="let a host feed the core, over the board's serial port"),
        option("--frames", values.positive, "N", f"frames per round of the test ({FRAMES})"),
        common.no_check_option(),
    ),
    *under(
        runtime_options.HEADING,
        option(
            "--runtime",
            Path,
            "JOBS.json",
            "jobs that take turns in one core, whose maxima are those of the jobs if not given",
        ),
    ),
    *runtime_options.maxima_options(),
)
def command(options: Options) -> int:
    """Build the bitstream, and print what became of it."""
    if options.runtime is not None:
        return _told(options, _jobs(options))
    runtime_options.refuse_alone(runtime_options.maxima_options(), "--runtime JOBS.json")
    job = common.pool_job(options)
    if job.spec.indices is not None:
        raise Refused("--index-base is not for a board, whose test goes by values; leave it out")
    files.check_folder("--output", options.output)
    common.warn_of(job)  # before minutes are spent, and also where the board refuses it
    return _told(options, job)


def _jobs(options: Options) -> list[RuntimeJob]:
    """Return the jobs of a list, for one core."""
    also = ("runtime", "lanes", "board", "output", "freq", "frames", "no_check", "resync")
    runtime_options.refuse_others((*also, *runtime_options.SIZES))
    entries = joblist.read_list(options.runtime)
    for entry in entries:
        for name in ("input", "output"):
            if getattr(entry, name) is not None:
                raise Refused(
                    f"{entry.where}: {name} has no meaning on a board, whose frames are a fixed"
                    " pattern; leave it out"
                )
    files.check_folder("--output", options.output)
    jobs = joblist.jobs_of(entries, **runtime_options.given(options))
    for job in jobs:
        common.warn_of(job.job)
    return jobs


def _told(options: Options, job: PoolJob | Sequence[RuntimeJob]) -> int:
    with Progress("making the bitstream", "done") as progress:
        result = build(
            *(job, BOARDS[options.board], options.output),
            link=options.link,
            resync=options.resync,
            freq_mhz=options.freq,
            frames=options.frames,
            check=None if options.no_check else check_design,
            progress=progress,
        )
    print(summary(result))
    return 0


def summary(result: Built) -> str:
    """Say in a few lines what was built, how to load it and what it shows."""

    def of(what: str) -> str:
        """Leave out what the placer makes others of, and so says there is none of."""
        there = result.available[what]
        return f" of {there:,}" if there else ""

    clock = f"{result.clock_mhz:g} MHz"
    if result.asked_mhz not in (None, result.clock_mhz):
        clock += f", the most up to {result.asked_mhz:g} that the PLL has"
    tested = ""
    if result.frames is not None:
        checksums = count(len(result.checksums), "checksum")
        each = f" of each of {len(result.jobs)} jobs" if result.jobs else ""
        tested = f"{count(result.frames, 'frame')}{each} per round, {checksums}"
    link = result.link and result.link["port"]
    if result.link and result.link["baud"]:
        link = f"{result.link['baud']:,} baud, at {link}"
    starts = "ends the session" if result.link else "starts the test anew"
    rows = [
        ("board", f"{result.title} ({result.device})"),
        ("file", result.bitstream),
        ("clock", f"{clock}; {result.most_mhz:.1f} MHz could be reached{_bound(result)}"),
        ("use", ", ".join(f"{number:,}{of(what)} {what}" for what, number in result.used.items())),
        ("netlist", checked(result.netlist_checked, result.netlist_unchecked)),
        ("test", tested),
        ("link", link or ""),
        ("load", shlex.join(result.load)),
        *(("LED", f"{lamp['led']}: {lamp['means']}") for lamp in result.lamps),
        ("button", result.button and f"{result.button}: {starts}"),
        ("tools", ", ".join(f"{name} {number}" for name, number in result.tools.items())),
    ]
    return table(rows)


def _bound(result: Built) -> str:
    """Say where the silicon takes less than the placer says."""
    if result.most_mhz == result.fmax_mhz:
        return ""
    return f", the silicon's limit ({result.silicon_cell}); the placer says {result.fmax_mhz:.1f}"
