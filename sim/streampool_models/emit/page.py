"""``index.html``: a model as a picture with its pooling layers marked, and a table of them."""

import html
from collections.abc import Sequence

from streampool_hw.fpga import Device, Placement
from streampool_sim.words import by, count, describe

from ..layer import Model
from .made import Made
from .network import Box, Network, network

WIDTH, GAP, LINE, PAD, DROP = 300, 28, 17, 9, 34  # px
LETTERS, BOLD = 42, 36
"""Letters in a line of a box."""

STYLE = """
:root { --ink: #1b2430; --soft: #5b6672; --grid: #d9dee4; --paper: #fefefe; --pool: #1467a8;
  --pale: #eaf2f9; --bad: #b3360b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a3adb8; --grid: #3a444f;
  --paper: #14191f; --pool: #6db3e8; --pale: #1c2c3a; --bad: #f08a5d; } }
body { margin: 2rem auto; padding: 0 1rem; max-width: 76rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1, h2 { line-height: 1.2; } .wide { overflow-x: auto; } p.note { color: var(--soft); }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--grid); text-align: left;
  vertical-align: top; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; } td.bad { color: var(--bad); }
a { color: var(--pool); } tr:target { background: var(--pale); }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
svg .name { font-weight: 600; }
rect { fill: var(--paper); stroke: var(--grid); } rect.pool { fill: var(--pale);
  stroke: var(--pool); stroke-width: 2; } rect.none { stroke: var(--bad); stroke-width: 2;
  stroke-dasharray: 5 3; } path { fill: none; stroke: var(--soft); }
"""


def page(name: str, model: Model, made: Sequence[Made], device: Device | None) -> str:
    """Return the page of a model, given what was made of each of its layers."""
    rows = {id(each.layer): f"layer-{k}" for k, each in enumerate(made)}
    there = sum(each.module is not None for each in made)
    parts = [
        "<!doctype html>\n<html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width">',
        f"<title>{_text(name)}: its pooling layers as cores</title>",
        f"<style>{STYLE}</style>",
        f"<h1>{_text(name)}</h1>",
        f"<p>{count(len(made), 'pooling layer')}, {there} with a core. Each links to its row.</p>",
        f"<div class=wide>{drawing(network(model), rows)}</div>",
        "<h2>Layers</h2>",
        f"<div class=wide>{_table(made)}</div>",
        f"<p class=note>{_text(_basis(made, device))}</p>",
        "<p class=note><code>make test</code> in this folder runs the bench of every core.</p>",
        "</html>\n",
    ]
    return "\n".join(parts)


def drawing(picture: Network, rows: dict[int, str]) -> str:
    """Return the boxes as an SVG, rank below rank, those of layers linked to their rows."""
    ranks: dict[int, list[int]] = {}
    for k, box in enumerate(picture.boxes):
        ranks.setdefault(box.rank, []).append(k)
    into: dict[int, list[int]] = {}
    for start, end in picture.edges:
        into.setdefault(end, []).append(start)
    widest = max(map(len, ranks.values()), default=1)
    whole = widest * (WIDTH + GAP) - GAP
    lines = [_lines(box) for box in picture.boxes]
    middle: dict[int, float] = {}
    tops: dict[int, float] = {}
    y = 1.0
    for rank in sorted(ranks):
        row = ranks[rank]
        row.sort(key=lambda k: (sum(middle[p] for p in into[k]) / len(into[k])) if k in into else 0)
        left = (whole - len(row) * (WIDTH + GAP) + GAP) / 2
        for place, k in enumerate(row):
            middle[k], tops[k] = left + place * (WIDTH + GAP) + WIDTH / 2, y
        y += max(_height(lines[k]) for k in row) + DROP
    drawn = []
    for start, end in picture.edges:
        x1, y1 = middle[start], tops[start] + _height(lines[start])
        x2, y2 = middle[end], tops[end]
        bend = (y2 - y1) / 2
        curve = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
        drawn.append(f'<path d="{curve}"/>')
    for k, box in enumerate(picture.boxes):
        drawn.append(_box(box, lines[k], middle[k] - WIDTH / 2, tops[k], rows))
    high = max(y - DROP + 1, 1)
    size = f'width="{whole + 2:g}" height="{high:g}" viewBox="-1 0 {whole + 2:g} {high:g}"'
    return f'<svg role="img" aria-label="The network" {size}>{"".join(drawn)}</svg>'


def _height(lines: Sequence[tuple[str, str]]) -> int:
    return 2 * PAD + LINE * len(lines)


def _lines(box: Box) -> list[tuple[str, str]]:
    """Return what stands in a box, each line with its class."""
    layer = box.layer
    if layer is not None:
        shape = "" if layer.shape is None else by(layer.shape)
        out = "" if layer.out_shape is None else f" to {by(layer.out_shape)}"
        return [
            ("name", _cut(layer.name, BOLD)),
            ("", _cut(layer.op if layer.job is None else describe(layer.job.spec))),
            ("soft", _cut(f"{shape}{out}" if layer.job is not None else "no core")),
        ]
    words = [f"{op} x{n}" if n > 1 else op for op, n in box.operations.most_common()]
    lines = [""]
    for k, word in enumerate(words):
        longer = f"{lines[-1]}, {word}" if lines[-1] else word
        if len(longer) <= LETTERS:
            lines[-1] = longer
        elif len(lines) < 3:
            lines.append(_cut(word))
        else:
            lines[-1] = _cut(f"{lines[-1]} and {len(words) - k} more")
            break
    return [("soft", line) for line in lines]


def _cut(text: str, letters: int = LETTERS) -> str:
    """Return a text that fits in a line; of a name, which is set bold, the end says more."""
    if len(text) <= letters:
        return text
    return f"...{text[3 - letters :]}" if letters == BOLD else f"{text[: letters - 3]}..."


def _box(
    box: Box, lines: Sequence[tuple[str, str]], x: float, y: float, rows: dict[int, str]
) -> str:
    kind = "" if box.layer is None else "pool" if box.layer.job is not None else "none"
    size = f'x="{x:g}" y="{y:g}" width="{WIDTH}" height="{_height(lines)}"'
    drawn = f'<rect class="{kind}" {size} rx="6"/>'
    for k, (look, line) in enumerate(lines):
        at = f'x="{x + PAD + 2:g}" y="{y + PAD + LINE * (k + 0.75):g}"'
        drawn += f'<text class="{look}" {at}>{_text(line)}</text>'
    return drawn if box.layer is None else f'<a href="#{rows[id(box.layer)]}">{drawn}</a>'


def _table(made: Sequence[Made]) -> str:
    heads = ["layer", "pooling", "in", "out", "#lanes", "#cycles per frame", "#store bits"]
    placed = any(each.placement is not None for each in made)
    if placed:
        heads += ["#clock, MHz", "#frames per second", "#LUT4", "#FF", "#block RAM"]
    heads += ["files"]
    rows = []
    for k, each in enumerate(made):
        layer, job = each.layer, each.layer.job
        cells = [f"<td>{_text(layer.name)}<br><small>{_text(layer.op)}</small></td>"]
        if job is None:
            why = _text(f"no core: {layer.refusal}")
            cells.append(f"<td class=bad colspan={len(heads) - 1}>{why}</td>")
        else:
            words = f"{describe(job.spec)}, {job.spec.dtype}"
            texts = (words, by(job.shape), by(job.out_shape))
            cells += [f"<td>{_text(text)}</td>" for text in texts]
            facts = (each.about[name] for name in ("lanes", "cycles_per_frame", "store_bits"))
            cells += [f"<td class=n>{fact:,}</td>" for fact in facts]
            cells += _placement(each.placement) if placed else []
            module = each.module
            links = [f'<a href="cores/{module}.{end}">{end}</a>' for end in ("v", "json")]
            links.append(f'<a href="benches/test_{module}.py">bench</a>')
            cells.append(f"<td>{' '.join(links)}</td>")
        rows.append(f'<tr id="layer-{k}">{"".join(cells)}</tr>')
    head = "".join(
        f"<th class=n>{each[1:]}</th>" if each[0] == "#" else f"<th>{each}</th>" for each in heads
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _placement(placement: Placement | None) -> list[str]:
    """Return the cells of what was placed, or why it was not."""
    if placement is None or placement.fmax_median_mhz is None:
        why = "not placed" if placement is None else placement.reason or "not placed"
        return [f"<td class=bad colspan=5>{_text(why)}</td>"]
    numbers = (placement.lut4, placement.ff, placement.block_ram)
    return [
        f"<td class=n>{placement.fmax_median_mhz:.1f}</td>",
        f"<td class=n>{placement.frames_per_second or 0:,.1f}</td>",
        *(f"<td class=n>{number or 0:,}</td>" for number in numbers),
    ]


def _basis(made: Sequence[Made], device: Device | None) -> str:
    """Say what the numbers are."""
    exact = "Cycles per frame and store bits are exact, and the same on every device."
    if device is None:
        return f"{exact} No device was chosen, and nothing was placed."
    if any(each.placement is not None for each in made):
        return (
            f"{exact} Each core was placed by itself on {device.name} ({device.part}): clocks are"
            " nextpnr's, the median of its seeds, and cells those of the core alone."
        )
    return f"{exact} Nothing was placed on {device.name}: clocks and cells come with --place."


def _text(text: str) -> str:
    return html.escape(text)
