"""From the JSON of a measurement to the page's plots: what is drawn, and what is said of it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from streampool_golden import Job, PoolSpec

from . import plots
from .plots import Line, Series
from .svg import inline
from .tables import number

__all__ = ["Plot", "cycles", "lanes", "roofline", "throughput"]

Row: TypeAlias = Mapping[str, Any]
Results: TypeAlias = Mapping[str, Any]

MOST_DEVICES = 3
"""Devices in a plot of layers, the fastest of each family; all of them are in the tables."""


@dataclass(frozen=True)
class Plot:
    """A plot for the page.

    Parameters
    ----------
    name : str
        What its ids begin with.
    alternative : str
        What it shows, in words, for those who do not see it.
    files : dict of str to str
        SVG files by the name of their width.
    """

    name: str
    alternative: str
    files: dict[str, str]

    @property
    def inlined(self) -> dict[str, str]:
        """The ``svg`` elements by the name of their width."""
        return {
            width: inline(text, f"{self.name}-{width}", self.alternative)
            for width, text in self.files.items()
        }


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
    """Return the most frames a second of each layer."""
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


def placed_rows(results: Results) -> list[Row]:
    """Return the hardware's rows whose clock was placed."""
    return [row for row in results["hardware"] if row["freq_source"] == "placed"]


def main_devices(results: Results) -> list[str]:
    """Return the devices that plots of layers show: of each family the one with the best rate."""
    rate: dict[str, float] = {}
    for row in placed_rows(results):
        rate[row["device"]] = max(rate.get(row["device"], 0), row["lanes"] * row["freq_mhz"])
    best: dict[str, str] = {}
    for device in sorted(rate, key=lambda name: -rate[name]):
        best.setdefault(device.partition("-")[0], device)
    return list(best.values())[:MOST_DEVICES]


def _main(results: Results) -> list[tuple[str, list[Row]]]:
    """Return the main devices with their placed rows."""
    placed = placed_rows(results)
    return [
        (device, [row for row in placed if row["device"] == device])
        for device in main_devices(results)
    ]


def throughput(results: Results) -> Plot | None:
    """Draw the values a second of each layer, by contender and device; None without any."""
    names, values = layer_names(results), _values(results)
    order = {layer: at for at, layer in enumerate(names)}

    def series(name: str, rates: Mapping[str, float], main: bool) -> Series:
        return Series(
            name,
            [values[layer] * rate for layer, rate in rates.items()],
            [order[layer] for layer in rates],
            main=main,
        )

    found = [series(f"FPGA: {device}", _best(rows), main=True) for device, rows in _main(results)]
    kinds: dict[str, list[Row]] = {}
    for row in software_rows(results):
        crop = ", from a crop" if row["crop"] else ""
        kinds.setdefault(f"{row['contender']}, {row['dtype']}{crop}", []).append(row)
    found += [series(kind, _best(rows), main=False) for kind, rows in kinds.items()]
    if not (found := _filled(found)):
        return None
    every = [value for each in found for value in each.x]
    alternative = (
        f"A row for each of {len(names)} layers, with a mark for each contender and device; the "
        f"axis of values a second is logarithmic and runs from {number('', min(every))} to "
        f"{number('', max(every))}. The table below has every number."
    )
    draw = plots.throughput(list(names.values()), found, "values in a second")
    return _plot("throughput", alternative, draw)


def cycles(results: Results) -> Plot | None:
    """Draw the cycles of each layer against its limit; None without any."""
    rows = results["hardware"]
    found = []
    for width in sorted({row["lanes"] for row in rows}):
        here = [row for row in rows if row["lanes"] == width]
        pairs = sorted({(row["limit_cycles"], row["cycles"]) for row in here})
        name = f"{width} lane{'s'[: width > 1]}"
        limits, counts = zip(*pairs, strict=True)
        found.append(Series(name, limits, counts, main=False))
    if not found:
        return None
    pairs = {(row["layer"], row["lanes"]): row for row in rows}
    met = sum(row["cycles"] == row["limit_cycles"] for row in pairs.values())
    alternative = (
        f"Cycles a frame against the limit, both on logarithmic axes, a mark for each layer and "
        f"number of lanes: {met} of {len(pairs)} lie on the diagonal, which is the limit itself."
    )
    return _plot("cycles", alternative, plots.cycles(found))


def lanes(results: Results) -> Plot | None:
    """Draw area and clock of the placed jobs that only their lanes tell apart, if any."""
    rows = results["placements"]
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault((row["title"].partition(",")[0], row["device"]), []).append(row)
    area, clock = [], []
    for (title, device), group in groups.items():
        group.sort(key=lambda row: row["lanes"])
        widths = [row["lanes"] for row in group]
        if len(set(widths)) < 2:
            continue
        name = f"{title}, {device}"
        area.append(Series(name, widths, [row["lut4"] for row in group], joined=True))
        clock.append(Series(name, widths, [row["fmax_median_mhz"] for row in group], joined=True))
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
    """Draw the taps a second of cores and software under links as roofs; None without any."""
    jobs = {
        each["layer"]: PoolSpec.from_json(each["spec"]).job(each["shape"], 1)
        for each in results["layers"]
    }
    taps = {layer: _taps(job) for layer, job in jobs.items()}
    found = [
        _on_roof(f"FPGA: {device}", jobs, taps, _best(rows)) for device, rows in _main(results)
    ]
    whole = [row for row in software_rows(results) if not row["crop"]]
    found.append(_on_roof("fastest software", jobs, taps, _best(whole), main=False))
    if not (found := _filled(found)):
        return None
    links = [
        Line(each["title"], each["link"], each["bytes_per_s"])
        for each in results["links"]
        if each["bytes_per_s"] is not None
    ]
    alternative = (
        "Taps a second against taps a byte, both on logarithmic axes, a mark for each layer. "
        "Each link is a slope that no layer behind it can be above: "
        + ", ".join(f"{link.name} {link.value / 1e6:,.4g} MB a second" for link in links)
        + "."
    )
    return _plot("roofline", alternative, plots.roofline(found, links))


def _taps(job: Job) -> int:
    """Return how many values the windows of a frame read, all channels."""
    return job.shape[0] * math.prod(
        sum(len(axis.taps(i)) for i in range(axis.outputs)) for axis in job.axes
    )


def _bytes(job: Job) -> int:
    """Return the bytes of a frame, in or out, whichever are more."""
    return max(
        math.prod(job.shape) * job.spec.in_dtype.numpy.itemsize,
        math.prod(job.out_shape) * job.output.numpy.itemsize,
    )


def _on_roof(
    name: str,
    jobs: Mapping[str, Job],
    taps: Mapping[str, int],
    rates: Mapping[str, float],
    main: bool = True,
) -> Series:
    return Series(
        name,
        [taps[layer] / _bytes(jobs[layer]) for layer in rates],
        [taps[layer] * rate for layer, rate in rates.items()],
        main=main,
    )
