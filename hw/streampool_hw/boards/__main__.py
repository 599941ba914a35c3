"""Build every board's bitstream: ``python -m streampool_hw.boards [BOARD ...]``."""

import argparse
import sys
from pathlib import Path

from .all import build_all
from .table import BOARDS


def main(arguments: list[str] | None = None) -> int:
    """Build boards and print a line for each; 0: all were built, 1: some were not, 2: refused."""
    parser = argparse.ArgumentParser(prog="python -m streampool_hw.boards", description=__doc__)
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=f"{', '.join(BOARDS)} (all)")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/boards"), metavar="DIR")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.boards if name not in BOARDS]
    if unknown:
        parser.error(f"board {unknown[0]!r} is not known; {', '.join(BOARDS)} would do")
    return 1 if build_all(options.boards or BOARDS, options.output) else 0


if __name__ == "__main__":
    sys.exit(main())
