"""Draw the figures of README.md and docs/: ``python docs/figures.py``.

Everything is drawn from the code: the schedules from `AxisPlan`, the pictures from the golden
model, which the core equals bit for bit. The plot of throughput is drawn from a measurement,
`BENCH`; it needs the extra ``report``, and stays as it is without.
"""

import json
import sys
import warnings
from pathlib import Path

import blocks
import numpy as np
from PIL import Image
from shift import photograph
from streampool_bench.report.layers import QUICK
from streampool_golden import Axis, PoolSpec, SpecWarning, pool, pool_with_indices, unpool
from streampool_hw.schedule.plan import AxisPlan

IMAGES = blocks.ROOT / "docs" / "images"

SCHEDULES: dict[str, Axis] = {
    "schedule-stride-2.svg": Axis.resolve(8, 3, 2, (1, 1)),
    "schedule-drain.svg": Axis.resolve(8, 5, 1, (2, 2)),
}
"""The schedules that are drawn, by their files."""

BENCH = blocks.ROOT / "docs" / "bench.json"
"""The measurement that results.md and bench.md state."""

THROUGHPUT = "bench-throughput.svg"

DEMOS = {
    "demo-classify.png": "classify/digits.png",
    "demo-detect.png": "detect/boxes.png",
    "demo-int8.png": "int8/digits.png",
    "demo-sound.png": "sound/confusion.png",
}
"""Pictures that demonstrations leave in ``build/demos``, and are taken from there if they did."""

EXPLORED = "explore-front.svg"
FRONT = "build/explore/yolov3_tiny-ecp5-25k-6.json"
"""The front that is drawn, which stays as it is where nothing was explored."""

BLOCK = 8
"""Side of a window of the pictures that show what max, average and min keep."""

UNPOOLED = 4
"""Side of a window of the picture that shows what MaxUnpool brings back."""

CELL, ROW, LEFT, TOP = 46, 26, 150, 74  # px
INK, PALE = "#1f2933", "#8a94a0"
COLOURS = ("#2f6f9f", "#b5651d")  # this frame, and the one after


def schedule_svg(axis: Axis) -> str:
    """Draw the plan of an axis over a frame and the start of the next one.

    Parameters
    ----------
    axis : Axis
        A short one.

    Returns
    -------
    str
        An SVG: a column per slot and a row per window, with a bar while its partial lives, a dot
        per tap and an arrow where it leaves; below, the partials that the store keeps.
    """
    plan = AxisPlan(axis)
    period, last = plan.period, plan.leave[-1]
    slots = max(period + 3, last + 2)
    bars = [
        (frame, i, frame * period + axis.taps(i)[0], frame * period + leave)
        for frame in (0, 1)
        for i, leave in enumerate(plan.leave)
        if frame * period + axis.taps(i)[0] < slots
    ]
    width, height = LEFT + slots * CELL + 20, TOP + (len(bars) + 2) * ROW + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(
            16,
            22,
            f"N = {axis.length}, K = {axis.kernel}, S = {axis.stride},"
            f" padding {axis.before}:{axis.after}: {axis.outputs} windows,"
            f" period {period}, {plan.partials} partial{'s'[: plan.partials > 1]} kept",
            INK,
            weight="bold",
        ),
        _text(16, 46, "slot", PALE),
        _text(16, 64, "input", INK),
    ]
    for slot in range(slots):
        x = LEFT + slot * CELL + CELL / 2
        frame, position = divmod(slot, period)
        parts.append(_text(x, 46, str(slot), PALE, "middle"))
        if position < axis.length and frame < 2:
            parts.append(_text(x, 64, f"x{position}{chr(39) * frame}", COLOURS[frame], "middle"))
        parts.append(_line(LEFT + slot * CELL, TOP, LEFT + slot * CELL, height - 16, "#e3e7eb"))
    border = LEFT + period * CELL
    parts.append(_line(border, 34, border, height - 16, INK, ' stroke-dasharray="4 3"'))
    for number, (frame, i, first, leave) in enumerate(bars):
        y = TOP + number * ROW + ROW / 2
        begin, end = LEFT + first * CELL, LEFT + min(leave + 1, slots) * CELL
        colour = COLOURS[frame]
        parts.append(_text(16, y + 4, f"window {i}{chr(39) * frame}", colour))
        parts.append(
            f'<rect x="{begin + 4:g}" y="{y - 8:g}" width="{end - begin - 8:g}" height="16" rx="8"'
            f' fill="{colour}" fill-opacity="0.2"/>'
        )
        for tap in axis.taps(i):
            x = LEFT + (frame * period + tap) * CELL + CELL / 2
            if frame * period + tap < slots:
                parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{colour}"/>')
        if leave < slots:
            parts.append(f'<path d="M{end - 15:g} {y - 5:g} l8 5 l-8 5 z" fill="{colour}"/>')
    y = TOP + (len(bars) + 1) * ROW + 4
    parts.append(_text(16, y, "kept after the slot", INK))
    for slot in range(slots):
        kept = sum(first <= slot < leave for _, _, first, leave in bars)
        parts.append(_text(LEFT + slot * CELL + CELL / 2, y, str(kept), INK, "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", weight="normal"):
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{text}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<path d="M{x1:g} {y1:g} L{x2:g} {y2:g}" stroke="{colour}"{more}/>'


def pictures() -> dict[str, np.ndarray]:
    """Return the pictures by their files: uint8, (rows, columns, 3)."""
    before = photograph()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)  # of rows that no window reads
        after = pool(PoolSpec("max", 3, 2, 1, dtype="uint8"), before)
        kept = {
            op: pool(PoolSpec(op, BLOCK, dtype="uint8"), before) for op in ("max", "avg", "min")
        }
        values, indices = pool_with_indices(
            PoolSpec("max", UNPOOLED, dtype="uint8", indices="plane"), before
        )
    back = unpool(values, indices, before.shape[1:])
    return {
        "chelsea-max.png": np.moveaxis(after, 0, -1),
        "chelsea-8x8.png": _sheet([before, *(_spread(x, BLOCK) for x in kept.values())], across=2),
        "chelsea-unpool.png": _sheet([before, _spread(values, UNPOOLED), back], across=3),
    }


def _spread(x: np.ndarray, side: int) -> np.ndarray:
    """Return a pooled picture with each value drawn over its whole window."""
    return x.repeat(side, axis=1).repeat(side, axis=2)


def _sheet(panels: list[np.ndarray], across: int) -> np.ndarray:
    """Return pictures side by side, cut to the smallest: uint8, (rows, columns, 3)."""
    rows, columns = (min(panel.shape[axis] for panel in panels) for axis in (1, 2))
    gap, down = 8, -(-len(panels) // across)
    size = (3, down * (rows + gap) - gap, across * (columns + gap) - gap)
    sheet = np.full(size, 255, np.uint8)
    for number, panel in enumerate(panels):
        top, left = (
            n * (length + gap)
            for n, length in zip(divmod(number, across), (rows, columns), strict=True)
        )
        sheet[:, top : top + rows, left : left + columns] = panel[:, :rows, :columns]
    return np.moveaxis(sheet, 0, -1)


def throughput_svg() -> str | None:
    """Return the plot of `BENCH`, layers of the quick set; None with nothing to plot with."""
    try:
        from streampool_bench import page
    except ImportError as error:
        print(f"without {error.name} {THROUGHPUT} stays as it is", file=sys.stderr)
        return None
    results = json.loads(BENCH.read_text("utf-8"))
    for name in ("layers", "software", "hardware", "comparison"):
        results[name] = [row for row in results[name] if row["layer"] in QUICK]
    return page.plot(results)


def _write(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
        print(path.relative_to(blocks.ROOT))


def main() -> int:
    """Draw all figures."""
    IMAGES.mkdir(exist_ok=True)
    for name, axis in SCHEDULES.items():
        _write(IMAGES / name, schedule_svg(axis).encode())
    for name, picture in pictures().items():
        path = IMAGES / name
        # another Pillow packs the same pixels otherwise, which is no change
        if path.exists() and np.array_equal(read_picture(path), picture):
            continue
        Image.fromarray(picture).save(path, optimize=True)
        print(path.relative_to(blocks.ROOT))
    plot = throughput_svg()
    if plot is not None:
        _write(IMAGES / THROUGHPUT, plot.encode())
    if (path := blocks.ROOT / FRONT).is_file():
        from streampool_explore.page import front_plot

        _write(IMAGES / EXPLORED, front_plot(json.loads(path.read_text("utf-8"))).encode())
    for name, made in DEMOS.items():
        if (path := blocks.ROOT / "build" / "demos" / made).is_file():
            _write(IMAGES / name, path.read_bytes())
    return 0


def read_picture(path: Path) -> np.ndarray:
    """Return a picture's pixels: uint8, (rows, columns, 3)."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


if __name__ == "__main__":
    sys.exit(main())
