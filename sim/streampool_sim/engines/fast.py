"""The fast engine: a core's CXXRTL model, compiled, clocked a whole batch of frames at a time.

Cycle by cycle the same as Amaranth's own simulator, several hundred times as fast.
"""

import ctypes
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from streampool_hw import Core

from streampool_sim.frames import container, marks

from .model import Model
from .trace import EngineError, Progress, RunPlan, Stall, Trace

CHUNK = 1 << 20
"""Clocks between two looks at the progress (and at Ctrl-C): a tenth of a second or so."""

_RUNNING, _DONE, _STUCK, _SURPLUS, _FEEDBACK, _UNSTABLE = range(6)

_POINTERS = ctypes.POINTER(ctypes.c_void_p)


class _Batch(ctypes.Structure):
    """`streampool::Batch` of driver.cc, field by field."""

    _fields_ = [
        ("in_", _POINTERS), ("out", _POINTERS), ("last", ctypes.c_void_p),
        ("in_cycles", ctypes.c_void_p), ("out_cycles", ctypes.c_void_p),
        ("stored_beats", ctypes.c_int64),
        ("beats_in", ctypes.c_int64), ("beats_out", ctypes.c_int64),
        ("source", ctypes.c_uint64), ("sink", ctypes.c_uint64), ("rubbish", ctypes.c_uint64),
        ("source_threshold", ctypes.c_uint64), ("sink_threshold", ctypes.c_uint64),
        ("quiet_bound", ctypes.c_int64),
        ("surplus_clocks", ctypes.c_int64), ("reset_at", ctypes.c_int64),
        ("cycle", ctypes.c_int64), ("sent", ctypes.c_int64), ("got", ctypes.c_int64),
        ("quiet", ctypes.c_int64), ("extra", ctypes.c_int64), ("held", ctypes.c_int32),
    ]  # fmt: skip


def run(
    core: Core,
    beats: Sequence[np.ndarray],
    *,
    model: Model,
    count: int | None = None,
    stall: Stall = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Trace:
    """Stream frames back to back through a core's compiled model.

    `beats` are as `pack` makes them, and `count` frames go round them; all of them once, by
    default. `stall` and `seed` are those of `simulate`, but that `stall` may be a pair. In cycle
    `reset_at` a reset of one clock falls, after which all frames are sent from the start, and
    counted and recorded anew. `progress` is called with the output beats there and due after each
    `chunk` of clocks.

    `EngineError` says that the core gets stuck, gives more beats than its frames hold, or changes a
    beat that waits to be taken.
    """
    job, plan = core.job, RunPlan(core, beats, count, stall, seed)
    arrays = [
        np.ascontiguousarray(each, dtype=container(field))
        for each, field in zip(beats, job.fields_in, strict=True)
    ]
    if core.marks:  # a field more
        arrays.append(np.tile(marks(core), (len(beats[0]), 1)))
    trace = Trace.blank(job, plan.frames, "fast")
    batch = _Batch(
        in_=_addresses(arrays), out=_addresses(trace.fields), last=trace.last.ctypes.data,
        in_cycles=trace.in_cycles.ctypes.data, out_cycles=trace.out_cycles.ctypes.data,
        stored_beats=len(beats[0]) * job.beats_in, beats_in=plan.beats_in, beats_out=plan.beats_out,
        source=plan.source, sink=plan.sink, rubbish=plan.rubbish,
        source_threshold=plan.source_threshold, sink_threshold=plan.sink_threshold,
        quiet_bound=plan.quiet_bound, surplus_clocks=plan.surplus_clocks,
        reset_at=-1 if reset_at is None else reset_at,
    )  # fmt: skip
    instance = model.make(model.variant)
    try:
        start, status = time.perf_counter(), _RUNNING
        while status == _RUNNING:
            status = model.run(instance, ctypes.byref(batch), chunk)
            if progress is not None:
                progress(batch.got, plan.beats_out)
        seconds = time.perf_counter() - start
    finally:
        model.free(instance)
    if status == _STUCK:
        raise plan.stuck(batch.got, batch.cycle)
    if status == _SURPLUS:
        raise plan.surplus(batch.cycle)
    if status == _UNSTABLE:
        raise plan.unstable(batch.cycle)
    if status == _FEEDBACK:
        raise EngineError(
            "the core has combinational feedback, which one evaluation per clock cannot settle"
        )
    return replace(trace, cycles=batch.cycle, seconds=seconds)


def _addresses(arrays: Sequence[np.ndarray]) -> ctypes.Array[ctypes.c_void_p]:
    """Return where arrays are, as C has it."""
    return (ctypes.c_void_p * len(arrays))(*(each.ctypes.data for each in arrays))
