"""What README.md and docs/ state of a measurement, and nothing else of it.

``python -m streampool_bench.report.digest build/bench.json docs/bench.json`` writes it. With a
digest as the source, as in ``docs/bench.json docs/bench.json``, its cores are counted again at the
clocks of today's placements, beside the software as it was measured (``make bench-clocks``).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole

from ..fpga.clocks import ASSUMED_MHZ
from ..software.timing import COLD, WARM
from . import compare, hardware, links, reading, report
from .layers import QUICK, network_layers

SCHEMA = "streampool-bench-digest-2"

OF_SOFTWARE = ("share", "cold")
"""Sentences that stay as they were recorded where a digest lacks what they were made of."""

UNCUT = {"columns": 1, "slices": 1}
"""What a core's row lacks in a report that was made before cores were cut."""

Row = dict[str, Any]

_LAYER = ("layer", "title", "nets", "values_in")
_COMPARISON = (
    *("layer", "device", "lanes", "columns", "slices", "freq_mhz", "freq_source", "freq_bound"),
    *(
        "placed_job",
        "placed_seeds",
        "seconds",
        "best",
        "usual",
        "cold_s",
        "ratio_best",
        "ratio_usual",
        "tie",
    ),
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
_HARDWARE = (
    *("layer", "device", "part", "lanes", "columns", "slices", "freq_mhz", "freq_source"),
    "frames_per_second",
)


def digest(made: dict[str, Any]) -> dict[str, Any]:
    """Return what the pages state of a report.

    That is the comparison and the networks on the device that the report is about, all sentences,
    the cycles that were simulated, and of the layers that are drawn the placed cores and the
    fastest way of each contender.
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
        "simulated": made["simulated"] if "simulated" in made else _simulated(made["hardware"]),
        "shares": made["shares"],
        "reading": made["reading"],
    }


def _simulated(rows: Sequence[Row]) -> list[list[Any]]:
    """Return what was simulated: layer, lanes and cycles, whatever the device."""
    counted = (row for row in rows if row["cycles_source"] == "simulated")
    found = {(row["layer"], row["lanes"]): row["cycles"] for row in counted}
    return [[*pair, cycles] for pair, cycles in found.items()]


def again(recorded: dict[str, Any]) -> dict[str, Any]:
    """Count the cores of a digest again, as they are placed today; returns a digest.

    The software stays as it was measured. Raises `LookupError` for a layer that is not known today.
    """
    known = {layer.name: layer for layer in network_layers().layers}
    picked = [known[row["layer"]] for row in recorded["layers"]]
    software = [row for each in recorded["comparison"] for row in _software(each)]
    counted = {
        (known[layer].spec, known[layer].shape, lanes): cycles
        for layer, lanes, cycles in recorded["simulated"]
    }
    assumed = recorded["settings"]["assumed_mhz"]
    cores = hardware.rows(
        picked, assumed_mhz=None if assumed == ASSUMED_MHZ else assumed, simulated=counted
    )
    compared = compare.comparison(picked, software, cores)
    order = {row["net"]: row["layers"] for row in recorded["networks"]}
    made = report.about(
        recorded
        | {
            "layers": [layer.to_json() for layer in picked],
            "links": [asdict(link) for link in links.LINKS.values()],
            "hardware": cores,
            "comparison": compared,
            "networks": compare.networks(order, software, cores, compared),
        }
    )
    said = {each["id"]: each for each in made["reading"]}
    kept = {each["id"]: each for each in recorded["reading"] if each["id"] in OF_SOFTWARE} | said
    places = [each["id"] for each in recorded["reading"]]
    for before, name in pairwise(said):  # a new one goes behind what it follows now
        if name not in places and before in places:
            places.insert(places.index(before) + 1, name)
    order_of = {name: places.index(name) if name in places else len(places) for name in kept}
    sentences = [kept[name] for name in sorted(kept, key=lambda name: order_of[name])]
    return digest(made | {"reading": sentences})


def _software(row: Row) -> list[Row]:
    """Return the measurements that a row of a digest's comparison was made of."""
    rest = {"layer": row["layer"], "runtime": None, "correct": True, "crop": None}
    found = []
    if row["best"] is not None:
        found.append(row["best"] | rest | {"cache": WARM})
        if row["cold_s"] is not None:
            found.append(found[0] | {"cache": COLD, "median_s": row["cold_s"]})
    if row["usual"] is not None:
        call = (compare.USUAL, compare.USUAL_DTYPE, compare.USUAL_LAYOUT)
        named = dict(zip(("contender", "dtype", "layout"), call, strict=True))
        found.append(row["usual"] | rest | named | {"threads": None, "cache": WARM})
    return found


def _only(row: Row, names: Sequence[str]) -> Row:
    whole = UNCUT | row
    return {name: whole[name] for name in names}


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
    parser.add_argument("source", type=Path, help="what streampool bench --json wrote, or a digest")
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
    try:
        written = again(made) if made.get("schema") == SCHEMA else digest(report.about(made))
    except LookupError as error:
        print(
            f"streampool: {options.source} has no {error}, or a layer of that name is not known"
            " today; use what streampool bench --json of this version wrote",
            file=sys.stderr,
        )
        return 2
    write_whole({options.target: report.text(written)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
