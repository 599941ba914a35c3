"""The JSON's rows as tables whose every number says where in the JSON it is from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

__all__ = ["HIDDEN", "Table", "number", "seconds", "table"]

HIDDEN = ("spec", "links")
"""Keys that `table` makes no columns of: a title says it in words, or a table of its own has it."""

_FLAT = ("best", "usual", "tie")
"""Keys of rows in rows, each of whose keys is a column."""

_HEADS = {
    "median_s": "median",
    "min_s": "least",
    "max_s": "most",
    "q1_s": "first quarter",
    "q3_s": "third quarter",
    "seconds": "time of a frame",
    "frames_per_second": "frames a second",
    "latency_s": "latency",
    "latency_cycles": "latency, clocks",
    "freq_mhz": "MHz",
    "freq_source": "clock is",
    "fmax_mhz": "MHz of each seed",
    "fmax_median_mhz": "MHz, median",
    "lut4": "LUT4",
    "device_share": "share of the device",
    "scarcest": "of which",
    "placed_seeds": "seeds",
    "taps_per_byte": "taps a byte",
    "ff": "FF",
    "dsp": "DSP",
    "dtype": "type",
    "nets": "networks, and how often",
    "net": "network",
    "bytes_per_s": "bytes a second",
    "best": "fastest software",
    "usual": "usual call",
    "ratio_best": "core over fastest",
    "ratio_usual": "core over usual",
    "pipelined_ratio_best": "all at once over fastest",
    "latency_ratio": "fastest call over latency",
    "tie.lanes": "lanes of a tie",
    "tie.fits": "as many fit",
    "tie.holds": "as many were placed",
    "what": "left out",
}
"""Heads of columns whose keys do not say it."""

_WORDS = ("how", "source", "reason", "stands_for", "call", "wrong", "layers")
"""Keys whose text may take several lines."""

_BY = ("shape", "out_shape", "kernel", "stride", "dilation", "crop")
"""Keys whose numbers are sizes, written with a sign of multiplication between."""

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True)
class Column:
    """A column: its key in the JSON's rows, its head, whether it holds numbers, or long text."""

    key: str
    head: str
    kind: str


@dataclass(frozen=True)
class Table:
    """A table, ready to be laid out.

    Parameters
    ----------
    path : str
        The key of the list in the JSON.
    caption : str
        What it shows.
    columns : list of Column
    rows : list of (int, list of Markup)
        The row's index in the JSON's list, and its cells.
    """

    path: str
    caption: str
    columns: list[Column]
    rows: list[tuple[int, list[Markup]]]

    @property
    def is_long(self) -> bool:
        """Whether it should scroll by itself."""
        return len(self.rows) > 24


def table(
    path: str,
    caption: str,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str] | None = None,
    keep: Callable[[Mapping[str, Any]], bool] = lambda row: True,
) -> Table:
    """Lay out rows of the JSON.

    Parameters
    ----------
    path, caption : str
        As of `Table`.
    rows : sequence of dict
        The JSON's list.
    keys : sequence of str, optional
        The columns, with dots between the keys of rows in rows; all by default, but for `HIDDEN`.
    keep : callable, optional
        Whether a row is in the table; all are by default.
    """
    kept = [(at, row) for at, row in enumerate(rows) if keep(row)]
    if keys is None:
        keys = list(dict.fromkeys(key for _, row in kept for key in _keys(row)))
    columns = [_column(key, [_at(row, key) for _, row in kept]) for key in keys]
    return Table(
        *(path, caption, columns),
        [(at, [cell(each.key, _at(row, each.key)) for each in columns]) for at, row in kept],
    )


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
    return Column(key, _head(key), kind)


def _head(key: str) -> str:
    if key in _HEADS:
        return _HEADS[key]
    first, _, rest = key.partition(".")
    if first == "links":
        return _head(rest)
    if rest:
        return f"{_head(first)}: {_head(rest)}"
    return key.replace("_", " ")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell(key: str, value: Any) -> Markup:
    """Write a value: numbers as ``data`` elements, which hold them in full.

    Parameters
    ----------
    key : str
        Where the value is in its row, keys and indices with dots between.
    value : any
        What the JSON has there.
    """
    if value is None:
        return Markup("&ndash;")
    if isinstance(value, bool):
        return Markup("yes" if value else "no")
    if isinstance(value, int | float):
        return Markup('<data value="{}" data-key="{}">{}</data>').format(
            repr(value), key, number(key, value)
        )
    if isinstance(value, Mapping):
        return Markup(", ").join(
            Markup("{} {}").format(name, cell(f"{key}.{name}", each))
            for name, each in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        between = Markup("&times;") if key.split(".")[0] in _BY else Markup(", ")
        return between.join(cell(f"{key}.{at}", each) for at, each in enumerate(value))
    return escape(value)


def number(key: str, value: float) -> str:
    """Write a number as one reads it: times with a unit, ratios with a sign."""
    last = key.rpartition(".")[2]
    if last == "seconds" or (last.endswith("_s") and not last.endswith("_per_s")):
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
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:#.3g}"


def seconds(value: float) -> str:
    """Write a time in the unit that suits it, to three digits."""
    for size, unit in _UNITS:
        if abs(value) >= size * 0.9995 or size == _UNITS[-1][0]:
            return f"{_plain(value / size)} {unit}"
    raise AssertionError("the last unit takes what is left")
