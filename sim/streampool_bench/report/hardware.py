"""What the core does: cycles, counted, and the time that they take at a clock."""

import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from streampool_golden import PoolSpec, SpecWarning, pool
from streampool_hw import PoolCore
from streampool_hw.fpga.devices import DEVICES
from streampool_sim.engines import EngineError, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack
from streampool_sim.simulation import STEADY_FRAMES, compare
from streampool_sim.stats import frame_cycles

from ..fpga import placed
from ..fpga.clocks import Figures, clock_of, figures, unused_cores
from ..software.machine import threads
from .layers import Layer

AT_ONCE = 4
"""Cores that are compiled together."""


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
    """Count a frame's cycles in the fast engine, and check the frames against the golden model.

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
            for device in placed.devices()
            for lanes in placed.lanes_on(device, layer.shape[0])
        ]


def has_room(layers: Sequence[Layer], device: str) -> bool:
    """Return whether a device's block RAMs hold the stores of any layer's core."""
    family = DEVICES[device].family
    with unused_cores():
        return any(
            placed.holds(figures(layer.spec, layer.shape, lanes, family).store_bits, device)
            for layer in layers
            for lanes in placed.lanes_on(device, layer.shape[0])
        )


def _row(
    layer: Layer, device: str, lanes: int, assumed_mhz: float | None, simulated: dict[Any, int]
) -> dict[str, Any]:
    core = figures(layer.spec, layer.shape, lanes, DEVICES[device].family)
    count, source = cycles(core, simulated)
    clock = clock_of(layer.spec, layer.shape, lanes, device, assumed_mhz)
    hertz = clock.freq_mhz * 1e6
    stands = clock.placed or {}
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
        "placed_job": stands.get("job"),
        "placed_seeds": len(stands["fmax_mhz"]) if stands else None,
        "same_job": clock.same,
        "stands_for": clock.why,
        "seconds": count / hertz,
        "frames_per_second": hertz / count,
        "latency_cycles": core.latency,
        "latency_s": core.latency / hertz,
        "store_bits": core.store_bits,
        "lut4": stands.get("lut4"),
        "ff": stands.get("ff"),
        "block_ram": stands.get("block_ram"),
        "dsp": stands.get("dsp"),
    }
    taken = placed.shares(row)
    share = max(taken.values(), default=None)
    fits = None if share is None else share <= 1
    return row | {
        "device_share": share,
        "fits": fits if placed.holds(core.store_bits, device) else False,
    }


def placements() -> list[dict[str, Any]]:
    """Return clock and area of the placed jobs, for plots of them against the lanes."""
    names = (
        *("job", "device", "part", "shape", "lanes", "cycles_per_frame", "fmax_mhz"),
        *("fmax_median_mhz", "lut4", "carry", "ff", "block_ram", "lut_ram", "dsp", "tools"),
    )
    found = []
    for row in placed.placements():
        spec = PoolSpec.from_json(row["spec"])
        layer = Layer(row["job"], spec, tuple(row["shape"]))
        taken = {
            kind: used / row["placer_available"][kind]
            for kind, used in row["placer_cells"].items()
            if kind in placed.GROWING
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
