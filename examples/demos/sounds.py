"""Sounds that are made here, six kinds of them, the same each time."""

from collections.abc import Callable

import numpy as np

RATE, STEPS = 4000, 2048  # Hz; half a second
Sound = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def tone(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """A steady note with two overtones."""
    pitch = numbers.uniform(150, 500)
    return sum((np.sin(2 * np.pi * pitch * k * t) / k for k in (1, 2, 3)), np.zeros_like(t))


def sweep(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """A pitch that rises."""
    low, speed = numbers.uniform(100, 400), numbers.uniform(1200, 2400)
    return np.sin(2 * np.pi * (low * t + speed * t * t / 2))


def bell(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """Partials that are no overtones, and die away."""
    pitch, fade = numbers.uniform(250, 450), numbers.uniform(6, 12)
    partials = (1, 2.76, 4.2)
    waves = [np.sin(2 * np.pi * pitch * k * t) * np.exp(-fade * k * t) for k in partials]
    return np.sum(waves, axis=0)


def drum(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """Noise that dies away, again and again."""
    beat = numbers.uniform(0.1, 0.2)
    return numbers.normal(size=len(t)) * np.exp(-numbers.uniform(25, 50) * (t % beat))


def hiss(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """Noise that comes and goes slowly."""
    slow = 1 + 0.5 * np.sin(2 * np.pi * numbers.uniform(2, 5) * t)
    return numbers.normal(size=len(t)) * slow / 2


def clicks(t: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """Single steps at a regular distance."""
    every = int(numbers.uniform(60, 200))
    found = np.zeros(len(t))
    found[int(numbers.integers(every)) :: every] = 3
    return found


KINDS: dict[str, Sound] = {each.__name__: each for each in (tone, sweep, bell, drum, hiss, clicks)}


def recorded(each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return some of each kind, of any loudness and over noise: sounds x steps x 1, and kinds."""
    numbers, t = np.random.default_rng(seed), np.arange(STEPS) / RATE
    sounds, kinds = [], []
    for kind, make in enumerate(KINDS.values()):
        for _ in range(each):
            sound = numbers.uniform(0.2, 1) * make(t, numbers)
            sounds.append(sound + numbers.normal(scale=0.08, size=STEPS))
            kinds.append(kind)
    return np.array(sounds, np.float32)[..., np.newaxis], np.array(kinds)
