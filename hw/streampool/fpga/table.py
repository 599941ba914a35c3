"""The reference jobs on their devices: ``python -m streampool.fpga.table``.

Every result is kept in a folder under what it was made from, so that what was stopped goes on
where it was, and only what has changed is placed again.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from streampool_golden import SpecError

from .devices import DEVICES
from .flow import SEEDS, fingerprint, place
from .jobs import BAR_DEVICE, JOBS
from .tools import ToolError

__all__ = ["PLANNED", "known", "main", "markdown"]

PLANNED = {
    BAR_DEVICE: tuple(JOBS),
    "ecp5-85k-8": ("A1", "B8", "D1"),
    "ecp5-25k-6": ("A1", "B8", "C'8", "D8"),
    "ice40-hx8k": ("A1", "A8", "B8", "C1", "D1", "H8"),
    "ice40-up5k": ("A1", "B8", "D1"),
    "gowin-gw1nr9": ("A1", "B8", "C1", "D1"),
    "gowin-gw2a18": ("A1", "B8", "D1", "H8"),
}
"""The jobs that are placed, by device."""

DATA = "placements.json"

Row = dict[str, Any]
"""A `Placement` as JSON, with the job's name as ``job``."""


def known() -> list[Row]:
    """Return the placements that come with the package; none if they were never made."""
    file = resources.files(__package__) / "data" / DATA
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Place what was asked for, and write the table as JSON and Markdown.

    Returns
    -------
    int
        0, or 2 if something was refused or a program is missing.
    """
    parser = argparse.ArgumentParser(prog="streampool.fpga.table", description=__doc__)
    parser.add_argument("--jobs", help="names with commas between; all by default")
    parser.add_argument("--devices", help="names with commas between; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"of each ({SEEDS})")
    parser.add_argument("--folder", type=Path, default=Path("build/fpga"), help="for results")
    data = Path(__file__).parent / "data" / DATA
    parser.add_argument("--output", type=Path, default=data, help="the table as JSON")
    options = parser.parse_args(arguments)
    try:
        if options.seeds < 1:
            raise SpecError("seeds", f"seeds {options.seeds} is none; 1 or more would do.")
        wanted = [
            (job, device)
            for device in _named("devices", options.devices, PLANNED)
            for job in _named("jobs", options.jobs, JOBS)
            if job in PLANNED[device]
        ]
        rows = _all(wanted, options.seeds, options.folder)
    except (SpecError, ToolError) as error:
        print(f"streampool: {error}", file=sys.stderr)
        return 2
    old = [row for row in known() if (row["job"], row["device"]) not in rows]
    order = [(job, device) for device, jobs in PLANNED.items() for job in jobs]
    merged = {(row["job"], row["device"]): row for row in old} | rows
    table = [merged[key] for key in order if key in merged]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    text = markdown(table)
    (options.folder / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _named(field: str, text: str | None, known: dict[str, Any]) -> list[str]:
    names = list(known) if text is None else text.split(",")
    for name in names:
        if name not in known:
            raise SpecError(field, f"{field} has no {name!r}; {', '.join(known)} would do.")
    return names


def _all(wanted: Sequence[tuple[str, str]], seeds: int, folder: Path) -> dict[tuple[str, str], Row]:
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    start = time.monotonic()
    for number, (name, device) in enumerate(wanted, 1):
        job = JOBS[name]
        key = fingerprint(job.spec, job.shape, job.lanes, DEVICES[device])
        path = folder / f"{name.replace(chr(39), 'p')}-{device}-{seeds}-{key}.json"
        if path.is_file():
            row = json.loads(path.read_text(encoding="utf-8"))
        else:
            placement = place(*(job.spec, job.shape, job.lanes, DEVICES[device]), seeds=seeds)
            if not placement.tools:
                raise ToolError(placement.reason)
            row = {"job": name, **placement.to_json()}
            path.write_text(json.dumps(row), encoding="utf-8")
        rows[name, device] = row
        said = f"{row['fmax_median_mhz']} MHz, {row['lut4']} LUT4" if row["placed"] else "no"
        print(
            f"streampool: {number}/{len(wanted)} {name} on {device}: {said}"
            f" ({time.monotonic() - start:.0f} s)",
            file=sys.stderr,
            flush=True,
        )
    return rows


def markdown(rows: Sequence[Row], *, short: bool = False) -> str:
    """Return the table in Markdown.

    Parameters
    ----------
    rows : sequence of dict
        The placements.
    short : bool, optional
        Only `BAR_DEVICE`, with fewer columns.
    """
    parts = []
    for device in dict.fromkeys(row["device"] for row in rows):
        here = [row for row in rows if row["device"] == device]
        if short and device != BAR_DEVICE:
            continue
        own = device == BAR_DEVICE
        head = ["job", "layer", "lanes", "MHz, median", "seeds", "LUT4", "carry", "FF"]
        head += ["block RAM", "DSP", "frames/s", "longest path"] if not short else ["frames/s"]
        head += ["asked for", "peers (LUT4 at MHz)"] if own else []
        lines = [head, ["---"] * len(head)]
        for row in here:
            lines.append(_line(row, short) + (_bar(row["job"]) if own else []))
        text = "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
        versions = {each for row in here for each in row["tools"].values()}
        tools = "; ".join(sorted(version.partition(" (git")[0] for version in versions))
        parts.append(f"{here[0]['part']} (`{device}`), with {tools}:\n\n{text}")
    return "\n".join(parts)


def _line(row: Row, short: bool) -> list[object]:
    job = JOBS[row["job"]]
    spec = job.spec
    sizes = "x".join(map(str, dict.fromkeys(spec.kernel)))
    layer = f"{spec.op} {sizes} s{spec.stride[0]}, {'x'.join(map(str, job.shape))}"
    line: list[object] = [row["job"], layer, row["lanes"]]
    counts = _COUNTS[: 3 if short else 5]
    if not row["placed"]:
        line += [
            "-",
            "-",
            *("-" if row[name] is None else f"{row[name]:,}" for name in counts),
            "-",
        ]
        return line if short else [*line, row["reason"].rstrip(".")]
    seeds = " ".join(f"{clock:.0f}" for clock in row["fmax_mhz"])
    line += [f"{row['fmax_median_mhz']:.0f}", seeds, *(f"{row[name]:,}" for name in counts)]
    line.append(f"{row['frames_per_second']:,.0f}")
    if not short:
        line.append(row["critical_path"]["words"] if row["critical_path"] else "")
    return line


_COUNTS = ("lut4", "carry", "ff", "block_ram", "dsp")


def _bar(name: str) -> list[object]:
    job = JOBS[name]
    asked = [f"{job.least_mhz:g} MHz"] if job.least_mhz else []
    asked += [f"{job.most_lut4} LUT4"] if job.most_lut4 else []
    return [", ".join(asked), job.peers]


if __name__ == "__main__":
    sys.exit(main())
