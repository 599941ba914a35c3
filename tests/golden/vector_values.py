"""Random values of recorded vectors."""

import random

import numpy as np


def values(draw: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of random values; small ones, so that halves are frequent, or any."""
    info = np.iinfo(dtype)
    low, high = info.min, info.max
    if draw.random() < 0.5:
        low, high = max(low, -9), 9
    flat = [draw.randint(low, high) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=dtype).reshape(shape)


def floats(draw: random.Random, shape: tuple[int, ...], tiny: float) -> np.ndarray:
    """Return an array of float32 with what is special among its values, or of nothing else."""
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, tiny / 2, -tiny / 2]
    few = draw.choice([special, [np.nan, -np.inf], [0.0, -0.0, -1.0], [np.nan, 1.0, -2.0, 0.5]])
    some = draw.random()
    flat = [
        draw.choice(few) if draw.random() < some else draw.gauss(0, 3)
        for _ in range(int(np.prod(shape)))
    ]
    return np.array(flat, dtype=np.float32).reshape(shape)


def ties(draw: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array with many equal values, its dtype's lowest often among them."""
    info = np.iinfo(dtype)
    some = draw.choice([[info.min], [info.min, info.min + 1], [info.min, 0, info.max], [1, 2, 3]])
    flat = [draw.choice(some) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=dtype).reshape(shape)
