"""The report on a terminal, and as tables of Markdown."""

import textwrap
from collections.abc import Sequence
from typing import Any

from . import reading
from .basis import lanes, side_by_side

Row = dict[str, Any]

HEADS = (
    *("layer", "fastest software", "us", "torch float32 NCHW, us", "core", "us"),
    *("x fastest", "x torch", "ties at"),
)
"""The columns: times in microseconds per frame; "x": the core's frames over the software's."""
LEFT = (0, 1, 4)
"""Columns of words."""

NETWORK_HEADS = (
    *("network", "poolings", "fastest software, us", "torch float32 NCHW, us", "cores in turn, us"),
    *("x fastest", "all at once, us", "x fastest, all at once"),
)
"""The columns of whole networks: sums over their pooling layers, and the slowest of the cores."""


def rows(
    report: dict[str, Any], device: str, layers: Sequence[str] | None = None
) -> list[list[str]]:
    """Return the cells of a table, as `HEADS` has them: all or some layers on a device."""
    here = {row["layer"]: row for row in report["comparison"] if row["device"] == device}
    titles = {row["layer"]: _titled(row) for row in report["layers"]}
    return [_cells(titles[name], here[name]) for name in layers or here if name in here]


def network_rows(report: dict[str, Any], device: str) -> list[list[str]]:
    """Return the cells of a table, as `NETWORK_HEADS` has them: each network on a device."""
    return [
        [
            row["net"],
            f"{len(row['layers'])}",
            *("-" if row[key] is None else _micro(row[key]) for key in ("best_s", "usual_s")),
            _micro(row["core_s"]) + ("" if row["freq_source"] == "placed" else " (some assumed)"),
            _ratio(row["ratio_best"]),
            _micro(row["slowest_core_s"]),
            _ratio(row["pipelined_ratio_best"])
            + ("" if row["fits"] is not False else " (too many for it)"),
        ]
        for row in report["networks"]
        if row["device"] == device
    ]


def _titled(layer: Row) -> str:
    nets = list(layer["nets"])
    more = f" and {len(nets) - 1} more" if len(nets) > 1 else ""
    return f"{layer['title']}" + (f" ({nets[0]}{more})" if nets else "")


def _cells(title: str, row: Row) -> list[str]:
    best, usual, tie = row["best"], row["usual"], row["tie"]
    clock = f"{side_by_side(row)}, {row['freq_mhz']:.0f} MHz"
    if row["freq_source"] == "placed":
        how = ", one seed" * (row["placed_seeds"] == 1)
        how += ", silicon" * (row["freq_bound"] == "silicon")
        clock += f" ({row['placed_job']}{how})"
    else:
        clock += " (assumed)"
    return [
        title,
        "-" if best is None else _contender(best),
        "-" if best is None else _micro(best["median_s"]),
        "-" if usual is None else _micro(usual["median_s"]),
        clock,
        _micro(row["seconds"]),
        _ratio(row["ratio_best"]),
        _ratio(row["ratio_usual"]),
        _tie(tie),
    ]


def _contender(row: Row) -> str:
    threads = f", {row['threads']} threads" if row["threads"] > 1 else ""
    return f"{row['contender']} {row['dtype']} {row['layout']}{threads}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _tie(tie: Row | None) -> str:
    if tie is None:
        return "-"
    if tie["lanes"] is None:
        return "never"
    note = "" if tie["holds"] else " (not placed)" if tie["fits"] is not False else " (too many)"
    return f"{lanes(tie['lanes'])}{note}"


def terminal(report: dict[str, Any], width: int = 100) -> str:
    """Return the report as text: a table, what was skipped, and what the figures say."""
    device = reading.device_of(report)
    if device is None:
        return "nothing was placed on any device, so there is nothing to compare\n"
    lines = []
    cells = rows(report, device)
    if cells:
        widths = [max(map(len, column)) for column in zip(HEADS, *cells, strict=True)]

        def line(values: Sequence[str]) -> str:
            padded = [
                value.ljust(size) if number in LEFT else value.rjust(size)
                for number, (value, size) in enumerate(zip(values, widths, strict=True))
            ]
            return "  ".join(padded).rstrip()

        lines.append(f"{device}, one frame at a time, warm caches")
        lines.append(line(HEADS))
        lines += map(line, cells)
    for each in report["skipped"]:
        lines.append(f"skipped: {each['what']}: {each['reason']}")
    wrong = [row for row in report["software"] if not row["correct"]]
    for row in wrong:
        lines.append(f"wrong: {_contender(row)} on {row['layer']}: {row['wrong']}")
    for sentence in report["reading"]:
        lines += ["", *textwrap.wrap(sentence["text"], width)]
    return "\n".join(lines) + "\n"
