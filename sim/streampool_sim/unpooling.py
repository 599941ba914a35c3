"""Pooled values and their indices through a simulated MaxUnpool core."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streampool import UnpoolCore
from streampool_golden import LAYOUTS, DType, SpecError, UnpoolJob, __version__, unpool

from .engines import Progress, Trace
from .frames import pack, pack_indices
from .simulation import (
    STEADY_FRAMES,
    EngineWarning,
    Result,
    check_run,
    compare,
    run_core,
)
from .stats import frame_cycles, plain

__all__ = ["simulate_unpool"]


def simulate_unpool(
    values: Any,
    indices: Any,
    size: Sequence[int],
    *,
    layout: str | None = None,
    lanes: int | None = None,
    frames: int = 2,
    engine: str = "auto",
    stall: float = 0.0,
    seed: int = 0,
    vcd: Path | str | None = None,
    repeat: int | None = None,
    freq_mhz: float = 100.0,
    progress: Progress | None = None,
) -> Result:
    """Unpool arrays through the core, cycle by cycle, and hold it against the golden model.

    Parameters
    ----------
    values, indices, size, layout
        As `streampool_golden.unpool` takes them, indices as torch numbers them.
    frames : {2, 1}
        Frames that the core keeps.
    lanes, engine, stall, seed, vcd, repeat, freq_mhz, progress
        As `simulate` takes them.

    Returns
    -------
    Result
        Its ``stats`` are those of `simulate` without what belongs to stages, and with
        ``clear_cycles`` and ``store_words``.

    Raises
    ------
    SpecError
        If the shapes do not fit, or an index is out of range.
    ValueError, FileNotFoundError, EngineError
        As `simulate`.
    """
    check_run(engine, stall, seed, repeat, freq_mhz, vcd)
    golden = unpool(values, indices, size, layout=layout)
    values, indices = np.asarray(values), np.asarray(indices)
    ndim = len(size)
    last = layout == LAYOUTS[ndim][1]
    given, places, right = (
        (np.moveaxis(a, -1, -1 - ndim) if last else a) for a in (values, indices, golden)
    )
    shape = given.shape[-1 - ndim :] if given.ndim > ndim else (1, *given.shape)
    given, places = (a.reshape(-1, *shape) for a in (given, places))
    right = right.reshape(-1, shape[0], *size)
    if not len(given):
        raise SpecError("values", f"values must have a frame at least, not shape {values.shape}.")
    job = UnpoolJob(shape, size, lanes, DType.of(values.dtype))
    core = UnpoolCore(job, frames=frames)

    repeat = repeat or -(-STEADY_FRAMES // len(given))
    trace, why = run_core(
        core,
        pack(job, given, seed & 0xFFFFFFFF),
        indices=pack_indices(job, places, seed & 0xFFFFFFFF),
        count=repeat * len(given),
        engine=engine,
        stall=stall,
        seed=seed,
        vcd=vcd,
        freq_mhz=freq_mhz,
        progress=progress,
    )
    if why:
        warnings.warn(why, EngineWarning, stacklevel=2)
    first, mismatch = compare(job, trace, right)
    first = np.moveaxis(first, 1, -1) if last else first
    stats = _statistics(core, trace, len(given), freq_mhz)
    stats |= {"stall": stall, "seed": seed, "matches_golden": mismatch is None}
    return Result(first.reshape(golden.shape), stats | {"warnings": [why] if why else []}, mismatch)


def _statistics(core: UnpoolCore, trace: Trace, frames: int, freq_mhz: float) -> dict[str, Any]:
    """Sum a run up, as `stats.statistics` does of a pooling core."""
    job = core.job
    taken = frame_cycles(trace, job.beats_out)
    per_frame = plain(taken.mean()) if len(taken) else None
    return {
        "version": __version__,
        "spec": job.to_json(),
        "shape": list(job.shape),
        "out_shape": list(job.out_shape),
        "lanes": job.lanes,
        "engine": trace.engine,
        "frames": frames,
        "frames_simulated": len(trace.out) // job.beats_out,
        "beats_in": job.beats_in,
        "beats_out": job.beats_out,
        "cycles": int(trace.out_cycles[-1] - trace.in_cycles[0]) + 1,
        "cycles_per_frame": per_frame,
        "limit_cycles_per_frame": job.limit_cycles,
        "bound_cycles_per_frame": core.cycles_bound,
        "latency_cycles": core.latency,
        "clear_cycles": core.clear_cycles,
        "store_words": core.store_words,
        "store_bits": core.store_bits,
        "freq_mhz": freq_mhz,
        "frames_per_second": freq_mhz * 1e6 / per_frame if per_frame else None,
        "seconds": trace.seconds,
        "cycles_per_second": trace.cycles / trace.seconds if trace.seconds else None,
    }
