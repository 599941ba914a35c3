"""The verb `boards`."""

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw.boards import BOARDS, Board, Built, build
from streampool_hw.fpga import ToolError

from .. import files
from ..progress import Progress
from . import values
from .command import Options, argument, option, verb

EXAMPLES = """\
examples:
  streampool boards
  streampool boards icebreaker orangecrab -o build/boards
  streampool boards --link

What is there already and would come out the same is kept, so that a run that was stopped goes on.
Needs the extra streampool[fpga]. Exit: 0 all were built, 1 some were not, 2 refused.
"""

JOB = PoolJob(PoolSpec("max", 3, 2, 1), (16, 56, 56), 4)
"""What the boards pool: a network's first pooling, small enough for all of them."""

LINK_JOB = PoolJob(PoolSpec("max", 3, 2, 1, dtype="uint8"), (3, 160, 240), 3)
"""What they pool for a host: the photograph that comes along, as `streampool run` does."""

PLL_MHZ = 150.0
"""Their clock, where it can be chosen."""

LINK_MHZ = 50.0
"""The same with a link, which does not need it."""


@verb(
    "boards",
    EXAMPLES,
    argument("boards", BOARDS, "BOARD", f"{', '.join(BOARDS)} (all)", several=True),
    option("--link", help="with a link to a host, those that have a serial port"),
    option("--jobs", values.positive, "N", "boards at a time (the processors)"),
    option("-o --output", Path, "DIR", "folder", default=Path("build/boards")),
)
def command(options: Options) -> int:
    """Build boards, as many at a time as there are processors, and print a line for each."""
    boards = [BOARDS[name] for name in options.boards] or [*BOARDS.values()]
    files.check_folder("--output", options.output)

    def attempt(board: Board) -> Built | str:
        if options.link and board.serial is None:
            return ""
        print(f"streampool: building {board.name} ...", file=sys.stderr, flush=True)
        try:
            job, mhz = (LINK_JOB, LINK_MHZ) if options.link else (JOB, PLL_MHZ)
            freq_mhz = mhz if board.has_pll and not (options.link and board.on_usb) else None
            return build(
                *(job, board, options.output), link=options.link, freq_mhz=freq_mhz, keep=True
            )
        except (ToolError, SpecError) as error:
            return str(error)

    failed = 0
    with (
        Progress("building the boards", "done", "boards") as progress,
        ThreadPoolExecutor(options.jobs or os.cpu_count()) as pool,
    ):
        print("board                clock MHz  reached  use                                 file")
        for done, (board, result) in enumerate(
            zip(boards, pool.map(attempt, boards), strict=True), 1
        ):
            progress(done, len(boards))
            failed += isinstance(result, str) and bool(result)
            print(_line(board, result), flush=True)
    return 1 if failed else 0


def _line(board: Board, result: Built | str) -> str:
    if not result:
        return f"{board.name:<19} has no link: its {board.no_serial.removeprefix('whose ')}"
    if isinstance(result, str):
        return f"{board.name:<19} not built: {result}"
    [(cells, used)] = Counter(result.used).most_common(1)
    use = f"{used:,} of {result.available[cells]:,} {cells}"
    reached = f"{result.clock_mhz:10g} {result.most_mhz:8.1f}"
    return f"{board.name:<19} {reached}  {use:<35} {result.bitstream}"
