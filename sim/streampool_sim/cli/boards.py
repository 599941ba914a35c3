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
from .command import Options, argument, option, verb

EXAMPLES = """\
examples:
  streampool boards
  streampool boards icebreaker orangecrab -o build/boards

Needs the extra streampool[fpga]. Exit: 0 all were built, 1 some were not, 2 refused.
"""

JOB = PoolJob(PoolSpec("max", 3, 2, 1), (16, 56, 56), 4)
"""What the boards pool: a network's first pooling, small enough for all of them."""

PLL_MHZ = 150.0
"""Their clock, where it can be chosen."""


@verb(
    "boards",
    EXAMPLES,
    argument("boards", BOARDS, "BOARD", f"{', '.join(BOARDS)} (all)", several=True),
    option("-o --output", Path, "DIR", "folder", default=Path("build/boards")),
)
def command(options: Options) -> int:
    """Build boards, as many at a time as there are processors, and print a line for each."""
    boards = [BOARDS[name] for name in options.boards] or [*BOARDS.values()]
    files.check_folder("--output", options.output)

    def attempt(board: Board) -> Built | str:
        print(f"streampool: building {board.name} ...", file=sys.stderr, flush=True)
        try:
            freq_mhz = PLL_MHZ if board.has_pll else None
            return build(JOB, board, options.output, freq_mhz=freq_mhz)
        except (ToolError, SpecError) as error:
            return str(error)

    failed = 0
    with (
        Progress("building the boards", "done", "boards") as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        print("board                clock MHz  reached  use                                 file")
        for done, (board, result) in enumerate(
            zip(boards, pool.map(attempt, boards), strict=True), 1
        ):
            progress(done, len(boards))
            failed += isinstance(result, str)
            print(_line(board, result), flush=True)
    return 1 if failed else 0


def _line(board: Board, result: Built | str) -> str:
    if isinstance(result, str):
        return f"{board.name:<19} not built: {result}"
    [(cells, used)] = Counter(result.used).most_common(1)
    use = f"{used:,} of {result.available[cells]:,} {cells}"
    reached = f"{result.clock_mhz:10g} {result.most_mhz:8.1f}"
    return f"{board.name:<19} {reached}  {use:<35} {result.bitstream}"
