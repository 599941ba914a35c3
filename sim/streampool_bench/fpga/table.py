"""The placements of the reference jobs: made in pieces, kept, and checked against their designs.

Every result is kept in a folder under what it was made from, and stored in the table as soon as it
is there. So a run that was stopped continues where it was, and only what has changed is placed
again. Rows that a run leaves alone are stale if their designs have changed since.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeAlias

from streampool_farm.farm import Farm
from streampool_farm.task import Task
from streampool_hw.files import write_whole
from streampool_hw.fpga import silicon, tools
from streampool_hw.fpga.design import Design, JobDesign, clock_and_rates
from streampool_hw.fpga.devices import DEVICES
from streampool_hw.fpga.flow import FREQ_MHZ, SEEDS, place_design
from streampool_sim.netlist_check import check_core

from .jobs import BAR_DEVICE, COLUMN_JOBS, JOBS, WIDE_JOBS, ReferenceJob
from .placing import placing

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

DATA = Path(__file__).parent / "data" / "placements.json"
"""The placements that come with the package."""
TOOK = "took.json"
"""How long a run took that placed the whole plan anew, in the folder of results."""

Row: TypeAlias = dict[str, Any]
"""A `Placement` as JSON; ``job`` is the reference job's name, ``key`` what it was made from,
``seeds`` how many were asked for, ``stale`` whether the design has changed since."""
Pair: TypeAlias = tuple[str, str]
"""A job and a device, which a table has one row of."""


APART = {
    "columns": (COLUMN_JOBS, DATA.with_name("columns.json")),
    "wide": (WIDE_JOBS, DATA.with_name("wide.json")),
}
"""Jobs that are placed on `BAR_DEVICE` alone, and where their placements are kept."""
ALL = JOBS | COLUMN_JOBS | WIDE_JOBS
"""Every job that is ever placed."""


def known_apart(kind: str) -> list[Row]:
    """Return the placements of a kind of jobs, one of `APART`, that come with the package."""
    jobs, data = APART[kind]
    found = _read(DATA) | _read(data)
    pairs = [(name, BAR_DEVICE) for name in jobs]
    return [found[pair] for pair in pairs if pair in found]


def make_apart(
    kind: str, jobs: Sequence[str] | None = None, *, seeds: int = SEEDS, folder: Path
) -> None:
    """Place jobs of a kind, one after the other; keep each result.

    By default these are all that are no reference jobs, which `make` places.
    """
    known, data = APART[kind]
    folder.mkdir(parents=True, exist_ok=True)
    # the widest take a placer a gigabyte
    with ThreadPoolExecutor(1 if kind == "wide" else os.cpu_count() or 1) as programs:
        for name in jobs or [name for name in known if name not in JOBS]:
            old = _read(data).get((name, BAR_DEVICE))
            row = _clocked(_row(name, BAR_DEVICE, seeds, folder, programs, old))
            rows = _read(data) | {(name, BAR_DEVICE): row}
            order = [rows[each, BAR_DEVICE] for each in known if (each, BAR_DEVICE) in rows]
            write_whole({data: json.dumps(order, indent=1) + "\n"})
            said = f"{row['lut4']} LUT4, {row['fmax_median_mhz']} MHz by the placer"
            _say(f"{name}: {said if row['placed'] else row['reason']}")


def check_apart(kind: str) -> list[Row]:
    """Mark the rows of a kind whose designs have changed; returns all."""
    data = APART[kind][1]
    rows = _read(data)
    _say(f"checking the {len(rows)} rows of --{kind} against their designs ...")
    for (job, device), row in rows.items():
        _mark(row, job, device, f' --{kind} --jobs "{job}"')
    write_whole({data: json.dumps([*rows.values()], indent=1) + "\n"})
    return [*rows.values()]


def known() -> list[Row]:
    """Return the placements that come with the package; none if they were never made."""
    return [*_read(DATA).values()]


def make(
    jobs: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    *,
    seeds: int = SEEDS,
    folder: Path,
    output: Path | None = None,
    check: bool = False,
    farm: Farm | None = None,
) -> list[Row]:
    """Place jobs on devices, by default all that are planned; returns the whole table.

    `folder` keeps every result, so that none is made twice, and `output` the table; its other rows
    are checked against their designs. With `check` nothing is placed. A `farm` places them on its
    workers, and keeps the results in its own store.
    """
    output = output or DATA
    wanted = [] if check else _wanted(jobs, devices)
    folder.mkdir(parents=True, exist_ok=True)
    if farm is None:
        _all(wanted, seeds, folder, output)
    else:
        _all_on(farm, wanted, seeds, output)
    return _checked(output, wanted)


def _say(text: str) -> None:
    print(f"streampool: {text}", file=sys.stderr, flush=True)


def _read(output: Path) -> dict[Pair, Row]:
    rows = json.loads(output.read_text("utf-8")) if output.is_file() else []
    return {(row["job"], row["device"]): _clocked(row) for row in rows}


def _clocked(row: Row) -> Row:
    """Return a row with its clock and rates as what is known of the silicon today has them."""
    fields = ("silicon_mhz", "silicon_cell", "clock_mhz", "bound_by")
    if not row["placed"] or row["device"] not in DEVICES:
        return dict.fromkeys((*fields, "values_per_second")) | row
    limit = silicon.limit_of(DEVICES[row["device"]], silicon.kinds_counted(row))
    cycles, shape = row["cycles_per_frame"], row["shape"]
    return row | clock_and_rates(row["fmax_median_mhz"], limit, cycles, shape)


def _store(output: Path, rows: dict[Pair, Row]) -> list[Row]:
    """Put rows in the place of those of their jobs and devices; returns the table."""
    output.parent.mkdir(parents=True, exist_ok=True)
    merged = _read(output) | rows  # read anew: another run may have stored something
    for job, device in [(job, device) for job, device in merged if not _is_known(job, device)]:
        _say(f"{job} on {device} is dropped: the job or the device is no longer known")
        del merged[job, device]
    order = [(job, device) for device, jobs in PLANNED.items() for job in jobs]
    table = [merged.pop(pair) for pair in order if pair in merged]
    table += merged.values()  # what was asked for beyond the plan
    write_whole({output: json.dumps(table, indent=1) + "\n"})
    return table


def _is_known(job: str, device: str) -> bool:
    return job in JOBS and device in DEVICES


def _checked(output: Path, made: Sequence[Pair]) -> list[Row]:
    """Mark the rows that were not made now and whose designs have changed; returns the table."""
    left = {pair: row for pair, row in _read(output).items() if pair not in made}
    left = {pair: row for pair, row in left.items() if _is_known(*pair)}
    if left:
        _say(f"checking the {len(left)} other rows against their designs ...")
    for (job, device), row in left.items():
        _mark(row, job, device, f' --jobs "{job}" --devices {device}')
    return _store(output, left)


def _mark(row: Row, job: str, device: str, again: str) -> None:
    """Mark a row as stale if its design has changed, and say how to place it again."""
    row |= {"seeds": _seeds(row), "stale": not _is_of(row, _design(job, device))}
    if row["stale"]:
        _say(
            f"{job} on {device} is stale: the design has changed since it was placed;"
            f" use{again} to place it again"
        )


def _is_of(row: Row, design: Design, versions: Sequence[str] | None = None) -> bool:
    """Return whether a row is of a design, by the tools' versions that it states, or by others."""
    versions = [*row["tools"].values()] if versions is None else versions
    return row["key"] == design.fingerprint(_seeds(row), row["freq_mhz"], versions)


def _seeds(row: Row) -> int:
    return row.get("seeds", len(row["fmax_mhz"]))


def _wanted(jobs: Sequence[str] | None, devices: Sequence[str] | None) -> list[Pair]:
    """Return what is to be placed; if both are named, it need not be planned."""
    pairs = [(job, device) for device in devices or PLANNED for job in jobs or JOBS]
    return [(job, device) for job, device in pairs if job in PLANNED.get(device, ())] or pairs


def _all(wanted: Sequence[Pair], seeds: int, folder: Path, output: Path) -> None:
    """Place everything, with as many programs at once as there are processors."""
    start, anew = time.monotonic(), not any(folder.glob("*.json"))
    at_once = os.cpu_count() or 1
    old = _read(output)
    with ThreadPoolExecutor(at_once) as programs, ThreadPoolExecutor(at_once) as waiting:
        started = {
            waiting.submit(_row, *pair, seeds, folder, programs, old.get(pair)): pair
            for pair in sorted(
                wanted, key=lambda pair: -JOBS[pair[0]].job.layout_in.values
            )  # the longest first
        }
        try:
            for number, done in enumerate(as_completed(started), 1):
                name, device = pair = started[done]
                row = _clocked(done.result())
                _store(output, {pair: row})
                said = f"{row['lut4']} LUT4, {row['clock_mhz']} MHz"
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
        write_whole({folder / TOOK: json.dumps(took) + "\n"})


def _all_on(farm: Farm, wanted: Sequence[Pair], seeds: int, output: Path) -> None:
    """Place everything on a farm."""
    old, pairs, tasks = _read(output), dict[str, Pair](), list[Task]()
    for name, device in wanted:
        most = min(seeds, _job(name).most_seeds or seeds)
        design = _design(name, device)
        if _good(old.get((name, device)), design, most) is not None:
            continue
        label, cut = f"{name} on {device}", _job(name).slices
        how = {"seeds": most, "check": True, "slices": cut, "own_streams": _job(name).own_streams}
        task = placing(design.job, device, **how, label=label, design=design)
        pairs[task.key] = (name, device)
        tasks.append(task)
    for number, (task, found) in enumerate(farm.run(tasks), 1):
        name, device = pair = pairs[task.key]
        made = {"job": name, "key": task.key, "seeds": task.payload["seeds"], "stale": False}
        row = _clocked(made | found)
        was = old.get(pair)
        if row["placed"] or was is None or not was["placed"]:
            _store(output, {pair: row})
        said = f"{row['lut4']} LUT4, {row['clock_mhz']} MHz"
        _say(
            f"{number}/{len(tasks)} {name} on {device}: {said if row['placed'] else row['reason']}"
        )


def _good(old: Row | None, design: Design, seeds: int) -> Row | None:
    """Return an old row if it is of this very design, and of as many seeds."""
    versions = [*tools.versions(design.device.placer).values()]
    if old and old["placed"] and _is_of(old, design, versions) and _seeds(old) >= seeds:
        return old
    return None


def _job(name: str) -> ReferenceJob:
    return (JOBS | COLUMN_JOBS | WIDE_JOBS)[name]


def _design(name: str, device: str) -> JobDesign:
    job = _job(name)
    return Design.of(job.job, DEVICES[device], slices=job.slices, own_streams=job.own_streams)


def _row(name: str, device: str, seeds: int, folder: Path, pool: Executor, old: Row | None) -> Row:
    """Return a job's row: the old one or a kept one if it is of this very design, or a new one."""
    seeds = min(seeds, _job(name).most_seeds or seeds)
    design = _design(name, device)
    versions = [*tools.versions(design.device.placer).values()]
    good = old if old and old["placed"] and _is_of(old, design, versions) else None
    if good and _seeds(good) >= seeds:
        return good | {"stale": False}
    key = design.fingerprint(seeds, FREQ_MHZ, versions)
    path = folder / f"{name.replace(chr(39), 'p')}-{device}-{key}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8")) | {"seeds": seeds, "stale": False}
    _say(f"placing {name} on {device} ...")
    kept = None
    if _job(name).slices > 1:  # a seed takes minutes
        kept = folder / f"{name}-{device}-{design.fingerprint(0, FREQ_MHZ, versions)}"
    placement = place_design(
        design, seeds=seeds, freq_mhz=FREQ_MHZ, check=check_core, pool=pool, kept=kept
    )
    row = {"job": name, "key": key, "seeds": seeds, "stale": False, **placement.to_json()}
    if placement.placed:  # else it ended soon, and maybe for a reason that will have gone
        write_whole({path: json.dumps(row) + "\n"})
    elif good:
        _say(f"{name} on {device} keeps its earlier placement: {placement.reason}")
        return good | {"stale": False}
    return row
