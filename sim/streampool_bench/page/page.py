"""One self-contained HTML file from the JSON of a measurement; nothing is fetched to view it."""

import json
from typing import Any

import jinja2
import wavedrom
from markupsafe import Markup

from ..report import reading
from . import figures, svg, waveform
from .tables import Table, named, table

TABLES = {
    "software": "Software: every contender, measured",
    "contenders": "What each contender calls",
    "unfit": "What contenders cannot do",
    "comparison": "Each device's fastest core against software",
    "networks": "Pooling layers of whole networks",
    "shares": "Whole networks in software, and the share of pooling",
    "hardware": "Cores: every layer, device and number of lanes",
    "placements": "Cores that were placed and routed",
    "layers": "Layers",
    "links": "Links",
    "skipped": "Left out, and why",
}
"""Lists of the JSON that have a table of all their keys, and their captions."""

WITHOUT = {"software": ("runtime",)}
"""Columns that a table leaves out, since another one says it: each contender's runtime."""

SUMMARY = (
    *("layer", "ratio_best", "ratio_usual", "frames_per_second", "lanes", "freq_mhz"),
    *("freq_source", "freq_bound", "best.contender", "best.dtype", "best.threads", "best.median_s"),
    *("usual.median_s", "tie.lanes", "tie.fits", "tie.holds", "latency_s", "latency_ratio"),
)
"""Keys of the comparison that the page shows without a click."""


def html(results: dict[str, Any]) -> str:
    """Return the page of a measurement, as `streampool bench --json` writes it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streampool_bench.page", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawings = (figures.throughput, figures.cycles, figures.lanes, figures.roofline)
    drawn = [each for draw in drawings if (each := draw(results)) is not None]
    styles = svg.Styles()
    plots = {each.name: _inlined(each, f"plot{at}", styles) for at, each in enumerate(drawn)}
    diagram = waveform.diagram()
    return environment.get_template("page.html").render(
        results=results,
        style=Markup(environment.get_template("page.css").render()),
        plots=plots,
        tables=_tables(results) | _compared(results),
        diagram=diagram,
        wave=_wave(diagram, styles),
        upright=Markup(waveform.upright(diagram)),
        styles=styles,
        named=named,
    )


def _wave(diagram: waveform.Diagram, styles: svg.Styles) -> Markup:
    drawing = wavedrom.render(json.dumps(diagram.wave))
    assert drawing is not None, "a timing diagram is drawn as such"
    return Markup(svg.inline(drawing.tostring(), "wave", waveform.alternative(diagram), styles))


def plot(results: dict[str, Any]) -> str:
    """Draw the throughput by layer and contender as an SVG file; `ValueError` without any."""
    drawn = figures.throughput(results)
    if drawn is None:
        raise ValueError("no layer was measured and none has a core, so there is nothing to draw")
    return svg.standalone(drawn.files["wide"])


def _inlined(drawn: figures.Plot, name: str, styles: svg.Styles) -> dict[str, Markup]:
    """Return the ``svg`` elements of a plot by the name of their width."""
    return {
        width: Markup(svg.inline(text, f"{name}{width[0]}", drawn.alternative, styles))
        for width, text in drawn.files.items()
    }


def _tables(results: dict[str, Any]) -> dict[str, Table]:
    return {
        path: table(path, path, caption, results[path], without=WITHOUT.get(path, ()))
        for path, caption in TABLES.items()
        if results.get(path)
    }


def _compared(results: dict[str, Any]) -> dict[str, Table]:
    """Return the comparison as one reads it: the best device alone, and behind each link."""
    rows = results["comparison"]
    found = {}
    device = reading.device_of(results)
    if device is not None:
        found["summary"] = table(
            "summary",
            "comparison",
            f"The fastest core on {device} against software",
            rows,
            SUMMARY,
            keep=lambda row: row["device"] == device,
        )
    links = dict.fromkeys(link for row in rows for link in row["links"])
    keys = [f"links.{link}.{key}" for link in links for key in ("frames_per_second", "ratio_best")]
    if rows:
        found["linked"] = table(
            "linked",
            "comparison",
            "Frames per second behind each link",
            rows,
            ["layer", "device", *keys],
        )
    return found
