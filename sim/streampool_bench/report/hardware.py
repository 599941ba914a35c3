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

from ..fpga import placed, wide
from ..fpga.clocks import Clock, Figures, clock_of, figures, unused_cores
from ..software.machine import threads
from .layers import Layer

AT_ONCE = 4
"""Cores that are compiled together."""


def cycles(
    core: Figures, simulated: dict[tuple[PoolSpec, tuple[int, ...], int], int]
) -> tuple[int, str]:
    """Return the cycles per frame in the steady state, and where they come from.

    ``"simulated"``; or the ``"schedule"``, where its lower and upper bounds meet, so that a
    simulation could find nothing else; or the upper ``"bound"`` alone.
    """
    job = core.job
    found = simulated.get((job.spec, job.shape, job.lanes))
    if found is not None:
        return found, "simulated"
    if core.cycles_bound == job.limit_cycles:
        return job.limit_cycles, "schedule"
    return core.cycles_bound, "bound"


def simulate_cycles(layers: Iterable[tuple[Layer, int]], progress: Any = None) -> dict[Any, int]:
    """Count the cycles per frame of layers, each with its lanes, in the fast engine.

    The frames are checked against the golden model. Returns cycles by specification, shape and
    lanes; raises `CompilerMissing` without a C++ compiler, and `EngineError` if a core is wrong.
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

    `assumed_mhz` is as `clock_of` takes it, and `simulated` as `simulate_cycles` gives it.
    """
    found = []
    with unused_cores():
        for layer in layers:
            for device in placed.devices():
                found += [
                    _whole(layer, device, lanes, assumed_mhz, simulated or {})
                    for lanes in placed.lanes_on(device, layer.shape[0])
                ]
                found += [
                    _row(layer, device, each.figures, cycles(each.figures, {}), each.clock)
                    | {"columns": each.job.columns, "slices": each.slices}
                    for each in wide.cores_of(layer.spec, layer.shape, device)
                ]
    return found


def has_room(layers: Sequence[Layer], device: str) -> bool:
    """Return whether a device's block RAMs hold the stores of any layer's core."""
    family = DEVICES[device].family
    with unused_cores():
        return any(
            placed.holds(figures(layer.spec, layer.shape, lanes, family).store_bits, device)
            for layer in layers
            for lanes in placed.lanes_on(device, layer.shape[0])
        )


def _whole(
    layer: Layer, device: str, lanes: int, assumed_mhz: float | None, simulated: dict[Any, int]
) -> dict[str, Any]:
    """Return the row of a core that is not cut into slices."""
    core = figures(layer.spec, layer.shape, lanes, DEVICES[device].family)
    clock = clock_of(layer.spec, layer.shape, lanes, device, assumed_mhz)
    return _row(layer, device, core, cycles(core, simulated), clock)


def _row(
    layer: Layer, device: str, core: Figures, counted: tuple[int, str], clock: Clock
) -> dict[str, Any]:
    (count, source), lanes = counted, core.job.lanes
    hertz = clock.freq_mhz * 1e6
    stands = clock.placed or {}
    row = {
        "layer": layer.name,
        "device": device,
        "part": DEVICES[device].part,
        "lanes": lanes,
        "columns": 1,
        "slices": 1,
        "cycles": count,
        "cycles_source": source,
        "limit_cycles": core.job.limit_cycles,
        "freq_mhz": clock.freq_mhz,
        "freq_source": clock.source,
        "freq_bound": clock.bound_by,
        "placed_job": stands.get("job"),
        "placed_seeds": len(stands["fmax_mhz"]) if stands else None,
        "same_job": clock.same,
        "stands_for": clock.why,
        "seconds": count / hertz,
        "frames_per_second": hertz / count,
        "latency_cycles": core.latency,
        "latency_s": core.latency / hertz,
        "store_bits": core.store_bits,
        **{cells: stands.get(cells) for cells in ("lut4", "ff", "block_ram", "dsp")},
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
        *("fmax_median_mhz", "silicon_mhz", "silicon_cell", "clock_mhz", "bound_by"),
        *("values_per_second", "lut4", "carry", "ff", "block_ram", "lut_ram", "dsp", "tools"),
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
