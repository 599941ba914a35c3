"""The fast engine: a core's CXXRTL model, compiled, clocked a whole batch of frames at a time.

Cycle by cycle the same as Amaranth's own simulator, several hundred times as fast.
"""

import ctypes
import time
from pathlib import Path

import numpy as np
from streampool_hw import Core

from .model import Build, Model
from .stalls import RUBBISH, SINK, SOURCE, base, threshold
from .trace import (
    EngineError,
    Progress,
    Trace,
    check_beats,
    index_port,
    quiet_bound,
    stuck_message,
    surplus_clocks,
    surplus_message,
)

CHUNK = 1 << 20
"""Clocks between two looks at the progress (and at Ctrl-C): a tenth of a second or so."""

_RUNNING, _DONE, _STUCK, _SURPLUS = range(4)


class _Batch(ctypes.Structure):
    """`streampool::Batch` of driver.cc, field by field."""

    _fields_ = [
        ("frames", ctypes.c_void_p), ("indices", ctypes.c_void_p), ("out", ctypes.c_void_p),
        ("out_indices", ctypes.c_void_p), ("last", ctypes.c_void_p),
        ("in_cycles", ctypes.c_void_p), ("out_cycles", ctypes.c_void_p),
        ("stored_beats", ctypes.c_int64),
        ("beats_in", ctypes.c_int64), ("beats_out", ctypes.c_int64),
        ("source", ctypes.c_uint64), ("sink", ctypes.c_uint64), ("rubbish", ctypes.c_uint64),
        ("threshold", ctypes.c_uint64), ("quiet_bound", ctypes.c_int64),
        ("surplus_clocks", ctypes.c_int64), ("reset_at", ctypes.c_int64),
        ("cycle", ctypes.c_int64), ("sent", ctypes.c_int64), ("got", ctypes.c_int64),
        ("quiet", ctypes.c_int64), ("extra", ctypes.c_int64), ("held", ctypes.c_int32),
    ]  # fmt: skip


def run(
    core: Core,
    frames: np.ndarray,
    *,
    indices: np.ndarray | None = None,
    count: int | None = None,
    stall: float = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    model: Model | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Trace:
    """Stream frames back to back through a core's compiled model.

    Parameters
    ----------
    core : Core
        The core. It is elaborated only, never changed.
    frames : ndarray of int, shape (frames, beats_in, lanes)
        Input beats as `streampool_sim.frames.pack` makes them.
    indices : ndarray of int, of the same shape, optional
        Their indices, where the core takes some.
    count : int, optional
        Frames to send, going round `frames` again where it is more; default all of them, once.
    stall : float
        Probability, 0 <= stall < 1, that a side is idle in a clock. A beat once shown stays until
        it is taken.
    seed : int
        Of stalls and rubbish; any integer.
    reset_at : int, optional
        Cycle in which a reset of one clock falls, after which all frames are sent from the start
        and everything is counted and recorded anew.
    model : Model, optional
        The core's compiled model where the caller has it; default: compiled, or taken from the
        cache in `folder`.
    progress : callable, optional
        Called with output beats there and output beats due, several times a second.
    chunk : int, optional
        Clocks between two looks at the progress.

    Raises
    ------
    CompilerMissing
        If there is no C++ compiler.
    EngineError
        If the core gets stuck, gives more beats than its frames hold, or cannot be compiled.
    """
    if model is None:
        [model] = Build([core], folder=folder).load()
    job = core.job
    check_beats(job, frames, indices)
    frames = np.ascontiguousarray(frames, dtype=job.input.raw.numpy)
    if indices is not None:
        indices = np.ascontiguousarray(indices, dtype=np.int64)
    count = len(frames) if count is None else count
    out = np.zeros((count * job.beats_out, job.lanes), job.output.raw.numpy)
    given = index_port(job.fields_out) is not None
    out_indices = np.zeros(out.shape, np.int64) if given else None
    last = np.zeros(len(out), np.bool_)
    in_cycles = np.zeros(count * job.beats_in, np.int64)
    out_cycles = np.zeros(len(out), np.int64)
    bound = quiet_bound(job, core.latency)
    batch = _Batch(
        frames=frames.ctypes.data, indices=None if indices is None else indices.ctypes.data,
        out=out.ctypes.data,
        out_indices=None if out_indices is None else out_indices.ctypes.data,
        last=last.ctypes.data,
        in_cycles=in_cycles.ctypes.data, out_cycles=out_cycles.ctypes.data,
        stored_beats=len(frames) * job.beats_in, beats_in=len(in_cycles), beats_out=len(out),
        source=base(seed, SOURCE), sink=base(seed, SINK), rubbish=base(seed, RUBBISH),
        threshold=threshold(stall), quiet_bound=bound,
        surplus_clocks=surplus_clocks(job, core.latency),
        reset_at=-1 if reset_at is None else reset_at,
    )  # fmt: skip
    instance = model.make()
    try:
        start, status = time.perf_counter(), _RUNNING
        while status == _RUNNING:
            status = model.run(instance, ctypes.byref(batch), chunk)
            if progress is not None:
                progress(batch.got, len(out))
        seconds = time.perf_counter() - start
    finally:
        model.free(instance)
    if status == _STUCK:
        raise EngineError(stuck_message(batch.got, len(out), batch.cycle, bound))
    if status == _SURPLUS:
        raise EngineError(surplus_message(len(out), batch.cycle))
    if status != _DONE:
        raise EngineError(
            "the core has combinational feedback, which one evaluation a clock cannot settle"
        )
    return Trace(
        *(out, last, in_cycles, out_cycles, batch.cycle, seconds, "fast"), indices=out_indices
    )
