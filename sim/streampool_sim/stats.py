"""Statistics of a run: what was measured, and the limits that it is checked against."""

from typing import Any

import numpy as np
from streampool_golden import __version__
from streampool_hw import Core

from .engines import Trace


def frame_cycles(trace: Trace, beats_out: int) -> np.ndarray:
    """Return the cycles that each frame of the steady state took, none with fewer than four frames.

    From the last output beat of the frame before to the frame's own; the first two frames and the
    last are left out, as the last one's drain runs alone.
    """
    ends = trace.out_cycles[beats_out - 1 :: beats_out]
    return np.diff(ends[1:-1])


def statistics(
    core: Core,
    trace: Trace,
    *,
    frames: int,
    matches: bool,
    stall: float,
    seed: int,
    freq_mhz: float,
    said: list[str],
) -> dict[str, Any]:
    """Sum a run up, in what `json.dumps` takes; shapes are channels first.

    ``cycles`` are from the first beat in to the last beat out of all, both counted;
    ``cycles_per_frame`` is the mean of `frame_cycles`, None with fewer than four frames, its limit
    the more of beats in and out, its bound what a core with a bend may take;
    ``first_output_cycles`` are from the first beat in to the first beat out, None without a frame;
    ``seconds`` are the simulation's alone. What is said of memory is what the core's
    ``resources()`` are: ``row_store_words``, ``column_store_words`` and their limits, and
    ``store_bits``; of an unpooling core ``clear_cycles``, ``store_words`` and ``store_bits``.
    """
    job = core.job
    taken = frame_cycles(trace, job.beats_out)
    per_frame = float(taken.mean()) if len(taken) else None
    if per_frame is not None and per_frame.is_integer():
        per_frame = int(per_frame)
    return {
        "version": __version__,
        "spec": job.to_json(),
        "shape": list(job.shape),
        "out_shape": list(job.out_shape),
        "lanes": job.lanes,
        **({"columns": job.columns, "columns_out": job.columns_out} if job.has_columns else {}),
        **({"resync": list(core.marks)} if core.marks else {}),
        "engine": trace.engine,
        "frames": frames,
        "frames_simulated": len(trace.out) // job.beats_out,
        "beats_in": job.beats_in,
        "beats_out": job.beats_out,
        "cycles": int(trace.out_cycles[-1] - trace.in_cycles[0]) + 1 if len(trace.out) else 0,
        "cycles_per_frame": per_frame,
        "limit_cycles_per_frame": job.limit_cycles,
        "bound_cycles_per_frame": core.cycles_bound,
        "latency_cycles": core.latency,
        "first_output_cycles": (
            int(trace.out_cycles[0] - trace.in_cycles[0]) if len(trace.out) else None
        ),
        **core.resources(),
        "matches_golden": matches,
        "freq_mhz": freq_mhz,
        "frames_per_second": freq_mhz * 1e6 / per_frame if per_frame else None,
        "seconds": trace.seconds,
        "cycles_per_second": trace.cycles / trace.seconds if trace.seconds else None,
        "stall": stall,
        "seed": seed,
        "warnings": said,
    }
