"""The plots of the page, drawn by matplotlib, each for a wide window and for a phone's."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .svg import COLOURS

WIDTHS = {"wide": 880, "narrow": 350}
"""Widths in pixels that every plot is drawn for."""

MANY = 20
"""With more layers the axis is labelled at both ends."""

NEAR = 1.5
"""Links less far apart than this, as a ratio of their rates, share a label."""

_MARKS = ("o", "s", "D", "^", "v", "P", "X", "p")
_CYCLE = tuple(name for name in COLOURS if name[0] == "c")

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and takes the page's colours
    "svg.hashsalt": "streampool",  # the same ids each time
    "font.family": "sans-serif",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["soft"],
    "grid.color": COLOURS["grid"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.edgecolor": COLOURS["grid"],
    "lines.markeredgecolor": COLOURS["paper"],
    "lines.markeredgewidth": 0.7,
}


@dataclass(frozen=True)
class Series:
    """Points of one kind."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int
    """Of `COLOURS`; what belongs together has the same."""
    mark: int
    """Its shape among those of its colour."""
    joined: bool = False
    """Whether a line joins the points."""
    main: bool = True
    """Whether the plot is about it."""


@dataclass(frozen=True)
class Line:
    """A slope through the origin: what a link carries per second, by its name and a short one."""

    name: str
    short: str
    value: float


def drawn(draw: Callable[[bool], Figure]) -> dict[str, str]:
    """Return a plot as an SVG file for each of `WIDTHS`; `draw` is told whether it is narrow."""
    found = {}
    for width in WIDTHS:
        with mpl.rc_context(_STYLE):
            figure = draw(width == "narrow")
            file = io.StringIO()
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        found[width] = file.getvalue()
    return found


def throughput(layers: Sequence[str], series: Sequence[Series], unit: str) -> Callable:
    """Draw a row for each layer, and in it a mark for each contender, on a log axis.

    `Series.y` holds indices into `layers`.
    """

    def draw(narrow: bool) -> Figure:
        pitch = 34 if narrow else 22
        figure, axes = _figure(narrow, pitch * len(layers), series)
        for number in range(len(layers)):
            axes.axhline(number, color=COLOURS["grid"], linewidth=0.8, zorder=0)
        for each in series:
            axes.plot(each.x, each.y, **_mark(each), label=each.name)
        axes.set_xscale("log")
        axes.set_ylim(len(layers) - 0.4, -0.8)
        axes.set_xlabel(unit)
        if len(layers) > MANY:
            axes.tick_params(top=True, labeltop=True)
        axes.grid(axis="y", visible=False)
        _name_rows(axes, layers, narrow)
        _log_labels(axes.xaxis)
        _legend(figure, axes, narrow)
        return figure

    return draw


def cycles(series: Sequence[Series]) -> Callable:
    """Draw the cycles per frame against the limit: on the diagonal where the limit is met."""

    def draw(narrow: bool) -> Figure:
        figure, axes = _figure(narrow, 300 if narrow else 380, series)
        low = min(min(each.x) for each in series) / 1.5
        high = max(max(each.y) for each in series) * 1.5
        axes.plot(
            [low, high], [low, high], color=COLOURS["soft"], linewidth=1.2, label="the limit itself"
        )
        for each in series:
            axes.plot(each.x, each.y, **_mark(each), label=each.name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("limit: max(beats in, beats out) of a frame")
        axes.set_ylabel("cycles per frame")
        _log_labels(axes.xaxis, axes.yaxis)
        _legend(figure, axes, narrow)
        return figure

    return draw


def lanes(area: Sequence[Series], clock: Sequence[Series]) -> Callable:
    """Draw LUTs and clock against lanes, the one beside or above the other."""

    def draw(narrow: bool) -> Figure:
        figure, (left, right) = _figures(narrow, 250 if narrow else 320, area, 2)
        for axes, panel in ((left, area), (right, clock)):
            for each in panel:
                axes.plot(each.x, each.y, **_mark(each), label=each.name)
        left.set_yscale("log")
        left.set_ylabel("LUT4")
        right.set_ylabel("MHz, placer or silicon")
        right.set_ylim(0)
        ticks = sorted({x for each in area for x in each.x})
        for axes in (left, right):
            axes.set_xscale("log", base=2)
            axes.set_xlabel("lanes")
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
        _log_labels(left.yaxis)
        _legend(figure, left, narrow)
        return figure

    return draw


def roofline(series: Sequence[Series], links: Sequence[Line]) -> Callable:
    """Draw taps per second against taps per byte that crosses a link, with a slope for each link.

    A core takes one beat per clock whatever the window, so it has no roof of its own: its lanes
    and clock are one more slope, on which its layers lie.
    """

    def draw(narrow: bool) -> Figure:
        figure, axes = _figure(narrow, 420 if narrow else 480, series)
        xs = [x for each in series for x in each.x]
        ys = [y for each in series for y in each.y]
        low, high = min(xs) / 2, max(xs) * 2
        bottom, top = min(link.value for link in links) * low, max(ys) * 2
        for link in links:
            axes.axline(
                *((low, link.value * low), (high, link.value * high)),
                color=COLOURS["soft"],
                linewidth=1,
                linestyle=(0, (5, 2)),
            )
        for each in series:
            axes.plot(each.x, each.y, **_mark(each), label=each.name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(bottom, top)
        axes.set_xlabel("taps per byte of frames")
        axes.set_ylabel("taps per second")
        _log_labels(axes.xaxis, axes.yaxis)
        _legend(figure, axes, narrow)
        figure.draw_without_rendering()
        _name_links(axes, links, narrow)
        return figure

    return draw


def _figure(narrow: bool, height: float, series: Sequence[Series]) -> tuple[Figure, Axes]:
    figure, [axes] = _figures(narrow, height, series, 1)
    return figure, axes


def _figures(
    narrow: bool, height: float, series: Sequence[Series], count: int
) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels of a height in pixels, and room for axes and legend."""
    stacked = count if narrow else 1
    room = stacked * (height + 60) + _legend_height(narrow, len(series))
    figure = Figure(
        figsize=(WIDTHS["narrow" if narrow else "wide"] / 72, room / 72), layout="constrained"
    )
    grid = figure.subplots(stacked, count // stacked, squeeze=False)
    return figure, list(grid.ravel())


def _legend_columns(narrow: bool) -> int:
    return 1 if narrow else 3


def _legend_height(narrow: bool, names: int) -> float:
    return 18 * math.ceil((names + 1) / _legend_columns(narrow)) + 12


def _legend(figure: Figure, axes: Axes, narrow: bool) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=_legend_columns(narrow))


def _mark(series: Series) -> dict[str, Any]:
    return {
        "color": COLOURS[_CYCLE[series.colour % len(_CYCLE)]],
        "marker": _MARKS[series.mark % len(_MARKS)],
        "markersize": 8.5 if series.main else 6,
        "linestyle": "-" if series.joined else "none",
        "linewidth": 1.4,
        "zorder": 4 if series.main else 3,
    }


def _name_rows(axes: Axes, names: Sequence[str], narrow: bool) -> None:
    if not narrow:
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        return
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for number, name in enumerate(names):
        axes.text(
            *(0.0, number - 0.2, name),
            transform=axes.get_yaxis_transform(),
            fontsize=10.5,
            verticalalignment="bottom",
        )


def _name_links(axes: Axes, links: Sequence[Line], narrow: bool) -> None:
    """Write the links along their slopes; those of nearly the same rate share a label."""
    (low, high), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    groups: list[list[Line]] = []
    for link in sorted(links, key=lambda link: -link.value):
        if groups and groups[-1][0].value < NEAR * link.value:
            groups[-1].append(link)
        else:
            groups.append([link])
    turns = 2 if narrow else 3
    for number, group in enumerate(reversed(groups)):
        along = 0.02 + number % turns / turns
        value = group[0].value
        x = max(low * (high / low) ** along, bottom / value * 1.05)
        axes.annotate(
            *(", ".join(link.short if narrow else link.name for link in group), (x, value * x)),
            xytext=(0, 3),
            textcoords="offset points",
            rotation=_angle(axes, low, high),
            rotation_mode="anchor",
            fontsize=10,
            color=COLOURS["soft"],
        )


def _angle(axes: Axes, low: float, high: float) -> float:
    """Return the angle, in degrees, at which a slope through the origin is drawn."""
    (x0, y0), (x1, y1) = axes.transData.transform([(low, low), (high, high)])
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


def _log_labels(*axes: Axis) -> None:
    """Write decades as 10 k and 1 M, and steps between them where they are few."""
    for axis in axes:
        low, high = axis.get_view_interval()
        few = high / low < 100
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=12))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    for power, letter in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{value / 10**power:g} {letter}"
    return f"{value:g}"
