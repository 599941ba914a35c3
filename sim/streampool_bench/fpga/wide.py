"""Layers in cores of slices: how they are cut, and the clock of what stands for each.

A placed core of slices stands for a layer whose core has no more slices, each of no more values a
beat, as columns and lanes of any share, and asks no more of a slice, as `clocks` compares cores.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.slices import slice_job
from streampool_hw.fpga.devices import DEVICES

from . import clocks, placed
from .clocks import Clock, Figures
from .jobs import WIDE_JOBS

_WHY = {
    "windows": "the same operation and window, in no fewer slices and values",
    "harder": "the same operation with a window that asks no less, in no fewer slices and values",
}


@dataclass(frozen=True)
class Sliced:
    """A layer's core of slices, and its clock."""

    job: PoolJob
    slices: int
    figures: Figures
    """Those of all slices together."""
    clock: Clock


@cache
def cores_of(spec: PoolSpec, shape: tuple[int, ...], device: str) -> tuple[Sliced, ...]:
    """Return the fastest core of a layer that any placed core of slices stands for; else none."""
    rows = (_core_of(spec, shape, row) for row in placed.wide() if row["device"] == device)
    found = [each for each in rows if each is not None]
    found.sort(key=lambda each: each.job.limit_cycles / each.clock.freq_mhz)
    return tuple(found[:1])


def _core_of(spec: PoolSpec, shape: tuple[int, ...], row: dict[str, Any]) -> Sliced | None:
    """Return the fastest core of a layer that a placed one stands for, if any."""
    placed_job, slices = WIDE_JOBS[row["job"]].job, row["slices"]
    if not clocks.may_stand_for(placed_job.spec, spec):
        return None
    family = DEVICES[row["device"]].family
    values = placed_job.layout_in.values // slices
    has = _slice_figures(placed_job, slices, family)
    block_bits = row["block_ram"] // slices * placed.BLOCK_BITS[family]
    for job, cut in _cuts(spec, shape, values, slices):
        one = _slice_figures(job, cut, family)
        how = clocks.stands_for(placed_job.spec, has, block_bits, spec, one)
        if how is None:
            continue
        same = job == placed_job
        why = "the layer itself" if same else _WHY[how]
        clock = Clock(row["clock_mhz"], row["bound_by"], "placed", row, same, why)
        whole = replace(one, job=job, store_bits=one.store_bits * cut)
        return Sliced(job, cut, whole, clock)
    return None


def _slice_figures(job: PoolJob, slices: int, family: str) -> Figures:
    each = slice_job(job, slices)
    return clocks.figures(job.spec, each.shape, each.lanes, family, each.columns)


def _cuts(
    spec: PoolSpec, shape: tuple[int, ...], values: int, slices: int
) -> Iterator[tuple[PoolJob, int]]:
    """Yield a layer's jobs of so many slices and values in each at most, the fastest first."""
    found = []
    for lanes in range(1, min(values, shape[0]) + 1):
        columns = min(values // lanes, shape[-1])
        cut = min(slices, -(-shape[0] // lanes))
        try:
            job = PoolJob(spec, shape, lanes * cut, columns)
        except SpecError:  # windows of two lengths
            continue
        if columns > 1 and job.lanes <= shape[0]:
            found.append((job.limit_cycles, lanes, job, cut))
    for _, _, job, cut in sorted(found, key=lambda each: each[:2]):
        yield job, cut
