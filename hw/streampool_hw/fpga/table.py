"""The reference jobs on their devices: ``python -m streampool_hw.fpga.table``.

Every result is kept in a folder under what it was made from, and stored in the table as soon as
it is there, so that what was stopped goes on where it was, and only what has changed is placed
again. Rows that a run leaves alone are held against their designs, and said to be stale if those
have changed.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from streampool_golden import SpecError

from .devices import DEVICES
from .flow import FREQ_MHZ, SEEDS, Design, place_design
from .jobs import BAR_DEVICE, JOBS
from .tools import ToolError

__all__ = ["PLANNED", "against_bar", "known", "main", "markdown"]

PLANNED = {
    BAR_DEVICE: tuple(JOBS),
    "ecp5-85k-8": ("A1", "B8", "D1"),
    "ecp5-25k-6": ("A1", "B8", "C'8", "D8"),
    "ice40-hx8k": ("A1", "A8", "B8", "C1", "D1", "H8"),
    "ice40-hx1k": ("A1", "B8"),
    "ice40-up5k": ("A1", "B8", "D1"),
    "gowin-gw1nr9": ("A1", "B8", "C1", "D1"),
    "gowin-gw2a18": ("A1", "B8", "D1", "H8"),
}
"""The jobs that are placed, by device."""

DATA = "placements.json"
TOOK = "took.json"
"""How long a run took that placed the whole plan anew, in the folder of results."""

Row: TypeAlias = dict[str, Any]
"""A `Placement` as JSON; ``job`` is the reference job's name, ``key`` what it was made from,
``seeds`` how many were asked for, ``stale`` whether the design has changed since."""
Pair: TypeAlias = tuple[str, str]
"""A job and a device, which a table has one row of."""


def known() -> list[Row]:
    """Return the placements that come with the package; none if they were never made."""
    file = resources.files("streampool_hw.fpga") / "data" / DATA
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Place what was asked for, and write the table as JSON and Markdown.

    Returns
    -------
    int
        0; 1 if ``--check`` finds a row stale; 2 if something was refused or a program is missing;
        130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="streampool_hw.fpga.table",
        description="Place the reference jobs on their devices; what is done is not done again.",
    )
    parser.add_argument("--jobs", help="names with commas between; all by default")
    parser.add_argument("--devices", help="names with commas between; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"of each ({SEEDS})")
    parser.add_argument("--folder", type=Path, default=Path("build/fpga"), help="for results")
    parser.add_argument("--check", action="store_true", help="place nothing; say what is stale")
    data = Path(__file__).parent / "data" / DATA
    parser.add_argument("--output", type=Path, default=data, help="the table as JSON")
    options = parser.parse_args(arguments)
    try:
        if options.seeds < 1:
            raise SpecError("seeds", f"seeds {options.seeds} is none; 1 or more would do.")
        wanted = [] if options.check else _wanted(options.jobs, options.devices)
        options.folder.mkdir(parents=True, exist_ok=True)
        _all(wanted, options.seeds, options.folder, options.output)
        table = _held_against_designs(options.output, wanted)
    except (SpecError, ToolError) as error:
        print(f"streampool: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _say("interrupted; what was done is kept")
        return 130
    text = markdown(table)
    _write(options.folder / "table.md", text)
    print(text, end="")
    return int(options.check and any(row["stale"] for row in table))


def _say(text: str) -> None:
    print(f"streampool: {text}", file=sys.stderr, flush=True)


def _read(output: Path) -> dict[Pair, Row]:
    rows = json.loads(output.read_text("utf-8")) if output.is_file() else []
    return {(row["job"], row["device"]): row for row in rows}


def _store(output: Path, rows: dict[Pair, Row]) -> list[Row]:
    """Put rows in the place of those of their jobs and devices; returns the table."""
    output.parent.mkdir(parents=True, exist_ok=True)
    merged = _read(output) | rows  # read anew: another run may have stored something
    for job, device in [(job, device) for job, device in merged if not _is_known(job, device)]:
        _say(f"{job} on {device} is dropped: there is no such job, or no such device, any more")
        del merged[job, device]
    order = [(job, device) for device, jobs in PLANNED.items() for job in jobs]
    table = [merged.pop(pair) for pair in order if pair in merged]
    table += merged.values()  # what was asked for beyond the plan
    _write(output, json.dumps(table, indent=1) + "\n")
    return table


def _is_known(job: str, device: str) -> bool:
    return job in JOBS and device in DEVICES


def _held_against_designs(output: Path, made: Sequence[Pair]) -> list[Row]:
    """Mark the rows that were not made now and whose designs have changed; returns the table."""
    left = {pair: row for pair, row in _read(output).items() if pair not in made}
    left = {pair: row for pair, row in left.items() if _is_known(*pair)}
    if left:
        _say(f"holding {len(left)} rows that stay against their designs ...")
    for (job, device), row in left.items():
        row |= {"seeds": _seeds(row), "stale": not _is_of(row, _design(job, device))}
        if row["stale"]:
            _say(
                f"{job} on {device} is stale: the design has changed since it was placed;"
                f' --jobs "{job}" --devices {device} would place it again'
            )
    return _store(output, left)


def _is_of(row: Row, design: Design, versions: Sequence[str] | None = None) -> bool:
    """Return whether a row is of a design, by the tools' versions that it states, or by others."""
    versions = [*row["tools"].values()] if versions is None else versions
    return row["key"] == design.fingerprint(_seeds(row), row["freq_mhz"], versions=versions)


def _seeds(row: Row) -> int:
    return row.get("seeds", len(row["fmax_mhz"]))


def _wanted(jobs: str | None, devices: str | None) -> list[Pair]:
    """Return what is to be placed; both named, it need not be planned."""
    pairs = [
        (job, device)
        for device in _named("devices", devices, PLANNED, DEVICES)
        for job in _named("jobs", jobs, JOBS, JOBS)
    ]
    return [(job, device) for job, device in pairs if job in PLANNED.get(device, ())] or pairs


def _named(
    field: str, text: str | None, usual: dict[str, Any], possible: dict[str, Any]
) -> list[str]:
    names = list(usual) if text is None else text.split(",")
    for name in names:
        if name not in possible:
            raise SpecError(field, f"{field} has no {name!r}; {', '.join(possible)} would do.")
    return names


def _all(wanted: Sequence[Pair], seeds: int, folder: Path, output: Path) -> None:
    """Place everything, as many programs at once as there are processors."""
    start, anew = time.monotonic(), not any(folder.glob("*.json"))
    at_once = os.cpu_count() or 1
    old = _read(output)
    with ThreadPoolExecutor(at_once) as tools, ThreadPoolExecutor(at_once) as waiting:
        started = {
            waiting.submit(_row, *pair, seeds, folder, tools, old.get(pair)): pair
            for pair in sorted(wanted, key=lambda pair: -JOBS[pair[0]].lanes)  # the longest first
        }
        try:
            for number, done in enumerate(as_completed(started), 1):
                name, device = pair = started[done]
                row = done.result()
                _store(output, {pair: row})
                said = f"{row['lut4']} LUT4, {row['fmax_median_mhz']} MHz"
                _say(
                    f"{number}/{len(wanted)} {name} on {device}:"
                    f" {said if row['placed'] else row['reason'].rstrip('.')}"
                    f" ({time.monotonic() - start:.0f} s)"
                )
        except BaseException:
            waiting.shutdown(wait=False, cancel_futures=True)
            raise
    if anew and not old and len(wanted) == sum(map(len, PLANNED.values())):
        took = {"rows": len(wanted), "seeds": seeds, "processors": at_once}
        took |= {"seconds": round(time.monotonic() - start)}
        _write(folder / TOOK, json.dumps(took) + "\n")


def _design(job: str, device: str) -> Design:
    reference = JOBS[job]
    return Design.of(reference.spec, reference.shape, reference.lanes, DEVICES[device])


def _row(name: str, device: str, seeds: int, folder: Path, pool: Executor, old: Row | None) -> Row:
    """Return a job's row: the old one or a kept one if it is of this very design, or a new one."""
    seeds = min(seeds, JOBS[name].most_seeds or seeds)
    design = _design(name, device)
    versions = design.versions()
    good = old if old and old["placed"] and _is_of(old, design, versions) else None
    if good and _seeds(good) >= seeds:
        return good | {"stale": False}
    key = design.fingerprint(seeds, FREQ_MHZ, versions=versions)
    path = folder / f"{name.replace(chr(39), 'p')}-{device}-{key}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8")) | {"seeds": seeds, "stale": False}
    _say(f"placing {name} on {device} ...")
    placement = place_design(design, seeds=seeds, freq_mhz=FREQ_MHZ, pool=pool)
    row = {"job": name, "key": key, "seeds": seeds, "stale": False, **placement.to_json()}
    if placement.placed:  # else it ended soon, and maybe for a reason that will have gone
        _write(path, json.dumps(row) + "\n")
    elif good:
        _say(f"{name} on {device} stays as it was placed before: {placement.reason}")
        return good | {"stale": False}
    return row


def _write(path: Path, text: str) -> None:
    """Write a file, or leave it as it was."""
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def markdown(rows: Sequence[Row], *, short: bool = False) -> str:
    """Return the table in Markdown.

    Parameters
    ----------
    rows : sequence of dict
        The placements.
    short : bool, optional
        Only `BAR_DEVICE`, with fewer columns.
    """
    by_key = {(row["job"], row["device"]): row for row in rows}
    parts = []
    for device in [BAR_DEVICE] if short else dict.fromkeys(row["device"] for row in rows):
        here = [row for row in rows if row["device"] == device]
        if not here:
            continue
        columns = _SHORT if short else _COLUMNS
        columns = {name: column for name, column in columns.items() if _says(name, device)}
        lines = [
            list(columns),
            ["---:" if name in _NUMBERS else "---" for name in columns],
            *([column(row, by_key) for column in columns.values()] for row in here),
        ]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        versions = {f"{tool} {number}" for row in here for tool, number in row["tools"].items()}
        asked = {f"{row['freq_mhz']:g}" for row in here}
        if any(row.get("stale") for row in here):
            text += "\n*stale*: placed before the design was changed, and not again since.\n"
        parts.append(
            f"{here[0]['part']} (`{device}`), {', '.join(sorted(versions))},"
            f" asked for {', '.join(sorted(asked))} MHz:\n\n{text}"
        )
    return "\n".join(parts)


def _says(column: str, device: str) -> bool:
    return device == BAR_DEVICE or column not in ("bar", "met", "peers, LUT4 at MHz")


def _job(row: Row, _: Any) -> str:
    return row["job"] + (" (stale)" if row.get("stale") else "")


def _layer(row: Row, _: Any) -> str:
    job = JOBS[row["job"]]
    spec = job.spec
    text = f"{spec.op} {'x'.join(map(str, spec.kernel))} s{spec.stride[0]}"
    pad = spec.axes(job.shape[1:])[0].before
    return text + (f" p{pad}" if pad else "") + f", {'x'.join(map(str, job.shape))}"


def _clocks(row: Row, _: Any) -> str:
    return " ".join(f"{clock:.0f}" for clock in row["fmax_mhz"])


def _path(row: Row, _: Any) -> str:
    if not row["placed"]:
        return f"not placed: {row['reason'].rstrip('.')}"
    return row["critical_path"]["words"] if row["critical_path"] else "-"


def _number(name: str, digits: int = 0) -> Any:
    def text(row: Row, _: Any) -> str:
        return "-" if row[name] is None else f"{row[name]:,.{digits}f}"

    return text


def _each_lane(row: Row, _: Any) -> str:
    return "-" if row["lut4"] is None else f"{row['lut4'] / row['lanes']:.1f}"


def _most_lut4(row: Row, rows: dict[tuple[str, str], Row]) -> float | None:
    """Return the LUTs that a job may take: as stated, or as many a lane as at eight lanes.

    The widest jobs, of which no clock is asked, may take any number.
    """
    job = JOBS[row["job"]]
    eight = rows.get((f"{row['job'].rstrip('0123456789')}8", row["device"]))
    if job.lanes <= 8 or job.least_mhz is None or eight is None or eight["lut4"] is None:
        return job.most_lut4
    return eight["lut4"] * job.lanes / 8


def _bar(row: Row, rows: dict[tuple[str, str], Row]) -> str:
    least, most = JOBS[row["job"]].least_mhz, _most_lut4(row, rows)
    asked = [f"{least:g} MHz"] if least else []
    asked += [f"{most:,.0f} LUT4"] if most else []
    return ", ".join(asked) or "-"


def _met(row: Row, rows: dict[tuple[str, str], Row]) -> str:
    least, most = JOBS[row["job"]].least_mhz, _most_lut4(row, rows)
    if not row["placed"]:
        return "no"
    missed = []
    if least and row["fmax_median_mhz"] < least:
        missed.append(f"{least - row['fmax_median_mhz']:.1f} MHz short")
    if most and row["lut4"] > most:
        missed.append(f"{row['lut4'] - most:,.0f} LUT4 over")
    return "; ".join(missed) or ("yes" if least or most else "-")


def _peers(row: Row, _: Any) -> str:
    return JOBS[row["job"]].peers or "-"


def against_bar(rows: Sequence[Row]) -> str:
    """Return in Markdown how the jobs on `BAR_DEVICE` stand to their bars.

    Parameters
    ----------
    rows : sequence of dict
        The placements; a job that has none is said not to be placed.
    """
    by_key = {(row["job"], row["device"]): row for row in rows}
    here = {name: by_key.get((name, BAR_DEVICE)) for name in JOBS}
    barred = [name for name, job in JOBS.items() if job.least_mhz or job.most_lut4]
    missed = {name: _missed(here[name], by_key) for name in barred}
    missed = {name: how for name, how in missed.items() if how}
    lines = [
        f"On the {DEVICES[BAR_DEVICE].part}, {len(barred) - len(missed)} of {len(barred)} jobs"
        f" with a bar meet it{'; these do not:' if missed else '.'}",
        "".join(f"- {name}: {how}\n" for name, how in missed.items()).rstrip(),
        "Nothing but to be placed is asked of the others: "
        + "; ".join(f"{name} {_reached(here[name])}" for name in JOBS if name not in barred)
        + ".",
        *_aim({name: row for name, row in here.items() if row and row["placed"]}),
    ]
    stale = [name for name, row in here.items() if row and row.get("stale")]
    if stale:
        lines.append(f"Placed before the design was changed: {', '.join(stale)}.")
    return "\n\n".join(filter(None, lines)) + "\n"


def _missed(row: Row | None, rows: dict[Pair, Row]) -> str:
    """Return by how much a job misses its bar; nothing if it meets it."""
    if row is None or not row["placed"]:
        return _reached(row)
    met = _met(row, rows)
    return "" if met == "yes" else met


def _reached(row: Row | None) -> str:
    if row is None:
        return "has not been placed so far"
    if not row["placed"]:
        return f"could not be placed: {row['reason'].rstrip('.')}"
    seeds = len(row["fmax_mhz"])
    return (
        f"reaches {row['fmax_median_mhz']:.1f} MHz, {_each_lane(row, None)} LUT4 a lane"
        f" ({seeds} seed{'s'[: seeds > 1]})"
    )


def _aim(rows: dict[str, Row]) -> list[str]:
    """Return which jobs reach the clock that is asked for, and of how many seeds each median is."""
    medians, single, seeds = [], [], {}
    for name, row in rows.items():
        if row["fmax_median_mhz"] >= row["freq_mhz"]:
            medians.append(name)
        elif row["fmax_best_mhz"] >= row["freq_mhz"]:
            single.append(name)
        seeds.setdefault(len(row["fmax_mhz"]), []).append(name)
    counts = [
        f"{count} seed{'s'[: count > 1]} of {', '.join(names)}"
        for count, names in sorted(seeds.items(), reverse=True)
    ]
    return [
        f"The {FREQ_MHZ:g} MHz that the placer is asked for are the median of"
        f" {', '.join(medians) or 'no job'}, and are reached by single seeds of"
        f" {', '.join(single) or 'no other'}.",
        f"Placed were {'; '.join(counts) or 'none'}.",
    ]


_COLUMNS = {
    "job": _job,
    "layer": _layer,
    "lanes": _number("lanes"),
    "MHz": _number("fmax_median_mhz"),
    "each seed": _clocks,
    "LUT4": _number("lut4"),
    "a lane": _each_lane,
    "carry": _number("carry"),
    "FF": _number("ff"),
    "LUT RAM": _number("lut_ram"),
    "block RAM": _number("block_ram"),
    "DSP": _number("dsp"),
    "frames/s": _number("frames_per_second"),
    "bar": _bar,
    "met": _met,
    "peers, LUT4 at MHz": _peers,
    "longest path": _path,
}
_SHORT = {
    name: _COLUMNS[name]
    for name in (
        *("job", "layer", "lanes", "MHz", "LUT4", "carry"),
        *("FF", "LUT RAM", "block RAM", "frames/s"),
    )
}
_SHORT["peers, LUT4 at MHz"] = _peers
_NUMBERS = {
    *("lanes", "MHz", "LUT4", "a lane", "carry", "FF", "LUT RAM", "block RAM", "DSP", "frames/s"),
}


if __name__ == "__main__":
    sys.exit(main())
