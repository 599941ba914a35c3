"""What pooling gives and loses, measured on the photograph that comes with streampool."""

from functools import cache
from importlib import resources

import blocks
import numpy as np
from PIL import Image
from streampool_golden import PoolJob, PoolSpec, pool

POOLINGS: dict[str, PoolSpec | None] = {
    "none": None,
    "every 2nd pixel of every 2nd row, no pooling": PoolSpec("max", 1, 2, dtype="uint8"),
    "max 2x2 / 2": PoolSpec("max", 2, dtype="uint8"),
    "avg 2x2 / 2": PoolSpec("avg", 2, dtype="uint8"),
    "every 4th pixel of every 4th row, no pooling": PoolSpec("max", 1, 4, dtype="uint8"),
    "max 4x4 / 4": PoolSpec("max", 4, dtype="uint8"),
    "avg 4x4 / 4": PoolSpec("avg", 4, dtype="uint8"),
    "every 8th pixel of every 8th row, no pooling": PoolSpec("max", 1, 8, dtype="uint8"),
    "max 8x8 / 8": PoolSpec("max", 8, dtype="uint8"),
    "avg 8x8 / 8": PoolSpec("avg", 8, dtype="uint8"),
}


@cache
def photograph() -> np.ndarray:
    """Return the photograph: uint8, (channels, rows, columns)."""
    with (
        (resources.files("streampool_sim") / "data" / "chelsea.png").open("rb") as file,
        Image.open(file) as picture,
    ):
        return np.moveaxis(np.asarray(picture), -1, 0)


def pooled(spec: PoolSpec | None, x: np.ndarray) -> np.ndarray:
    """Return `x` pooled without a word about what nobody reads; as it is, without `spec`."""
    if spec is None:
        return x
    if max(spec.kernel) == 1:  # taking every S-th pixel is no pooling
        return x[..., :: spec.stride[0], :: spec.stride[1]]
    return pool(spec, x)


def table() -> str:
    """Return how much changes when the picture moves by one pixel to the right."""
    # a multiple of every stride, with a column left for the shift
    rows, columns = (
        length // 8 * 8 for length in (photograph().shape[1], photograph().shape[2] - 1)
    )
    here = photograph()[:, :rows, 1 : columns + 1]
    moved = photograph()[:, :rows, :columns]
    lines = []
    for name, spec in POOLINGS.items():
        one, other = (pooled(spec, x).astype(int) for x in (here, moved))
        again = one
        if spec is not None:
            again = one.repeat(spec.stride[0], axis=-2).repeat(spec.stride[1], axis=-1)
        lines.append(
            [
                name,
                f"{one.size:,}",
                f"{(one == other).mean():.1%}",
                f"{abs(one - other).mean():.2f}",
                f"{abs(again - here.astype(int)).mean():.2f}",
            ]
        )
    return blocks.table(
        "pooling | > values left | > unchanged by the shift | > mean change | > mean error", lines
    )


def values_table() -> str:
    """Return what a layer behind a pooling has to do, with and without it."""
    lines = []
    for name, spec, shape in (
        ("ResNet-50: max 3x3 / 2, pad 1", PoolSpec("max", 3, 2, 1), (64, 112, 112)),
        ("VGG-16: max 2x2 / 2", PoolSpec("max", 2), (128, 112, 112)),
        ("YOLOv8n SPPF: max 5x5 / 1, pad 2", PoolSpec("max", 5, 1, 2), (128, 20, 20)),
        ("ResNet-50: global avg 7x7", PoolSpec("avg", 7), (2048, 7, 7)),
    ):
        out = PoolJob(spec, shape).out_shape
        into, left = int(np.prod(shape)), int(np.prod(out))
        lines.append(
            [
                name,
                " x ".join(map(str, shape)),
                " x ".join(map(str, out)),
                f"{into:,}",
                f"{left:,}",
                f"{into / left:g}",
            ]
        )
    return blocks.table(
        "pooling | in | out | > values in | > values out | > fewer, by a factor", lines
    )
