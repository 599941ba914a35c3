"""The table of placements as Markdown: each row, its bar, what peers reach, the longest path."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from streampool_golden import PoolJob
from streampool_hw.fpga import silicon
from streampool_hw.fpga.devices import DEVICES

from .jobs import BAR_DEVICE, JOBS, ReferenceJob
from .table import Pair, Row


class _Column(NamedTuple):
    """A column, whose cells are of a row and of all rows by their jobs and devices."""

    head: str
    cell: Callable[[Row, dict[Pair, Row]], str]
    is_number: bool = False
    in_short: bool = True
    of_bar: bool = False
    """Whether it is about the bar, and so of `BAR_DEVICE` alone."""


def markdown(rows: Sequence[Row], *, short: bool = False) -> str:
    """Return the table in Markdown; `short` has only `BAR_DEVICE`, with fewer columns."""
    by_key = {(row["job"], row["device"]): row for row in rows}
    parts = []
    for device in [BAR_DEVICE] if short else dict.fromkeys(row["device"] for row in rows):
        here = [row for row in rows if row["device"] == device]
        if not here:
            continue
        columns = [each for each in _COLUMNS if each.in_short or not short]
        columns = [each for each in columns if device == BAR_DEVICE or not each.of_bar]
        lines = [
            [each.head for each in columns],
            ["---:" if each.is_number else "---" for each in columns],
            *([each.cell(row, by_key) for each in columns] for row in here),
        ]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        versions = {f"{tool} {number}" for row in here for tool, number in row["tools"].items()}
        asked = {f"{row['freq_mhz']:g}" for row in here}
        if any(row.get("stale") for row in here):
            text += "\n*stale*: the design has changed since it was placed.\n"
        if not silicon.limits_of(DEVICES[device]):
            text += (
                "\nNothing is known of the silicon's own limit: these clocks are the placer's.\n"
            )
        parts.append(
            f"{here[0]['part']} (`{device}`), {', '.join(sorted(versions))},"
            f" asked for {', '.join(sorted(asked))} MHz:\n\n{text}"
        )
    return "\n".join(parts)


def _job(row: Row, _: Any) -> str:
    return row["job"] + (" (stale)" if row.get("stale") else "")


def _layer(row: Row, _: Any) -> str:
    job = JOBS[row["job"]]
    spec = job.spec
    text = f"{spec.op} {'x'.join(map(str, spec.kernel))} s{spec.stride[0]}"
    pad = PoolJob(spec, job.shape).axes[0].before
    return text + (f" p{pad}" if pad else "") + f", {'x'.join(map(str, job.shape))}"


def each_seed(row: Row, digits: int = 0) -> str:
    """Return the placer's clock of each seed, and a mark for each that did not end routing."""
    clocks = [f"{clock:.{digits}f}" for clock in row["fmax_mhz"]]
    return " ".join([*clocks, *["-"] * len(row.get("stopped") or ())])


def _clocks(row: Row, _: Any) -> str:
    return each_seed(row, 1)


def _bound(row: Row, _: Any) -> str:
    return row["bound_by"] or "-"


def _silicon(row: Row, _: Any) -> str:
    if not row["placed"]:
        return "-"
    if row["silicon_mhz"] is None:
        return "not known"
    return f"{row['silicon_mhz']:.1f}, {row['silicon_cell']}"


def _values(row: Row, _: Any) -> str:
    return "-" if row["values_per_second"] is None else f"{row['values_per_second'] / 1e6:,.0f}"


def _path(row: Row, _: Any) -> str:
    if not row["placed"]:
        return f"not placed: {row['reason'].rstrip('.')}"
    return row["critical_path"]["words"] if row["critical_path"] else "-"


def _number(name: str, digits: int = 0) -> Callable[[Row, Any], str]:
    def text(row: Row, _: Any) -> str:
        return "-" if row[name] is None else f"{row[name]:,.{digits}f}"

    return text


def _each_lane(row: Row, _: Any) -> str:
    return "-" if row["lut4"] is None else f"{row['lut4'] / row['lanes']:.1f}"


def _most_lut4(row: Row, rows: dict[Pair, Row]) -> float | None:
    """Return the LUTs that a job may take: as stated, or as many per lane as at eight lanes.

    The widest jobs, of which no clock is asked, may take any number.
    """
    job = JOBS[row["job"]]
    eight = rows.get((f"{row['job'].rstrip('0123456789')}8", row["device"]))
    if job.lanes <= 8 or not _has_clock(job) or eight is None or eight["lut4"] is None:
        return job.most_lut4
    return eight["lut4"] * job.lanes / 8


def _has_clock(job: ReferenceJob) -> bool:
    """Return whether a clock is asked of a job."""
    return job.at_silicon or job.least_mhz is not None


def _least_mhz(row: Row) -> float | None:
    """Return the clock that is asked of a row's job, if any: no more than the silicon takes."""
    job = JOBS[row["job"]]
    return row["silicon_mhz"] if job.at_silicon else job.least_mhz


def _bar(row: Row, rows: dict[Pair, Row]) -> str:
    job, most = JOBS[row["job"]], _most_lut4(row, rows)
    asked = [f"{job.least_mhz:g} MHz"] if job.least_mhz else []
    asked += ["the silicon's clock"] if job.at_silicon else []
    asked += [f"{most:,.0f} LUT4"] if most else []
    return ", ".join(asked) or "-"


def _met(row: Row, rows: dict[Pair, Row]) -> str:
    least, most = _least_mhz(row), _most_lut4(row, rows)
    if not row["placed"]:
        return "no"
    missed = []
    if least and row["clock_mhz"] < least:
        missed.append(f"{least - row['clock_mhz']:.1f} MHz short")
    if most and row["lut4"] > most:
        missed.append(f"{row['lut4'] - most:,.0f} LUT4 over")
    return "; ".join(missed) or ("yes" if least or most else "-")


def _peers(row: Row, _: Any) -> str:
    return JOBS[row["job"]].peers or "-"


def against_bar(rows: Sequence[Row]) -> str:
    """Return in Markdown which jobs on `BAR_DEVICE` miss their bars, and by how much."""
    by_key = {(row["job"], row["device"]): row for row in rows}
    here = {name: by_key.get((name, BAR_DEVICE)) for name in JOBS}
    barred = [name for name, job in JOBS.items() if _has_clock(job) or job.most_lut4]
    missed = {name: _missed(here[name], by_key) for name in barred}
    missed = {name: how for name, how in missed.items() if how}
    lines = [
        f"On the {DEVICES[BAR_DEVICE].part}, {len(barred) - len(missed)} of {len(barred)} jobs"
        f" with a bar meet it{'; these do not:' if missed else '.'}",
        "".join(f"- {name}: {how}\n" for name, how in missed.items()).rstrip(),
        "The other jobs have no bar: "
        + "; ".join(f"{name} {_reached(here[name])}" for name in JOBS if name not in barred)
        + ".",
        _seeds({name: row for name, row in here.items() if row and row["placed"]}),
    ]
    stale = [name for name, row in here.items() if row and row.get("stale")]
    if stale:
        lines.append(f"The design has changed since these were placed: {', '.join(stale)}.")
    return "\n\n".join(filter(None, lines)) + "\n"


def _missed(row: Row | None, rows: dict[Pair, Row]) -> str:
    """Return by how much a job misses its bar; nothing if it meets it."""
    if row is None or not row["placed"]:
        return _reached(row)
    met = _met(row, rows)
    return "" if met == "yes" else met


def _reached(row: Row | None) -> str:
    if row is None:
        return "has not been placed"
    if not row["placed"]:
        return f"could not be placed: {row['reason'].rstrip('.')}"
    seeds = _tried(row)
    return (
        f"reaches {row['clock_mhz']:.1f} MHz, {_each_lane(row, None)} LUT4 per lane"
        f" ({seeds} seed{'s'[: seeds > 1]})"
    )


def _tried(row: Row) -> int:
    """Return how many seeds a row's median is of: one that was stopped is the slowest of them."""
    return len(row["fmax_mhz"]) + len(row.get("stopped") or ())


def _seeds(rows: dict[str, Row]) -> str:
    """Return of how many seeds each median is."""
    seeds: dict[int, list[str]] = {}
    for name, row in rows.items():
        seeds.setdefault(_tried(row), []).append(name)
    counts = [
        f"{count} for {', '.join(names)}" for count, names in sorted(seeds.items(), reverse=True)
    ]
    return f"Seeds: {'; '.join(counts) or 'none'}."


_COLUMNS = (
    _Column("job", _job),
    _Column("layer", _layer),
    _Column("lanes", _number("lanes"), is_number=True),
    _Column("MHz", _number("clock_mhz", 1), is_number=True),
    _Column("million values/s", _values, is_number=True),
    _Column("bound by", _bound),
    _Column("silicon, MHz", _silicon, in_short=False),
    _Column("placer, MHz", _number("fmax_median_mhz", 1), is_number=True),
    _Column("each seed", _clocks, in_short=False),
    _Column("LUT4", _number("lut4"), is_number=True),
    _Column("per lane", _each_lane, is_number=True, in_short=False),
    _Column("carry", _number("carry"), is_number=True),
    _Column("FF", _number("ff"), is_number=True),
    _Column("LUT RAM", _number("lut_ram"), is_number=True),
    _Column("block RAM", _number("block_ram"), is_number=True),
    _Column("DSP", _number("dsp"), is_number=True, in_short=False),
    _Column("frames/s", _number("frames_per_second"), is_number=True),
    _Column("bar", _bar, in_short=False, of_bar=True),
    _Column("met", _met, in_short=False, of_bar=True),
    _Column("peers, LUT4 at MHz", _peers, of_bar=True),
    _Column("longest path", _path, in_short=False),
)
