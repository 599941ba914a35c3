"""The verb `build`: its options, and what it prints of a bitstream."""

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path

from streampool_golden import PoolJob
from streampool_hw.boards import BOARDS, Board, Built, build
from streampool_hw.boards.pattern import FRAMES
from streampool_hw.fpga import ToolError

from . import files
from . import options as opt
from .netlist_check import check_self_test
from .options import Refused
from .synth import NO_CHECK

__all__ = ["EXAMPLES", "add_options", "built", "summary"]

EXAMPLES = """\
examples:
  streampool build --board icebreaker --kernel 2 --shape 4x16x16 --lanes 2 -o .
  streampool build --board ulx3s-85f --freq 200 --kernel 3 --stride 2 --padding 1 \\
    --shape 64x112x112 --lanes 8 -o .

Writes BOARD.bit, .bin or .fs, as the device takes it, and BOARD.json. The core pools frames of a
fixed pattern with random stalls, and its LEDs say whether the checksums are the golden model's.
Before it is placed, the self-test runs through a round in its netlist, in seconds.
Needs the extra streampool[fpga]. Exit: 0 built, 2 refused, or the board cannot take it.
"""


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the verb's own options."""
    group.add_argument(
        "--board", required=True, metavar="BOARD", help=f"one of {', '.join(BOARDS)}"
    )
    group.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder (this one)"
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        metavar="MHZ",
        help="clock, by the PLL of an ECP5 (the board's own)",
    )
    group.add_argument(
        "--frames",
        type=opt.positive,
        default=FRAMES,
        metavar="N",
        help=f"frames of a round, for which each lane has a checksum ({FRAMES})",
    )
    group.add_argument("--no-check", action="store_true", help=NO_CHECK)


def built(
    job: PoolJob, board: Board, options: argparse.Namespace, progress: Callable[[int, int], None]
) -> Built:
    """Build what the options ask for.

    Raises
    ------
    Refused
        If a program is missing, or the board cannot take it.
    """
    if job.spec.indices is not None:
        raise Refused("--index-base is not for a board, whose test goes by values; leave it out")
    folder: Path = options.output
    files.check_folder("--output", folder)
    try:
        return build(
            *(job.spec, job.shape, job.lanes, board, folder),
            freq_mhz=options.freq,
            frames=options.frames,
            check=None if options.no_check else check_self_test,
            progress=progress,
        )
    except ToolError as error:
        raise Refused(str(error)) from None


def summary(result: Built) -> str:
    """Say in a few lines what was built, how to load it and what it shows."""

    def of(what: str) -> str:
        """Leave out what the placer makes others of, and so says there is none of."""
        there = result.available[what]
        return f" of {there:,}" if there else ""

    clock = f"{result.clock_mhz:g} MHz"
    if result.asked_mhz not in (None, result.clock_mhz):
        clock += f", the most up to {result.asked_mhz:g} that the PLL has"
    frames = opt.count(result.frames, "frame")
    checksums = opt.count(len(result.checksums), "checksum")
    lines = [
        ("board", f"{result.title} ({result.device})"),
        ("file", result.bitstream),
        ("clock", f"{clock}; {result.fmax_mhz:.1f} MHz could be reached"),
        (
            "use",
            ", ".join(f"{number:,}{of(what)} {what}" for what, number in result.used.items()),
        ),
        ("test", f"{frames} a round, {checksums}"),
        ("load", shlex.join(result.load)),
        *(("LED", f"{lamp['led']}: {lamp['means']}") for lamp in result.lamps),
    ]
    if result.button is not None:
        lines.append(("button", f"{result.button}: starts the test anew"))
    lines.append(("tools", ", ".join(f"{name} {number}" for name, number in result.tools.items())))
    return "\n".join(f"{name:<8} {text}" for name, text in lines)
