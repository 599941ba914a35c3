"""The clock that can be stated for a layer.

It is that of a job that was placed on the device with as many lanes: the layer itself, or one that
stands for it, which is named. Nothing else is called placed.
"""

import gc
import operator
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from amaranth.hdl import UnusedElaboratable
from streampool_golden import Axis, PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.fpga import silicon
from streampool_hw.fpga.devices import DEVICES
from streampool_hw.slices import slice_core

from .placed import BLOCK_BITS, holds, placements

ASSUMED_MHZ = 100.0
"""The clock where none was placed, unless `--freq` gives another; marked as assumed."""

LARGER = 2
"""How many times as many bits a layer's stores may have as the block RAMs of what stands for it."""


@dataclass(frozen=True)
class Clock:
    """The clock of a layer on a device: that of a placed job, or an assumed one."""

    freq_mhz: float
    """Not above what the silicon takes, where that is known."""
    bound_by: str | None
    """``"placer"`` or ``"silicon"``, whichever is the lower one; None where it is assumed."""
    source: str
    """``"placed"`` or ``"assumed"``."""
    placed: dict[str, Any] | None
    """The placement, a row of `table.known`."""
    same: bool
    """Whether the placed job is the layer itself."""
    why: str
    """Why the placed job stands for the layer."""


@dataclass(frozen=True)
class _Effort:
    """What a job's clock depends on, beside the lanes."""

    bits: int
    partials: tuple[int, ...]
    overlap: tuple[int, ...]
    accumulator: int
    divides: int
    finish: tuple[Any, ...]
    window: tuple[Any, ...]
    store_bits: int


_STAND_FOR = {"max": ("max", "min"), "min": ("max", "min"), "sum": ("sum", "avg")}
"""What may stand for an operation beside itself: a minimum compares too, an average also adds."""


@dataclass(frozen=True)
class Figures:
    """What a core says of itself."""

    job: PoolJob
    cycles_bound: int
    latency: int
    store_bits: int
    effort: _Effort


@cache
def figures(
    spec: PoolSpec, shape: tuple[int, ...], lanes: int, family: str, slice_columns: int = 0
) -> Figures:
    """Return a core's figures, or those of a slice of some columns; the core itself is not kept."""
    if slice_columns:
        core = asked(slice_core(PoolJob(spec, shape, lanes, slice_columns), family))
    else:
        core = asked(PoolCore(spec, shape, lanes, family=family))
    job = core.job
    pads = tuple(bool(axis.before or axis.after) for axis in job.axes)
    effort = _Effort(
        spec.in_dtype.bits,
        tuple(sorted((plan.partials for plan in core.plans), reverse=True)),
        tuple(sorted((_overlap(stage.along) for stage in core.job.stages), reverse=True)),
        job.accumulator.bits,
        _divides(job),
        (spec.indices, spec.clamp, spec.out_dtype, spec.scale, spec.zero_points),
        (spec.kernel, spec.stride, spec.dilation, pads),
        core.store_bits,
    )
    return Figures(job, core.cycles_bound, core.latency, core.store_bits, effort)


@contextmanager
def unused_cores() -> Iterator[None]:
    """Let cores go that were made only to be asked, without a warning for each part of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        yield
        gc.collect()


def _overlap(axis: Axis) -> int:
    """Return how many windows an input may be under."""
    return -(-((axis.kernel - 1) * axis.dilation + 1) // axis.stride) if axis.outputs > 1 else 1


def _divides(job: PoolJob) -> int:
    """Return 0 for no division or a shift, 1 for one divisor, 2 for several."""
    if not job.operation.mean:
        return 0
    constant = job.divisor_constant
    if constant is None:
        return 2
    return int(abs(constant) & (abs(constant) - 1) != 0)


def _as_hard(has: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(has) >= len(wanted) and all(map(operator.ge, has, wanted))


def _placed_lanes(lanes: int, device: str) -> int:
    """Return the fewest lanes, as many at least, that a core was placed with."""
    wider = [row["lanes"] for row in placements() if row["device"] == device]
    return min((each for each in wider if each >= lanes), default=lanes)


def may_stand_for(placed_spec: PoolSpec, spec: PoolSpec) -> bool:
    """Return whether a placed operation is the one that is wanted, or stands for it."""
    return placed_spec.op in _STAND_FOR.get(spec.op, (spec.op,))


def stands_for(
    placed_spec: PoolSpec, has: Figures, block_bits: int, spec: PoolSpec, wanted: Figures
) -> str | None:
    """Return how a placed core, of as many values side by side, stands for one that is wanted.

    By the same window ("windows"), or by one that asks as much or more ("harder"); None if not.
    """
    there, asked = has.effort, wanted.effort
    if not may_stand_for(placed_spec, spec) or there.bits < asked.bits:
        return None
    if there.accumulator < asked.accumulator or there.divides < asked.divides:
        return None
    stored = max(has.store_bits, block_bits)
    if there.finish != asked.finish or wanted.store_bits > LARGER * stored:
        return None
    if there.window == asked.window:
        return "windows"
    as_hard = _as_hard(there.partials, asked.partials)
    return "harder" if as_hard and _as_hard(there.overlap, asked.overlap) else None


def clock_of(
    spec: PoolSpec, shape: tuple[int, ...], lanes: int, device: str, assumed_mhz: float | None
) -> Clock:
    """Return the clock that can be stated for a layer.

    In this order: the layer itself, placed; a placed job of the same operation, window and lanes on
    frames of another size; a placed job of the same operation and lanes that asks at least as
    much: as many stages or more, as many partials and windows over an input in each, as wide a
    sum, and as hard a division. What stands for a layer finishes its outputs the same way, and
    its block RAMs hold half of the layer's stores or more. Of several it is the slowest. A placed
    job's clock is the lower one of the placer's median and of what the silicon takes. For all
    channels in parallel the next wider job stands, if none has as many lanes. Else
    `assumed_mhz`; without it `ASSUMED_MHZ`, or less where a core of as many lanes or more came
    out slower on the device.
    """
    family = DEVICES[device].family
    wanted = figures(spec, shape, lanes, family)
    room = holds(wanted.store_bits, device)
    width = _placed_lanes(lanes, device) if lanes == shape[0] else lanes
    same, windows, harder, wide = [], [], [], []
    for row in placements():
        if row["device"] != device or row["lanes"] < lanes:
            continue
        wide.append(row["clock_mhz"])
        if row["lanes"] != width or not room:
            continue
        placed_spec, placed_shape = PoolSpec.from_json(row["spec"]), tuple(row["shape"])
        if (placed_spec, placed_shape) == (spec, shape):
            same.append(row)
            continue
        has = figures(placed_spec, placed_shape, width, family)
        kind = stands_for(placed_spec, has, row["block_ram"] * BLOCK_BITS[family], spec, wanted)
        if kind is not None:
            (windows if kind == "windows" else harder).append(row)
    for found, why in (
        (same, "the layer itself"),
        (windows, "the same operation, window and lanes on frames of another size"),
        (harder, "the same operation and lanes, with a window that asks as much or more"),
    ):
        if found:
            row = min(found, key=lambda each: each["fmax_median_mhz"])  # and so its clock
            why += f", placed with {width} lanes" * (width > lanes)
            clock_mhz, bound_by = row["clock_mhz"], row["bound_by"]
            return Clock(clock_mhz, bound_by, "placed", row, row in same, why)
    if assumed_mhz is None:
        assumed_mhz = min([ASSUMED_MHZ, *wide])
    why = "nothing placed stands for it"
    if not room:
        why = "its stores are more than all block RAM of the device"
    limit = silicon.limit_of(DEVICES[device], ("clock", "ff"))  # of any core
    assumed_mhz = assumed_mhz if limit is None else min(assumed_mhz, limit.mhz)
    return Clock(assumed_mhz, None, "assumed", None, False, why)
