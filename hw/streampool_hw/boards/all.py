"""Every board's bitstream, one after the other or as many at a time as there are processors."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
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


def build_all(
    names: Iterable[str], folder: Path, progress: Callable[[int, int], None] | None = None
) -> int:
    """Build boards, some at a time, and print a line for each; returns how many were not built.

    Parameters
    ----------
    names : iterable of str
        Of `BOARDS`.
    folder : Path
        Where the bitstreams go.
    progress : callable, optional
        Called with boards done and boards due.
    """
    chosen = [BOARDS[name] for name in names]

    def attempt(board: Board) -> Built | str:
        print(f"streampool: building {board.name} ...", file=sys.stderr, flush=True)
        freq_mhz = PLL_MHZ if board.has_pll else None
        try:
            return build(*(JOB.spec, JOB.shape, JOB.lanes, board, folder), freq_mhz=freq_mhz)
        except (ToolError, SpecError) as error:
            return str(error)

    print("board                clock MHz  reached  use                                 file")
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (board, result) in enumerate(
            zip(chosen, pool.map(attempt, chosen), strict=True), 1
        ):
            if progress is not None:
                progress(done, len(chosen))
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
    return failed
