"""Pictures with labels below them or boxes on them, for the demonstrations."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from streampool_hw.files import replacing

INK, PAPER, WRONG = "#1f2933", "#ffffff", "#c0392b"
BOX = "#e11d48"
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


def boxed(
    path: Path,
    titles: Sequence[str],
    rows: Sequence[Sequence[tuple[np.ndarray, Iterable[Any], Iterable[Any]]]],
    width: int = 340,
) -> None:
    """Write pictures with boxes and points on them as a PNG.

    Parameters
    ----------
    path : Path
        The file.
    titles : sequence of str
        What stands above each column.
    rows : sequence of sequence
        Of pictures side by side: each of rows x columns x 3, of uint8, with its boxes (left, top,
        right, bottom) and its points (x, y), in its pixels.
    width : int, optional
        Of a picture as it is shown, in pixels.
    """
    heights = [round(row[0][0].shape[0] * width / row[0][0].shape[1]) for row in rows]
    size = (GAP + len(titles) * (width + GAP), GAP + 2 * LINE + sum(heights) + GAP * len(rows))
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for column, title in enumerate(titles):
        left, top = GAP + column * (width + GAP), GAP + 2 * LINE
        draw.text((left + width / 2, GAP + LINE), title, fill=INK, font=font, anchor="mm")
        for row, height in zip(rows, heights, strict=True):
            image, boxes, points = row[column]
            scale = width / image.shape[1]
            shown = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
            on = ImageDraw.Draw(shown)
            for box in boxes:
                on.rectangle([side * scale for side in box], outline=BOX)
            for x, y in points:
                on.circle((x * scale, y * scale), 2, fill=BOX)
            sheet.paste(shown, (left, top))
            top += height + GAP
    with replacing(path) as part:
        sheet.quantize(96).save(part, format="PNG", optimize=True)
