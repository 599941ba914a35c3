"""What the core does: cycles, and the clock and area of cores that were placed.

A layer's clock is that of a job that was placed on the device with as many lanes: the layer itself,
or one that stands for it, which the row names. Nothing else is called placed.
"""

import gc
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from amaranth.hdl import UnusedElaboratable
from streampool import PoolCore
from streampool.fpga.devices import DEVICES
from streampool.fpga.table import known
from streampool_golden import Axis, Job, PoolSpec, SpecWarning, pool

from ..engines import EngineError, fast
from ..engines.model import Build, Model
from ..frames import pack
from ..simulation import STEADY_FRAMES, compare
from ..stats import frame_cycles
from .layers import Layer
from .machine import threads

__all__ = [
    "ASSUMED_MHZ",
    "Clock",
    "Figures",
    "clock_of",
    "cycles",
    "devices",
    "figures",
    "lanes_on",
    "placed_rows",
    "placements",
    "rows",
    "shares",
    "simulate_cycles",
    "unused_cores",
]

ASSUMED_MHZ = 100.0
"""The clock where none was placed, unless `--freq` gives another; marked as assumed."""

AT_ONCE = 4
"""Cores that are compiled together."""

GROWING = (
    *("TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW", "DP16KD", "MULT18X18D"),
    *("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
    *("LUT4", "ALU", "DFF", "RAM16SDP4", "BSRAM", "MULT9X9", "MULT18X18"),
)
"""Cells that a wider core takes more of, as the placers call them; not pins, nor clock trees."""

BLOCK_RAMS = ("DP16KD", "ICESTORM_RAM", "BSRAM")
"""Block RAMs, as the placers call them."""

BLOCK_BITS = {"ecp5": 18_432, "ice40": 4_096, "gowin": 18_432}
"""Bits of a block RAM by family: Lattice FPGA-TN-02204 and FPGA-TN-02002, Gowin UG285."""

LARGER = 2
"""How many times as many bits a layer's stores may have as the block RAMs of what stands for it."""


@dataclass(frozen=True)
class Clock:
    """The clock of a layer on a device.

    Parameters
    ----------
    freq_mhz : float
        The median of the placer's seeds, or what is assumed.
    source : {"placed", "assumed"}
        Which.
    placed : dict or None
        The placement, a row of `streampool.fpga.table.known`.
    same : bool
        Whether the placed job is the layer itself.
    why : str
        What the placed job has to do with the layer.
    """

    freq_mhz: float
    source: str
    placed: dict[str, Any] | None
    same: bool
    why: str


@dataclass(frozen=True)
class _Effort:
    """What a job's clock depends on, beside the lanes."""

    kind: str
    bits: int
    partials: tuple[int, ...]
    overlap: tuple[int, ...]
    accumulator: int
    divides: int
    finish: tuple[Any, ...]
    window: tuple[Any, ...]
    store_bits: int


_KINDS = {"max": ("compare",), "min": ("compare",), "sum": ("sum", "avg"), "avg": ("avg",)}
"""What may stand for an operation: an average is a sum and more."""


@cache
def placements() -> tuple[dict[str, Any], ...]:
    """Return the placements that came about, of designs as they are now."""
    return tuple(row for row in known() if row["placed"] and not row.get("stale"))


@dataclass(frozen=True)
class Figures:
    """What a core says of itself.

    Parameters
    ----------
    job : Job
        What it does.
    cycles_bound, latency, store_bits : int
        As the core's.
    effort : _Effort
        What its clock depends on.
    """

    job: Job
    cycles_bound: int
    latency: int
    store_bits: int
    effort: _Effort


@cache
def figures(spec: PoolSpec, shape: tuple[int, ...], lanes: int, family: str) -> Figures:
    """Return a core's figures; the core itself is not kept."""
    core = PoolCore(spec, shape, lanes, family=family)
    job = core.job
    kind = _KINDS.get(spec.op, (spec.op,))[0]
    pads = tuple(bool(axis.before or axis.after) for axis in job.axes)
    effort = _Effort(
        kind,
        spec.in_dtype.bits,
        tuple(sorted((plan.partials for plan in core.plans), reverse=True)),
        tuple(sorted((_overlap(plan.axis) for plan in core.plans), reverse=True)),
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


def _divides(job: Job) -> int:
    """Return 0 for no division or a shift, 1 for a divisor, 2 for one that varies."""
    if job.spec.op != "avg":
        return 0
    constant = job.divisor_constant
    if constant is None:
        return 2
    return int(abs(constant) & (abs(constant) - 1) != 0)


def _as_hard(has: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(has) >= len(wanted) and all(a >= b for a, b in zip(has, wanted, strict=False))


def _available(device: str) -> dict[str, int]:
    """Return how many cells of each kind a device has, as its placer counted them."""
    found: dict[str, int] = {}
    for row in placements():
        if row["device"] == device:
            found |= row["placer_available"]
    return {kind: number for kind, number in found.items() if kind in GROWING}


def _blocks(store_bits: int, device: str) -> int:
    """Return how many block RAMs hold so many bits, at least."""
    return -(-store_bits // BLOCK_BITS[DEVICES[device].family])


def _holds(store_bits: int, device: str) -> bool:
    """Return whether a device's block RAMs hold stores at all, were there nothing else."""
    there = [number for kind, number in _available(device).items() if kind in BLOCK_RAMS]
    return _blocks(store_bits, device) <= max(there, default=0)


def shares(row: dict[str, Any], lanes: int | None = None) -> dict[str, float]:
    """Return how much of a device's cells a core takes, by kind.

    As the placer counted them for the job that gives the row its clock, with the registers that
    it was placed between, in proportion to the lanes; of block RAMs at least what the stores take.

    Parameters
    ----------
    row : dict
        Of `rows`.
    lanes : int, optional
        Of a core of other lanes than the row's.

    Returns
    -------
    dict
        Shares of 1; empty where the row's clock is assumed.
    """
    device, wide = row["device"], (lanes or row["lanes"]) / row["lanes"]
    named = [each for each in placements() if (each["job"], each["device"])
             == (row["placed_job"], device)]  # fmt: skip
    if not named:
        return {}
    used = named[0]["placer_cells"]
    found = {}
    for kind, there in _available(device).items():
        needed = used.get(kind, 0)
        if kind in BLOCK_RAMS:
            needed = max(needed, _blocks(row["store_bits"], device))
        found[kind] = needed * wide / there
    return found


def clock_of(
    spec: PoolSpec, shape: tuple[int, ...], lanes: int, device: str, assumed_mhz: float | None
) -> Clock:
    """Return the clock that can be stated for a layer.

    In this order: the layer itself, placed; a placed job of the same operation, window and lanes on
    frames of another size; a placed job of the same operation and lanes that asks at least as
    much: as many stages or more, as many partials and windows over an input in each, as wide a
    sum, and as hard a division. What stands for a layer finishes its outputs the same way, and
    its block RAMs hold half of the layer's stores or more. Of several it is the slowest. Else
    `assumed_mhz`; without it `ASSUMED_MHZ`, or less where a core of as many lanes or more came
    out slower on the device.
    """
    family = DEVICES[device].family
    wanted = figures(spec, shape, lanes, family).effort
    if not _holds(wanted.store_bits, device):
        why = "its stores are more than all block RAM of the device"
        return Clock(assumed_mhz or ASSUMED_MHZ, "assumed", None, False, why)
    same, windows, harder, wide = [], [], [], []
    for row in placements():
        if row["device"] != device or row["lanes"] < lanes:
            continue
        wide.append(row["fmax_median_mhz"])
        if row["lanes"] > lanes:
            continue
        placed_spec, placed_shape = PoolSpec.from_json(row["spec"]), tuple(row["shape"])
        if (placed_spec, placed_shape) == (spec, shape):
            same.append(row)
            continue
        has = figures(placed_spec, placed_shape, lanes, family).effort
        if has.kind not in _KINDS.get(spec.op, (spec.op,)) or has.bits < wanted.bits:
            continue
        if has.accumulator < wanted.accumulator or has.divides < wanted.divides:
            continue
        room = max(has.store_bits, row["block_ram"] * BLOCK_BITS[family])
        if has.finish != wanted.finish or wanted.store_bits > LARGER * room:
            continue
        if has.window == wanted.window:
            windows.append(row)
        elif _as_hard(has.partials, wanted.partials) and _as_hard(has.overlap, wanted.overlap):
            harder.append(row)
    for found, why in (
        (same, "the layer itself"),
        (windows, "the same operation, window and lanes on frames of another size"),
        (harder, "the same operation and lanes, with a window that asks as much or more"),
    ):
        if found:
            row = min(found, key=lambda each: each["fmax_median_mhz"])
            return Clock(row["fmax_median_mhz"], "placed", row, row in same, why)
    if assumed_mhz is None:
        assumed_mhz = min([ASSUMED_MHZ, *wide])
    return Clock(assumed_mhz, "assumed", None, False, "nothing placed stands for it")


def devices() -> list[str]:
    """Return the devices that something was placed on, in the order of the table."""
    return list(dict.fromkeys(row["device"] for row in placements()))


def lanes_on(device: str, channels: int) -> list[int]:
    """Return the lanes that were placed on a device and that so many channels have a use for."""
    placed = sorted({row["lanes"] for row in placements() if row["device"] == device})
    return [lanes for before, lanes in zip([0, *placed], placed, strict=False) if before < channels]


def cycles(
    core: Figures, simulated: dict[tuple[PoolSpec, tuple[int, ...], int], int]
) -> tuple[int, str]:
    """Return the cycles of a frame in the steady state, and where they come from.

    Returns
    -------
    cycles : int
    source : {"simulated", "schedule", "bound"}
        Simulated, against the golden model; or the schedule's, where its lower and its upper bound
        meet (beats of a frame, in or out, and what the core's plans allow), so that a simulation
        could find nothing else; or the upper bound alone.
    """
    job = core.job
    found = simulated.get((job.spec, job.shape, job.lanes))
    if found is not None:
        return found, "simulated"
    if core.cycles_bound == job.limit_cycles:
        return job.limit_cycles, "schedule"
    return core.cycles_bound, "bound"


def simulate_cycles(layers: Iterable[tuple[Layer, int]], progress: Any = None) -> dict[Any, int]:
    """Count a frame's cycles in the fast engine, and hold the frames against the golden model.

    Parameters
    ----------
    layers : iterable of (Layer, int)
        Layers with their lanes.
    progress : callable, optional
        Told how many are done, and of how many.

    Returns
    -------
    dict
        Cycles by specification, shape and lanes.

    Raises
    ------
    CompilerMissing
        If there is no C++ compiler.
    EngineError
        If a core is wrong.
    """
    counted = {}
    wanted = list(layers)
    parts = [wanted[begin : begin + AT_ONCE] for begin in range(0, len(wanted), AT_ONCE)]
    cores = [[PoolCore(layer.spec, layer.shape, lanes) for layer, lanes in part] for part in parts]
    builds = [Build(part, optimise="-O1") for part in cores]
    if progress is not None:
        progress(0, len(wanted))
    with ThreadPoolExecutor(threads()) as compilers:
        for part, built, models in zip(
            parts, cores, compilers.map(Build.load, builds), strict=True
        ):
            for (layer, lanes), core, model in zip(part, built, models, strict=True):
                counted[layer.spec, layer.shape, lanes] = _counted(layer, core, model)
            if progress is not None:
                progress(len(counted), len(wanted))
    return counted


def _counted(layer: Layer, core: PoolCore, model: Model) -> int:
    """Run a core on frames back to back, and return the cycles that each takes."""
    job, dtype = core.job, layer.spec.in_dtype
    frame = np.random.default_rng(1).integers(
        dtype.low, dtype.high, (1, *layer.shape), dtype.numpy, endpoint=True
    )
    trace = fast.run(core, pack(job, frame), count=STEADY_FRAMES, model=model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)
        _, mismatch = compare(job, trace, pool(layer.spec, frame))
    each = set(frame_cycles(trace, job.beats_out).tolist())
    if mismatch or len(each) != 1:
        raise EngineError(f"{layer.title}: {mismatch or 'its frames take unequal cycles'}")
    return each.pop()


def rows(
    layers: Sequence[Layer],
    *,
    assumed_mhz: float | None = None,
    simulated: dict[Any, int] | None = None,
) -> list[dict[str, Any]]:
    """Return what the core does with each layer, on each device and with each number of lanes.

    Parameters
    ----------
    layers : sequence of Layer
    assumed_mhz : float, optional
        The clock where none was placed; as `clock_of` has it by default.
    simulated : dict, optional
        As `simulate_cycles` gives it.

    Returns
    -------
    list of dict
        See docs/bench.md.
    """
    with unused_cores():
        return [
            _row(layer, device, lanes, assumed_mhz, simulated or {})
            for layer in layers
            for device in devices()
            for lanes in lanes_on(device, layer.shape[0])
        ]


def _row(
    layer: Layer, device: str, lanes: int, assumed_mhz: float | None, simulated: dict[Any, int]
) -> dict[str, Any]:
    core = figures(layer.spec, layer.shape, lanes, DEVICES[device].family)
    count, source = cycles(core, simulated)
    clock = clock_of(layer.spec, layer.shape, lanes, device, assumed_mhz)
    hertz = clock.freq_mhz * 1e6
    placed = clock.placed or {}
    row = {
        "layer": layer.name,
        "device": device,
        "part": DEVICES[device].part,
        "lanes": lanes,
        "cycles": count,
        "cycles_source": source,
        "limit_cycles": core.job.limit_cycles,
        "freq_mhz": clock.freq_mhz,
        "freq_source": clock.source,
        "placed_job": placed.get("job"),
        "placed_seeds": len(placed["fmax_mhz"]) if placed else None,
        "same_job": clock.same,
        "stands_for": clock.why,
        "seconds": count / hertz,
        "frames_per_second": hertz / count,
        "latency_cycles": core.latency,
        "latency_s": core.latency / hertz,
        "store_bits": core.store_bits,
        "lut4": placed.get("lut4"),
        "ff": placed.get("ff"),
        "block_ram": placed.get("block_ram"),
        "dsp": placed.get("dsp"),
    }
    taken = shares(row)
    share = max(taken.values(), default=None)
    fits = None if share is None else share <= 1
    return row | {
        "device_share": share,
        "fits": fits if _holds(core.store_bits, device) else False,
    }


def placed_rows() -> list[dict[str, Any]]:
    """Return clock and area of the placed jobs, for plots of them against the lanes."""
    names = (
        *("job", "device", "part", "shape", "lanes", "cycles_per_frame", "fmax_mhz"),
        *("fmax_median_mhz", "lut4", "carry", "ff", "block_ram", "lut_ram", "dsp", "tools"),
    )
    found = []
    for row in placements():
        spec = PoolSpec.from_json(row["spec"])
        layer = Layer(row["job"], spec, tuple(row["shape"]))
        taken = {
            kind: used / row["placer_available"][kind]
            for kind, used in row["placer_cells"].items()
            if kind in GROWING
        }
        scarcest = max(taken, key=lambda kind: taken[kind])
        found.append(
            {name: row[name] for name in names}
            | {
                "title": layer.title,
                "op": spec.op,
                "kernel": list(spec.kernel),
                "stride": list(spec.stride),
                "device_share": taken[scarcest],
                "scarcest": scarcest,
            }
        )
    return found
