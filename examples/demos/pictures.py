"""Grids of small pictures with a label below each, for the demonstrations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from streampool_hw.files import replacing

INK, PAPER, WRONG = "#1f2933", "#ffffff", "#c0392b"
GAP, LINE = 6, 14  # px


def grid(
    path: Path,
    images: Sequence[np.ndarray],
    labels: Sequence[str],
    wrong: Sequence[bool],
    columns: int,
    side: int = 40,
) -> None:
    """Write a grid of grey pictures as a PNG.

    Parameters
    ----------
    path : Path
        The file.
    images : sequence of ndarray
        Of rows x columns, from 0 to 1.
    labels : sequence of str
        What stands below each.
    wrong : sequence of bool
        Whose label is red.
    columns : int
        Pictures side by side.
    side : int, optional
        Of a picture, in pixels.
    """
    rows = -(-len(images) // columns)
    size = (GAP + columns * (side + GAP), GAP + rows * (side + LINE + GAP))
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for number, (image, label, bad) in enumerate(zip(images, labels, wrong, strict=True)):
        left = GAP + number % columns * (side + GAP)
        top = GAP + number // columns * (side + LINE + GAP)
        grey = np.clip(255 - np.rint(np.asarray(image) * 255), 0, 255).astype(np.uint8)
        sheet.paste(
            Image.fromarray(grey).resize((side, side), Image.Resampling.NEAREST), (left, top)
        )
        draw.rectangle((left - 1, top - 1, left + side, top + side), outline="#d0d4d9")
        at = (left + side / 2, top + side + LINE / 2 + 1)
        draw.text(at, label, fill=WRONG if bad else INK, font=font, anchor="mm")
    with replacing(path) as part:
        sheet.quantize(32, Image.Quantize.MAXCOVERAGE).save(part, format="PNG", optimize=True)
