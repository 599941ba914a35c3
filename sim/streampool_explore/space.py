"""The designs that a layer may have: lanes and columns, and what is known of each exactly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw.fpga import silicon
from streampool_hw.fpga.devices import DEVICES

from .features import made
from .model import Cost, CostModel, Estimate, OutOfRange

MOST_VALUES = 32
"""Values of a beat up to which designs are looked at: beyond it cores are cut into slices."""

WIDER = 1.5
"""Times as many values a beat as the least from which on a core of no fewer cycles is left out."""

LUTS = {"ecp5": {"lut4": 1, "carry": 2, "lut_ram": 4}, "ice40": {"lut4": 1}}
"""LUTs that each cell takes: a carry cell of an ECP5 is two, and a LUT RAM is made of four; an
iCE40's carry stands in front of a LUT that is counted."""

THERE = {
    **{f"ecp5-{size}k": cells for size, cells in {
        25: {"luts": 24_288, "ff": 24_288, "block_ram": 56, "dsp": 28},
        45: {"luts": 43_848, "ff": 43_848, "block_ram": 108, "dsp": 72},
        85: {"luts": 83_640, "ff": 83_640, "block_ram": 208, "dsp": 156},
    }.items()},
    "ice40-hx8k": {"luts": 7_680, "ff": 7_680, "block_ram": 32, "dsp": 0},
}  # fmt: skip
"""Cells of devices, by the beginning of their names, as nextpnr counts them."""

KINDS = ("luts", "ff", "block_ram", "dsp")
"""What a device can run out of."""


@dataclass(frozen=True)
class Layer:
    """A pooling layer to find a core for."""

    name: str
    spec: PoolSpec
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Point:
    """A core that a layer may have: what it takes, and how fast it is."""

    job: PoolJob
    cycles: int
    """Of a frame, by the specification."""
    store_bits: int
    """Of its stores, by the specification."""
    cost: Cost
    needs: dict[str, Estimate]
    """By `KINDS`."""
    mhz: Estimate
    """The clock: the placer's, but not above what the silicon takes."""
    placed: bool = False

    @property
    def cells(self) -> Estimate:
        """Logic cells: LUTs or flip-flops, whichever are more. A device has as many of both."""
        return max(self.needs["luts"], self.needs["ff"], key=lambda each: each.value)


@dataclass(frozen=True)
class Space:
    """The points of a layer."""

    layer: Layer
    points: list[Point] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Why others are none, a sentence each."""


def available(device: str) -> dict[str, int]:
    """Return the cells of a device, by `KINDS`."""
    return next(cells for name, cells in THERE.items() if device.startswith(name))


def jobs_of(layer: Layer, most: int = MOST_VALUES) -> list[PoolJob]:
    """Return the jobs of a layer that are worth a look, by their beats alone.

    Lanes and columns are those that divide the channels or a row, and powers of two. What is
    `WIDER` than another job of no more cycles is left out: it only has more gates. `SpecError` says
    why there is none at all.
    """
    found = [PoolJob(layer.spec, layer.shape, 1)]  # refused where no core can do it
    for lanes in _parts(layer.shape[0], most):
        for columns in _parts(layer.shape[-1], most // lanes):
            if lanes == columns == 1:
                continue
            try:
                found.append(PoolJob(layer.spec, layer.shape, lanes, columns))
            except SpecError:  # columns that these windows cannot have
                continue
    found.sort(key=lambda job: (job.limit_cycles, job.layout_in.values))
    kept, fewest = list[PoolJob](), math.inf
    for job in found:
        if job.layout_in.values < WIDER * fewest:
            kept.append(job)
        fewest = min(fewest, job.layout_in.values)
    return kept


def _parts(length: int, most: int) -> list[int]:
    """Return the divisors of a length and the powers of two up to it, `most` at the most."""
    return [
        part
        for part in range(1, min(length, most) + 1)
        if not length % part or not part & (part - 1)
    ]


def points_of(
    model: CostModel, jobs: Sequence[PoolJob]
) -> tuple[list[Point], list[str]]:  # fmt: skip
    """Return the points of jobs, and why the others are none."""
    good, refused = [], []
    for job in jobs:
        try:
            model.check(job)
            good.append(job)
        except (OutOfRange, SpecError) as error:
            refused.append(str(error))
    costs = model.costs(good) if good else []
    return [point_of(job, model, cost) for job, cost in zip(good, costs, strict=True)], refused


def point_of(job: PoolJob, model: CostModel, cost: Cost) -> Point:
    """Return a job's point, given what it costs."""
    made_of = LUTS[model.family]
    luts = Estimate(
        *(
            sum(times * getattr(cost.cells[name], end) for name, times in made_of.items())
            for end in ("value", "low", "high")
        )
    )
    needs = {"luts": luts, **{name: cost.cells[name] for name in KINDS[1:]}}
    kinds = silicon.kinds_counted({name: each.value for name, each in cost.cells.items()})
    limit = silicon.limit_of(DEVICES[model.device], kinds)
    most = math.inf if limit is None else limit.mhz
    mhz = Estimate(*(min(most, getattr(cost.placer_mhz, end)) for end in ("value", "low", "high")))
    core = made(job, model.family)
    placed = (job, model.device) in model.known
    return Point(job, core.cycles, core.store_bits, cost, needs, mhz, placed)
