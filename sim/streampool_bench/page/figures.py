"""From the JSON of a measurement to the page's plots: what is drawn, and what is said of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..report import basis, compare, reading
from . import plots
from .plots import Line, Series
from .tables import number

Row: TypeAlias = dict[str, Any]
Results: TypeAlias = dict[str, Any]
Points: TypeAlias = Callable[[Mapping[str, float]], tuple[list[float], list[float]]]
"""Makes coordinates of the frames per second of layers."""

MOST_DEVICES = 3
"""Devices in a plot of layers, the fastest of each family; all of them are in the tables."""


@dataclass(frozen=True)
class Plot:
    """A plot for the page."""

    name: str
    alternative: str
    """What it shows, in words, for those who do not see it."""
    files: dict[str, str]
    """SVG files by the name of their width."""


def _plot(name: str, alternative: str, draw: Callable) -> Plot:
    return Plot(name, alternative, plots.drawn(draw))


def _filled(series: Iterable[Series]) -> list[Series]:
    """Leave out what has no point."""
    return [each for each in series if len(each.x)]


def layer_names(results: Results) -> dict[str, str]:
    """Return how each layer is called in plots, by its name."""
    return {each["layer"]: f"{each['layer']}: {each['title']}" for each in results["layers"]}


def _values(results: Results) -> dict[str, int]:
    return {each["layer"]: each["values_in"] for each in results["layers"]}


def _best(rows: Iterable[Row]) -> dict[str, float]:
    """Return the most frames per second of each layer."""
    found: dict[str, float] = {}
    for row in rows:
        found[row["layer"]] = max(found.get(row["layer"], 0.0), row["frames_per_second"])
    return found


def software_rows(results: Results) -> list[Row]:
    """Return the rows that count: right, with warm caches."""
    return [
        row
        for row in results["software"]
        if row["correct"] and row["cache"] == "warm" and row["frames_per_second"]
    ]


def main_devices(results: Results) -> list[str]:
    """Return the devices that plots of layers show.

    The one that the sentences are about, and of other families the one with the most values per
    second.
    """
    rate: dict[str, float] = {}
    for row in basis.placed(results["hardware"]):
        rate[row["device"]] = max(rate.get(row["device"], 0), row["lanes"] * row["freq_mhz"])
    about = reading.device_of(results)
    best: dict[str, str] = {}
    for device in sorted(rate, key=lambda name: (name != about, -rate[name])):
        best.setdefault(device.partition("-")[0], device)
    return list(best.values())[:MOST_DEVICES]


def _of_devices(results: Results, points: Points) -> list[Series]:
    """Return the cores of the main devices, of one colour."""
    placed = basis.placed(results["hardware"])
    return [
        Series(
            f"core, {device}",
            *points(_best(row for row in placed if row["device"] == device)),
            colour=0,
            mark=mark,
        )
        for mark, device in enumerate(main_devices(results))
    ]


def throughput(results: Results) -> Plot | None:
    """Draw the values per second of each layer, by contender and device; None without any."""
    names, values = layer_names(results), _values(results)
    order = {layer: at for at, layer in enumerate(names)}

    def points(rates: Mapping[str, float]) -> tuple[list[float], list[float]]:
        return [values[layer] * rate for layer, rate in rates.items()], [
            order[layer] for layer in rates
        ]

    found = _of_devices(results, points)
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in software_rows(results):
        kinds.setdefault((row["runtime"], _kind(row)), []).append(row)
    runtimes = list(dict.fromkeys(runtime for runtime, _ in kinds))
    for runtime, kind in sorted(kinds, key=lambda pair: runtimes.index(pair[0])):
        colour = 1 + runtimes.index(runtime)
        found.append(
            Series(
                kind,
                *points(_best(kinds[runtime, kind])),
                colour=colour,
                mark=sum(each.colour == colour for each in found),
                main=any(map(compare.is_usual, kinds[runtime, kind])),
            )
        )
    if not (found := _filled(found)):
        return None
    every = [value for each in found for value in each.x]
    alternative = (
        f"A row for each of {len(names)} layers, with a mark for each contender and device; the "
        f"axis of input values per second is logarithmic and runs from {number('', min(every))} to "
        f"{number('', max(every))}. {_ahead(results)} The table below has every number."
    )
    draw = plots.throughput(list(names.values()), found, "input values per second")
    return _plot("throughput", alternative, draw)


def _ahead(results: Results) -> str:
    """Say who is ahead, on how many layers."""
    about = reading.device_of(results)
    ratios = [
        row["ratio_best"]
        for row in basis.placed(results["comparison"])
        if row["device"] == about and row["best"] is not None
    ]
    won = sum(ratio > 1 for ratio in ratios)
    return f"The core on {about} is ahead of all software on {won} of {len(ratios)} layers."


def _kind(row: Row) -> str:
    """Return the name of the series that a contender's row is in."""
    if compare.is_usual(row):
        return f"{row['contender']} {row['dtype']} {row['layout']}, the usual call"
    return f"{row['contender']}, on a crop" if row["crop"] else row["contender"]


def cycles(results: Results) -> Plot | None:
    """Draw the cycles of each layer against its limit; None without any."""
    rows = results["hardware"]
    found = []
    for mark, width in enumerate(sorted({row["lanes"] for row in rows})):
        here = [row for row in rows if row["lanes"] == width]
        pairs = sorted({(row["limit_cycles"], row["cycles"]) for row in here})
        name = f"{width} lane{'s'[: width > 1]}"
        limits, counts = zip(*pairs, strict=True)
        found.append(Series(name, limits, counts, mark, mark, main=False))
    if not found:
        return None
    kinds = {(row["layer"], row["lanes"]): row for row in rows}
    met = sum(row["cycles"] == row["limit_cycles"] for row in kinds.values())
    alternative = (
        f"Cycles per frame against the limit, both on logarithmic axes, a mark for each layer and "
        f"number of lanes: {met} of {len(kinds)} lie on the diagonal, which is the limit itself."
    )
    return _plot("cycles", alternative, plots.cycles(found))


def lanes(results: Results) -> Plot | None:
    """Draw area and clock of the placed jobs that lanes and channels alone tell apart, if any."""
    rows = results["placements"]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        size = "x".join(map(str, row["shape"][1:]))
        window = row["title"].partition(",")[0]
        groups.setdefault(f"{window}, {size}, {row['device']}", []).append(row)
    area, clock = [], []
    for name, group in groups.items():
        group.sort(key=lambda row: row["lanes"])
        widths = [row["lanes"] for row in group]
        if len(set(widths)) < 2:
            continue
        at = len(area)
        for panel, key in ((area, "lut4"), (clock, "clock_mhz")):
            values = [row[key] for row in group]
            panel.append(Series(name, widths, values, at, at, joined=True))
    if not area:
        return None
    alternative = "Two plots against lanes: LUT4 on a logarithmic axis, and the clock in MHz. " + (
        " ".join(
            f"{cells.name}: from {cells.x[0]} to {cells.x[-1]} lanes LUT4 go from "
            f"{cells.y[0]:,} to {cells.y[-1]:,} and the clock from {hertz.y[0]:.0f} to "
            f"{hertz.y[-1]:.0f} MHz."
            for cells, hertz in zip(area, clock, strict=True)
        )
    )
    return _plot("lanes", alternative, plots.lanes(area, clock))


def roofline(results: Results) -> Plot | None:
    """Draw the taps per second of cores and software under links as roofs; None without any."""
    layers = {each["layer"]: each for each in results["layers"]}

    def points(rates: Mapping[str, float]) -> tuple[list[float], list[float]]:
        return [layers[layer]["taps_per_byte"] for layer in rates], [
            layers[layer]["taps"] * rate for layer, rate in rates.items()
        ]

    found = _of_devices(results, points)
    whole = [row for row in software_rows(results) if not row["crop"]]
    usual = [row for row in whole if compare.is_usual(row)]
    for at, (name, rows) in enumerate((("fastest software", whole), ("usual call", usual)), 1):
        found.append(Series(name, *points(_best(rows)), colour=at, mark=at + 2))
    if not (found := _filled(found)):
        return None
    links = [
        Line(each["title"], each["link"], each["bytes_per_s"])
        for each in results["links"]
        if each["bytes_per_s"] is not None
    ]
    alternative = (
        "Taps per second against taps per byte, both on logarithmic axes, a mark for each layer. "
        "Each link is a slope that no layer behind it can be above: "
        + ", ".join(f"{link.name} {link.value / 1e6:,.4g} MB per second" for link in links)
        + "."
    )
    return _plot("roofline", alternative, plots.roofline(found, links))
