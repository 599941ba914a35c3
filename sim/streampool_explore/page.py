"""A page with a plot of the front, that stands alone: no script, nothing fetched."""

import html
import io
from typing import Any

from .model import needed

_BLUE, _RED = "#0b6e99", "#c44536"

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ overflow-x: auto; font-size: 13px; }}
svg {{ max-width: 100%; height: auto; }}
</style>
<h1>{title}</h1>
{plot}
<pre>{text}</pre>
</html>
"""


def page(found: dict[str, Any], text: str) -> str:
    """Return the page as HTML, of what `report.document` gives, and its text."""
    title = f"{found['device']}: {found['aim']}"
    plot = front_plot(found) if found["front"] else ""  # logarithmic axes need a point
    return _PAGE.format(
        title=html.escape(title), plot=plot[plot.find("<svg") :], text=html.escape(text)
    )


def front_plot(found: dict[str, Any]) -> str:
    """Return a plot of a front as SVG: what is placed, what is predicted, and the choice.

    The front has to have a design.
    """
    mpl, figures = needed("matplotlib"), needed("matplotlib.figure")
    front, chosen = found["front"], found["chosen"]
    cells, fps = ([each[name] for each in front] for name in ("cells", "frames_per_second"))
    known = [all(core["placed"] for core in each["cores"]) for each in front]
    style = {"svg.fonttype": "none", "svg.hashsalt": "streampool", "font.size": 12}
    with mpl.rc_context(style):
        figure = figures.Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        axes.step(cells, fps, where="post", color="#888888", linewidth=1)
        for is_known, name, face in (
            (True, "every core placed", _BLUE),
            (False, "some predicted", "#ffffff"),
        ):
            some = [k for k, each in enumerate(known) if each == is_known]
            if some:
                axes.plot(
                    *([cells[k] for k in some], [fps[k] for k in some], "o"),
                    **{"markerfacecolor": face, "markeredgecolor": _BLUE, "label": name},
                )
        if chosen is not None:
            axes.plot(
                *([chosen["cells"]], [chosen["frames_per_second"]], "o"),
                **{"markersize": 14, "markerfacecolor": "none", "markeredgecolor": _RED},
                label="chosen",
            )
        if found["fps"] is not None:
            axes.axhline(found["fps"], color=_RED, linewidth=1, linestyle=":")
        axes.set(xlabel="logic cells", ylabel="frames per second", xscale="log", yscale="log")
        axes.grid(True, which="both", color="#e4e4e4")
        axes.set_axisbelow(True)
        axes.legend(frameon=False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
