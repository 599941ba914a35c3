"""Place the reference jobs: ``python -m streampool_bench.fpga``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from streampool_golden import SpecError
from streampool_hw.fpga import ToolError
from streampool_hw.fpga.flow import SEEDS

from . import table
from .text import markdown

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Place what was asked for, and write the table as JSON and Markdown.

    Returns
    -------
    int
        0; 1 if ``--check`` finds a row stale; 2 if something was refused or a program is missing;
        130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m streampool_bench.fpga",
        description="Place the reference jobs on their devices; what is done is not done again.",
    )
    parser.add_argument("--jobs", help="names with commas between; all by default")
    parser.add_argument("--devices", help="names with commas between; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"of each ({SEEDS})")
    parser.add_argument("--folder", type=Path, default=Path("build/fpga"), help="for results")
    parser.add_argument("--check", action="store_true", help="place nothing; say what is stale")
    parser.add_argument("--output", type=Path, default=table.DATA, help="the table as JSON")
    options = parser.parse_args(arguments)
    try:
        rows = table.make(**vars(options))
    except (SpecError, ToolError) as error:
        print(f"streampool: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("streampool: interrupted; what was done is kept", file=sys.stderr)
        return 130
    text = markdown(rows)
    table.write(options.folder / "table.md", text)
    print(text, end="")
    return int(options.check and any(row["stale"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
