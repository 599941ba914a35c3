"""Designs of a network that no other one beats: fewer cells, or more frames per second.

A design is a point of each layer. All its cores run side by side at one clock, the lowest of
theirs, and each takes a layer's frames as they come; so a frame takes as many cycles as the slowest
of them. Of cells they take the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CLOCKS = 24
"""Clocks that are looked at, at most."""


@dataclass(frozen=True)
class Figures:
    """Figures of a layer's points, an array each."""

    cells: np.ndarray
    needs: np.ndarray
    """Of each point in a row: by `space.KINDS`."""
    cycles: np.ndarray
    mhz: np.ndarray


@dataclass(frozen=True)
class Design:
    """A point of each layer, by number."""

    chosen: tuple[int, ...]
    cells: float
    fps: float
    mhz: float
    cycles: int


def front_of(layers: Sequence[Figures], limits: np.ndarray, mhz: float | None) -> list[Design]:
    """Return the designs that fit and that no other one beats, the smallest first.

    `limits` are the cells that there are, by `space.KINDS`. With `mhz` all run at that clock, and
    points that do not reach it are none.
    """
    found: dict[tuple[int, ...], Design] = {}
    steps = np.unique(np.concatenate([each.cycles for each in layers]))
    for clock in _clocks(layers, mhz):
        picked = np.stack([_smallest(each, clock, steps) for each in layers], 1)
        for row in picked[(picked >= 0).all(1)]:
            chosen = tuple(int(k) for k in row)
            if chosen not in found and (design := _design(layers, chosen, limits, mhz)):
                found[chosen] = design
    best: list[Design] = []
    for design in sorted(found.values(), key=lambda each: (each.cells, -each.fps)):
        if not best or design.fps > best[-1].fps:
            best.append(design)
    return best


def _clocks(layers: Sequence[Figures], mhz: float | None) -> np.ndarray:
    """Return clocks that the points may have to reach, the lowest first."""
    if mhz is not None:
        return np.array([mhz])
    most = min(each.mhz.max() for each in layers)
    found = np.unique(np.concatenate([each.mhz for each in layers]).clip(max=most))
    if len(found) > CLOCKS:
        found = found[np.linspace(0, len(found) - 1, CLOCKS).round().astype(int)]
    return found


def _smallest(layer: Figures, clock: float, steps: np.ndarray) -> np.ndarray:
    """Return for each most of cycles the smallest point that keeps to it and the clock, or -1."""
    allowed = layer.mhz >= clock - 1e-9
    order = np.argsort(layer.cells, kind="stable")
    order = order[allowed[order]]
    found = np.full(len(steps), -1)
    for k in order[::-1]:  # the smallest last
        found[steps >= layer.cycles[k]] = k
    return found


def _design(
    layers: Sequence[Figures], chosen: tuple[int, ...], limits: np.ndarray, mhz: float | None
) -> Design | None:
    """Return a design with its figures; None where it does not fit."""
    needs = sum(layer.needs[k] for layer, k in zip(layers, chosen, strict=True))
    return None if (needs > limits).any() else together(layers, chosen, mhz)


def together(
    layers: Sequence[Figures], chosen: tuple[int, ...], mhz: float | None = None
) -> Design:
    """Return the design of a point of each layer, with its figures."""
    pairs = [*zip(layers, chosen, strict=True)]
    clock = mhz or min(float(layer.mhz[k]) for layer, k in pairs)
    cycles = max(int(layer.cycles[k]) for layer, k in pairs)
    cells = float(sum(layer.cells[k] for layer, k in pairs))
    return Design(chosen, cells, clock * 1e6 / cycles, clock, cycles)


def choice(front: Sequence[Design], fps: float | None) -> Design | None:
    """Return the smallest design that holds a frame rate, or the fastest one."""
    if fps is None:
        return front[-1] if front else None
    return next((design for design in front if design.fps >= fps), None)
