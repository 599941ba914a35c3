"""What README.md and docs/ state of a measurement, and nothing else of it.

``python -m streampool_bench.report.digest build/bench.json docs/bench.json`` writes it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole

from ..software.timing import WARM
from . import compare, reading, report
from .layers import QUICK

SCHEMA = "streampool-bench-digest-1"

Row = dict[str, Any]

_LAYER = ("layer", "title", "nets", "values_in")
_COMPARISON = (
    *("layer", "device", "lanes", "freq_mhz", "freq_source", "placed_job", "placed_seeds"),
    *("seconds", "best", "usual", "ratio_best", "ratio_usual", "tie"),
)
_NESTED = {
    "best": ("contender", "dtype", "layout", "threads", "median_s"),
    "usual": ("median_s",),
    "tie": ("lanes", "holds", "fits"),
}
_SOFTWARE = (
    *("layer", "contender", "runtime", "dtype", "layout", "cache", "correct", "crop"),
    "frames_per_second",
)
_HARDWARE = ("layer", "device", "part", "lanes", "freq_mhz", "freq_source", "frames_per_second")


def digest(made: dict[str, Any]) -> dict[str, Any]:
    """Return what the pages state of a report.

    That is the comparison and the networks on the device that the report is about, all sentences,
    and of the layers that are drawn the placed cores and the fastest way of each contender.
    """
    device = reading.device_of(made)
    compared = [row for row in made["comparison"] if row["device"] == device]
    return {
        "schema": SCHEMA,
        **{name: made[name] for name in ("settings", "machine", "versions")},
        "layers": [_only(row, _LAYER) for row in made["layers"]],
        "software": _drawn_software(made["software"]),
        "hardware": [
            _only(row, _HARDWARE)
            for row in made["hardware"]
            if row["layer"] in QUICK and row["freq_source"] == "placed"
        ],
        "comparison": [
            _only(row, _COMPARISON)
            | {key: row[key] and _only(row[key], names) for key, names in _NESTED.items()}
            for row in compared
        ],
        "networks": [row for row in made["networks"] if row["device"] == device],
        "reading": made["reading"],
    }


def _only(row: Row, names: Sequence[str]) -> Row:
    return {name: row[name] for name in names}


def _drawn_software(rows: Sequence[Row]) -> list[Row]:
    """Return the fastest row of each contender on each layer that is drawn, whole or cropped."""
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row["layer"] not in QUICK or row["cache"] != WARM or not row["correct"]:
            continue
        kind = "usual" if compare.is_usual(row) else str(bool(row["crop"]))
        key = (row["layer"], row["contender"], kind)
        if key not in best or row["frames_per_second"] > best[key]["frames_per_second"]:
            best[key] = row
    return [_only(row, _SOFTWARE) for row in best.values()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the digest of a measurement; returns 2 if that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m streampool_bench.report.digest")
    parser.add_argument("source", type=Path, help="what streampool bench --json wrote")
    parser.add_argument("target", type=Path, help="where the digest goes")
    options = parser.parse_args(arguments)
    try:
        made = json.loads(options.source.read_text("utf-8"))
    except (OSError, ValueError) as error:
        print(
            f"streampool: {options.source} is no measurement: {error}; use what"
            " streampool bench --json wrote",
            file=sys.stderr,
        )
        return 2
    write_whole({options.target: report.text(digest(report.about(made)))})
    return 0


if __name__ == "__main__":
    sys.exit(main())
