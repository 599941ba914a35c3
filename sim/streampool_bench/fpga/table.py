"""The placements of the reference jobs: made in pieces, kept, and checked against their designs.

Every result is in a store under what it was made from, and in the table as soon as it is there. So
a run that was stopped continues where it was, and only what has changed is placed again. Rows that
a run leaves alone are stale if their designs have changed since.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from streampool_farm.farm import Farm
from streampool_farm.task import Task
from streampool_hw.files import write_whole
from streampool_hw.fpga import silicon
from streampool_hw.fpga.design import Design, clock_and_rates
from streampool_hw.fpga.devices import DEVICES
from streampool_hw.fpga.flow import SEEDS

from .jobs import BAR_DEVICE, COLUMN_JOBS, JOBS, WIDE_JOBS, ReferenceJob
from .placing import placing, versions_for

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
"""How long a run took that placed the whole plan anew, in the folder of the table."""

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


@dataclass(frozen=True)
class Table:
    """A file of placements, one row for each job and device.

    Parameters
    ----------
    path : Path
        The file.
    jobs : dict of ReferenceJob
        The jobs that it may have a row of.
    plan : list of (str, str)
        What is placed of them by default, and the order of the rows.
    how : str, optional
        The option of ``streampool fpga`` that places them.
    """

    path: Path
    jobs: Mapping[str, ReferenceJob]
    plan: list[Pair]
    how: str = ""

    def read(self) -> dict[Pair, Row]:
        """Return its rows."""
        rows = json.loads(self.path.read_text("utf-8")) if self.path.is_file() else []
        return {(row["job"], row["device"]): _clocked(row) for row in rows}

    def put(self, rows: dict[Pair, Row]) -> list[Row]:
        """Put rows in the place of those of their jobs and devices; returns all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        merged = self.read() | rows  # read anew: another run may have stored something
        for job, device in [pair for pair in merged if not self._is_known(pair)]:
            _say(f"{job} on {device} is dropped: the job or the device is no longer known")
            del merged[job, device]
        ordered = [merged.pop(pair) for pair in self.plan if pair in merged]
        ordered += merged.values()  # what was asked for beyond the plan
        write_whole({self.path: json.dumps(ordered, indent=1) + "\n"})
        return ordered

    def _is_known(self, pair: Pair) -> bool:
        return pair[0] in self.jobs and pair[1] in DEVICES

    def design(self, pair: Pair) -> Design:
        """Elaborate what a row is of."""
        job = self.jobs[pair[0]]
        how = {"slices": job.slices, "own_streams": job.own_streams}
        return Design.of(job.job, DEVICES[pair[1]], **how)

    def checked(self, made: Sequence[Pair]) -> list[Row]:
        """Mark the rows that were not made now and whose designs have changed; returns all."""
        rows = self.read()
        left = [pair for pair in rows if pair not in made and self._is_known(pair)]
        if left:
            _say(f"checking the {len(left)} other rows{self.how} against their designs ...")
        for job, device in left:
            row = rows[job, device]
            row |= {"seeds": _seeds(row), "stale": not _is_of(row, self.design((job, device)))}
            if row["stale"]:
                where = self.how or f" --devices {device}"
                _say(
                    f"{job} on {device} is stale: the design has changed since it was placed;"
                    f' use --jobs "{job}"{where} to place it again'
                )
        return self.put({pair: rows[pair] for pair in left})


class _Run:
    """Jobs of a table that a farm places; each row is kept as it comes."""

    def __init__(self, table: Table, farm: Farm, wanted: Sequence[Pair], seeds: int):
        self._table, self._farm, self._wanted, self._seeds = table, farm, wanted, seeds
        self._start, self._done = time.monotonic(), 0
        self._pairs: dict[str, Pair] = {}
        self._good: dict[Pair, Row] = {}
        self._anew = True

    def all(self) -> int | None:
        """Place them; returns the seconds that it took, if nothing of them was there before."""
        for task, found in self._farm.run(self._tasks()):
            pair, seeds = self._pairs[task.label], task.payload["seeds"]
            row = {"job": pair[0], "key": task.key, "seeds": seeds, "stale": False, **found}
            if not found["placed"] and pair in self._good:
                _say(f"{task.label} keeps its earlier placement: {found['reason']}")
                row = self._good[pair]
            self._keep(pair, _clocked(row))
        return round(self._elapsed) if self._anew else None

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def _tasks(self) -> Iterator[Task]:
        """Yield what is to be placed, the longest first; what stays is kept meanwhile.

        A row that is of the very design stays, unless more seeds are asked for.
        """
        old, jobs = self._table.read(), self._table.jobs
        for pair in sorted(self._wanted, key=lambda pair: -jobs[pair[0]].job.layout_in.values):
            job, design, row = jobs[pair[0]], self._table.design(pair), old.get(pair)
            seeds = min(self._seeds, job.most_seeds or self._seeds)
            if row and row["placed"] and _is_of(row, design, versions_for(pair[1])):
                self._good[pair], self._anew = row | {"stale": False}, False
                if _seeds(row) >= seeds:
                    self._keep(pair, self._good[pair])
                    continue
            how = {"slices": job.slices, "own_streams": job.own_streams, "design": design}
            label = _named(pair)
            task = placing(job.job, pair[1], seeds=seeds, check=True, label=label, **how)
            self._pairs[label] = pair
            if self._farm.store.find(task) is not None:
                self._anew = False
            else:
                _say(f"{label} is queued")
            yield task

    def _keep(self, pair: Pair, row: Row) -> None:
        self._done += 1
        self._table.put({pair: row})
        said = f"{row['lut4']} LUT4, {row['clock_mhz']} MHz"
        _say(
            f"{self._done}/{len(self._wanted)} {_named(pair)}:"
            f" {said if row['placed'] else row['reason'].rstrip('.')} ({self._elapsed:.0f} s)"
        )


def _apart(kind: str) -> Table:
    jobs, data = APART[kind]
    return Table(data, jobs, [(name, BAR_DEVICE) for name in jobs], f" --{kind}")


def _main(output: Path | None = None) -> Table:
    plan = [(job, device) for device, jobs in PLANNED.items() for job in jobs]
    return Table(output or DATA, JOBS, plan)


def known() -> list[Row]:
    """Return the placements that come with the package; none if they were never made."""
    return [*_main().read().values()]


def known_apart(kind: str) -> list[Row]:
    """Return the placements of a kind of jobs, one of `APART`, that come with the package."""
    table = _apart(kind)
    found = _main().read() | table.read()
    return [found[pair] for pair in table.plan if pair in found]


def make(
    farm: Farm,
    jobs: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    *,
    seeds: int = SEEDS,
    folder: Path,
    output: Path | None = None,
) -> list[Row]:
    """Place jobs on devices, by default all that are planned; returns the whole table.

    A `farm` places them, and its store keeps every result, so that none is made twice. `output`
    is the table; its other rows are checked against their designs. How long it took is written
    into the `folder`, if all was planned and nothing of it was there.
    """
    table = _main(output)
    pairs = [(job, device) for device in devices or PLANNED for job in jobs or JOBS]
    wanted = [pair for pair in pairs if pair in table.plan] or pairs  # named, it need not be
    took = _Run(table, farm, wanted, seeds).all()
    if took is not None and len(wanted) == len(table.plan):
        said = {"rows": len(wanted), "seeds": seeds, "processors": farm.workers, "seconds": took}
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / TOOK: json.dumps(said) + "\n"})
    return table.checked(wanted)


def make_apart(
    farm: Farm, kind: str, jobs: Sequence[str] | None = None, *, seeds: int = SEEDS
) -> None:
    """Place jobs of a kind, by default all that are no reference jobs, which `make` places."""
    table = _apart(kind)
    names = jobs or [name for name in table.jobs if name not in JOBS]
    _Run(table, farm, [(name, BAR_DEVICE) for name in names], seeds).all()


def check(output: Path | None = None) -> list[Row]:
    """Mark the rows whose designs have changed; returns all."""
    return _main(output).checked(())


def check_apart(kind: str) -> list[Row]:
    """Do for the rows of a kind what `check` does."""
    return _apart(kind).checked(())


def _say(text: str) -> None:
    print(f"streampool: {text}", file=sys.stderr, flush=True)


def _named(pair: Pair) -> str:
    return f"{pair[0]} on {pair[1]}"


def _clocked(row: Row) -> Row:
    """Return a row with its clock and rates as what is known of the silicon today has them."""
    fields = ("silicon_mhz", "silicon_cell", "clock_mhz", "bound_by")
    if not row["placed"] or row["device"] not in DEVICES:
        return dict.fromkeys((*fields, "values_per_second")) | row
    limit = silicon.limit_of(DEVICES[row["device"]], silicon.kinds_counted(row))
    cycles, shape = row["cycles_per_frame"], row["shape"]
    return row | clock_and_rates(row["fmax_median_mhz"], limit, cycles, shape)


def _is_of(row: Row, design: Design, versions: Sequence[str] | None = None) -> bool:
    """Return whether a row is of a design, by the tools' versions that it states, or by others."""
    versions = [*row["tools"].values()] if versions is None else versions
    return row["key"] == design.fingerprint(_seeds(row), row["freq_mhz"], versions)


def _seeds(row: Row) -> int:
    return row.get("seeds", len(row["fmax_mhz"]))
