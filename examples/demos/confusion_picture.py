"""Confusion tables as a picture, for the demonstrations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pictures import INK, PAPER, WRONG
from PIL import Image, ImageDraw, ImageFont
from streampool_hw.files import replacing

CELL, NAMES, TITLE, GAP = 34, 48, 22, 16  # px
RIGHT = (0x2E, 0x86, 0xAB)


def matrix(path: Path, tables: Sequence[tuple[str, np.ndarray]], names: Sequence[str]) -> None:
    """Write confusion tables side by side as a PNG.

    Parameters
    ----------
    path : Path
        The file.
    tables : sequence of (str, ndarray)
        Title and counts, a row for each kind of what was given, a column for what it was taken for.
    names : sequence of str
        The kinds.
    """
    side = NAMES + CELL * len(names)
    size = (GAP + len(tables) * (side + GAP), TITLE + CELL * len(names) + GAP + 4)
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for number, (title, counts) in enumerate(tables):
        left = GAP + number * (side + GAP)
        draw.text((left + NAMES, TITLE / 2), title, fill=INK, font=font, anchor="lm")
        for row, name in enumerate(names):
            middle = TITLE + CELL * row + CELL / 2
            draw.text((left + NAMES - 6, middle), name, fill=INK, font=font, anchor="rm")
            below = (left + NAMES + CELL * row + CELL / 2, TITLE + CELL * len(names) + 10)
            draw.text(below, name, fill=INK, font=font, anchor="mm")
            for column, count in enumerate(counts[row].tolist()):
                x, y = left + NAMES + CELL * column, TITLE + CELL * row
                share = count / max(1, int(counts[row].sum()))
                shade = tuple(round(255 - share * (255 - c)) for c in RIGHT)
                box = (x, y, x + CELL - 2, y + CELL - 2)
                draw.rectangle(box, fill=shade, outline="#d0d4d9")
                if count:
                    colour = WRONG if row != column else PAPER if share > 0.5 else INK
                    at = (x + CELL / 2 - 1, y + CELL / 2 - 1)
                    draw.text(at, str(count), fill=colour, font=font, anchor="mm")
    with replacing(path) as part:
        sheet.save(part, format="PNG", optimize=True)
