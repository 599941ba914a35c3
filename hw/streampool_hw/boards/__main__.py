"""Build every board's bitstream: ``python -m streampool_hw.boards [BOARD ...]``."""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from streampool_golden import PoolJob, PoolSpec, SpecError

from ..fpga import ToolError
from .build import Built, build
from .table import BOARDS, Board

JOB = PoolJob(PoolSpec("max", 3, 2, 1), (16, 56, 56), 4)
"""What the boards pool: a network's first pooling, small enough for all of them."""

PLL_MHZ = 150.0
"""Their clock, where it can be chosen."""


def main(arguments: list[str] | None = None) -> int:
    """Build boards, two or so at a time, and print a line for each.

    Returns
    -------
    int
        0 if all were built, 1 if some were not, 2 if the arguments make no sense.
    """
    parser = argparse.ArgumentParser(prog="python -m streampool_hw.boards", description=__doc__)
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=f"{', '.join(BOARDS)} (all)")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/boards"), metavar="DIR")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.boards if name not in BOARDS]
    if unknown:
        parser.error(f"board {unknown[0]!r} is not known; {', '.join(BOARDS)} would do")
    chosen = [BOARDS[name] for name in options.boards or BOARDS]

    def attempt(board: Board) -> Built | str:
        print(f"streampool: building {board.name} ...", file=sys.stderr, flush=True)
        freq_mhz = PLL_MHZ if board.has_pll else None
        try:
            return build(
                *(JOB.spec, JOB.shape, JOB.lanes, board, options.output), freq_mhz=freq_mhz
            )
        except (ToolError, SpecError) as error:
            return str(error)

    print("board                clock MHz  reached  use                                 file")
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for board, result in zip(chosen, pool.map(attempt, chosen), strict=True):
            if isinstance(result, str):
                failed += 1
                print(f"{board.name:<19} not built: {result}", flush=True)
                continue
            [(cells, used)] = Counter(result.used).most_common(1)
            use = f"{used:,} of {result.available[cells]:,} {cells}"
            print(
                f"{board.name:<19} {result.clock_mhz:10g} {result.fmax_mhz:8.1f}  {use:<35}"
                f" {result.bitstream}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
