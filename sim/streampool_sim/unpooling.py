"""Pooled values and their indices through a simulated MaxUnpool core."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import LAYOUTS, DType, SpecError, UnpoolJob, unpool
from streampool_hw import UnpoolCore

from .engines import Progress
from .frames import pack, pack_indices
from .simulation import STEADY_FRAMES, EngineWarning, Result, check_run, compare, run_core
from .stats import statistics

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
        Its ``stats`` are those that `statistics` has of an unpooling core.

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
    stats = statistics(
        core,
        trace,
        frames=len(given),
        matches=mismatch is None,
        stall=stall,
        seed=seed,
        freq_mhz=freq_mhz,
        said=[why] if why else [],
    )
    return Result(first.reshape(golden.shape), stats, mismatch)
