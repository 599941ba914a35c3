"""Run-time cores of the widest use, placed: what docs/runtime.md states of their clock and cells.

``python -m streampool_bench.fpga.runtime --seeds 3`` places them, one after the other, and keeps
each in ``data/runtime.json``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole
from streampool_hw.fpga.flow import SEEDS, place_runtime
from streampool_hw.runtime.maxima import Maxima

from .jobs import BAR_DEVICE

DATA = Path(__file__).with_name("data") / "runtime.json"

CORES = (
    Maxima(operations=("max",)),
    Maxima(operations=("max", "avg")),
)
"""What they are made for."""


def known() -> list[dict[str, Any]]:
    """Return the placements that come with the package."""
    return json.loads(DATA.read_text("utf-8")) if DATA.is_file() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Place the cores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    seeds = parser.parse_args(arguments).seeds
    rows: list[dict[str, Any]] = []
    for maxima in CORES:
        print(f"placing {maxima} ...", file=sys.stderr, flush=True)
        placement = place_runtime(maxima, BAR_DEVICE, seeds=seeds)
        rows.append(placement.to_json())
        write_whole({DATA: json.dumps(rows, indent=1) + "\n"})
    return int(not all(row["placed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
