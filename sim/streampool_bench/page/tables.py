"""The JSON's rows as tables whose heads and rows say where in the JSON each number is from.

A measurement has some 120,000 cells, so a table says each thing once: what all rows share stands
above it, what neighbours share in the first column is one cell, and tags that a browser closes by
itself are left open.
"""

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

MANY = 3
"""Rows from which a table says once what all of them have."""

HIDDEN = ("spec", "links")
"""Keys that `table` makes no columns of: a title says it in words, or a table of its own has it."""

_FLAT = ("best", "usual", "tie")
"""Keys of rows in rows, each of whose keys is a column."""

_HEADS = {
    "median_s": "median",
    "min_s": "min",
    "max_s": "max",
    "q1_s": "lower quartile",
    "q3_s": "upper quartile",
    "seconds": "time per frame",
    "frames_per_second": "frames per second",
    "latency_s": "latency",
    "latency_cycles": "latency, clocks",
    "freq_mhz": "MHz",
    "freq_source": "clock",
    "fmax_mhz": "MHz by seed",
    "freq_bound": "bound by",
    "fmax_median_mhz": "MHz, median",
    "silicon_mhz": "MHz, silicon",
    "silicon_cell": "set by",
    "clock_mhz": "MHz, the lower",
    "cold_s": "fastest software, cold",
    "lut4": "LUT4",
    "device_share": "share of the device",
    "scarcest": "scarcest cells",
    "placed_seeds": "seeds",
    "taps_per_byte": "taps per byte",
    "ff": "FF",
    "dsp": "DSP",
    "dtype": "type",
    "nets": "networks, with its count in each",
    "net": "network",
    "bytes_per_s": "bytes per second",
    "best": "fastest software",
    "usual": "usual call",
    "ratio_best": "core over fastest",
    "ratio_usual": "core over usual",
    "pipelined_ratio_best": "all at once over fastest",
    "latency_ratio": "fastest call over latency",
    "tie.lanes": "lanes to tie",
    "tie.fits": "they fit",
    "tie.holds": "they were placed",
    "what": "left out",
    "best_s": "fastest software",
    "usual_s": "usual call",
    "core_s": "cores in turn",
    "slowest_core_s": "slowest core",
    "whole_s": "whole network",
    "pooling_s": "pooling",
}
"""Heads of columns whose keys do not say it."""

_WORDS = ("how", "source", "reason", "stands_for", "call", "wrong", "layers")
"""Keys whose text may take several lines."""

_BY = ("shape", "out_shape", "kernel", "stride", "dilation", "crop")
"""Keys whose numbers are sizes, written with a sign of multiplication between."""

_WRAPS = "white-space:normal;min-width:16rem"

_SIZES = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    key: str
    """In the JSON's rows."""
    head: str
    kind: str
    """``"number"``, ``"text"``, or ``"words"``, which may take several lines."""
    unit: str
    """Of its times; else nothing."""
    place: str
    """Where its numbers are in a row, for programs that read the page.

    The key, with ``.*`` where each cell holds several; nothing where there are none.
    """


@dataclass(frozen=True)
class Table:
    """A table, ready to be laid out."""

    name: str
    path: str
    """The key of the list in the JSON."""
    caption: str
    columns: list[Column]
    rows: list[tuple[int, list[Markup]]]
    """Each row's index in the JSON's list, and its cells."""
    shared: list[tuple[Column, Markup]]
    """Columns that are left out because all rows have the same in them, and what that is."""

    @property
    def is_long(self) -> bool:
        """Whether it should scroll by itself."""
        return len(self.rows) > 24

    @property
    def body(self) -> Markup:
        """The rows; one whose index is that of the row before and one more does not state it."""
        parts, before, spans = [], None, self._spans()
        for (number, cells), span in zip(self.rows, spans, strict=True):
            parts.append("<tr>" if number - 1 == before else f"<tr data-row={number}>")
            before = number
            if span > 1:
                parts.append(f"<th scope=row rowspan={span}><span>{cells[0]}</span>")
            elif span:
                parts.append(f"<th scope=row>{cells[0]}")
            parts += [f"<td>{each}" for each in cells[1:]]
        return Markup("".join(parts))  # what cells hold is escaped

    def _spans(self) -> list[int]:
        """Return how many rows each row's first cell is for; 0 where an earlier row's is."""
        found: list[int] = []
        for _, group in itertools.groupby(cells[0] for _, cells in self.rows):
            count = sum(1 for _ in group)
            found += [count, *[0] * (count - 1)]
        return found

    @property
    def style(self) -> str:
        """Rules that set numbers flush right and let long text wrap."""
        rules = []
        for kind, rule in (("number", "text-align:right"), ("words", _WRAPS)):
            # From the end, since the first cell may be that of a row above.
            at = [n for n, each in enumerate(reversed(self.columns), 1) if each.kind == kind]
            cells = [f"#table-{self.name} td:nth-last-child({n})" for n in at]
            cells += [f"#table-{self.name} th:nth-last-child({n})" for n in at]
            rules += [f"{','.join(cells)}{{{rule}}}\n"] if cells else []
        return "".join(rules)


def table(
    name: str,
    path: str,
    caption: str,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str] | None = None,
    keep: Callable[[Mapping[str, Any]], bool] = lambda row: True,
    without: Sequence[str] = (),
) -> Table:
    """Lay out those rows of one of the JSON's lists that `keep` takes.

    `keys` are the columns, with dots between the keys of rows in rows; by default all but `HIDDEN`
    and `without`.
    """
    kept = [(at, row) for at, row in enumerate(rows) if keep(row)]
    if keys is None:
        keys = list(dict.fromkeys(key for _, row in kept for key in _keys(row)))
        keys = [key for key in keys if key not in without]
    columns = [_column(key, [_at(row, key) for _, row in kept]) for key in keys]
    cells = {each.key: [cell(each, _at(row, each.key)) for _, row in kept] for each in columns}
    shared = [
        (each, cells[each.key][0])
        for each in columns[1:]
        if len(kept) >= MANY and len(set(cells[each.key])) == 1
    ]
    left_out = [each for each, _ in shared]
    columns = [each for each in columns if each not in left_out]
    shown = [(at, [cells[each.key][n] for each in columns]) for n, (at, _) in enumerate(kept)]
    return Table(name, path, caption, columns, shown, shared)


def _keys(row: Mapping[str, Any]) -> list[str]:
    found = []
    for key, value in row.items():
        if key in _FLAT and isinstance(value, Mapping):
            found += [f"{key}.{inner}" for inner in value]
        elif key not in HIDDEN and not (key in _FLAT and value is None):
            found.append(key)
    return found


def _at(row: Any, key: str) -> Any:
    for part in key.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def _column(key: str, values: Sequence[Any]) -> Column:
    numeric = any(_is_number(value) for value in values)
    kind = "number" if numeric else "words" if key in _WORDS else "text"
    if not (numeric and _is_time(key)):
        place = key if numeric else f"{key}.*" if any(map(_has_numbers, values)) else ""
        return Column(key, _head(key), kind, "", place)
    unit = _unit(statistics.median(value for value in values if value is not None))
    return Column(key, f"{_head(key)}, {unit}", kind, unit, key)


def _has_numbers(value: Any) -> bool:
    items = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, Mapping | list) and any(
        _is_number(each) or _has_numbers(each) for each in items
    )


def _is_time(key: str) -> bool:
    last = key.rpartition(".")[2]
    return last == "seconds" or (last.endswith("_s") and not last.endswith("_per_s"))


def _unit(value: float) -> str:
    """Return the unit that suits a time: the largest of which it is one or more."""
    return next((unit for unit, size in _SIZES if abs(value) >= size * 0.9995), _SIZES[-1][0])


def _head(key: str) -> str:
    if key in _HEADS:
        return _HEADS[key]
    first, _, rest = key.partition(".")
    if first == "links":
        return _head(rest)
    if rest:
        return f"{_head(first)}: {_head(rest)}"
    return (key.removesuffix("_s") if _is_time(key) else key).replace("_", " ")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell(column: Column, value: Any) -> Markup:
    """Write a value of the JSON for a cell of a column, whose head says the unit if it has one."""
    if value is None:
        return Markup("\N{EN DASH}")
    if isinstance(value, bool):
        return Markup("yes" if value else "no")
    if isinstance(value, int | float):
        if column.unit:
            return escape(_plain(value / dict(_SIZES)[column.unit]))
        return escape(number(column.key, value))
    if isinstance(value, Mapping):
        return escape(", ".join(f"{name} {cell(column, each)}" for name, each in value.items()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(each, list) for each in value):  # a pair for each axis
            return escape(", ".join(f"{before}:{after}" for before, after in value))
        between = "\N{MULTIPLICATION SIGN}" if column.key in _BY else " "
        return escape(between.join(cell(column, each) for each in value))
    return escape(value)


def named(key: str, value: Any) -> Markup:
    """Write a value that stands in no table: each number in a ``data`` element with its key."""
    if isinstance(value, bool):
        return Markup("yes" if value else "no")
    if isinstance(value, int | float):
        return Markup('<data value="{}" data-key="{}">{}</data>').format(
            repr(value), key, number(key, value)
        )
    if isinstance(value, Mapping):
        return Markup(", ").join(
            Markup("{} {}").format(name, named(f"{key}.{name}", each))
            for name, each in value.items()
        )
    if isinstance(value, list):
        return Markup(", ").join(named(f"{key}.{at}", each) for at, each in enumerate(value))
    return Markup("\N{EN DASH}") if value is None else escape(value)


def number(key: str, value: float) -> str:
    """Write a number as one reads it: times with a unit, ratios with a sign."""
    last = key.rpartition(".")[2]
    if _is_time(key):
        return seconds(value)
    if "share" in last:
        return f"{_plain(100.0 * value)}%"
    if "ratio" in last:
        return f"{_plain(value)}\N{MULTIPLICATION SIGN}"
    return _plain(value)


def _plain(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if 1000 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def seconds(value: float) -> str:
    """Write a time in the unit that suits it, to three digits."""
    unit = _unit(value)
    return f"{_plain(value / dict(_SIZES)[unit])} {unit}"
