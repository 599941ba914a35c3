"""A run of a core in Amaranth's simulator, with the values of its registers in each clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Fragment, Signal, Value
from streampool_golden import PoolJob, SpecError, UnevenAxis
from streampool_hw import PoolCore
from streampool_hw.blocks.indices import place_of
from streampool_hw.reduce.operations import gates_of

from ..engines import Progress, Trace, amaranth
from ..engines.named import Named, signals, stages
from ..frames import pack

AFTER = 4
"""Clocks that are kept after the last beat."""


@dataclass(frozen=True)
class Recording:
    """What was recorded of a run.

    Attributes
    ----------
    core : PoolCore
        What ran.
    frames : ndarray, shape (frames, C, *size)
        What was streamed, one after the other, and then from the first one on again.
    count : int
        How many frames were streamed.
    golden : ndarray, shape (frames, C, *out_size)
        What each of `frames` has to become.
    indices : ndarray or None
        The same for its indices, each frame's own; None where there are none.
    trace : Trace
        What crossed the ports, as any engine gives it.
    names : dict of str to Named
        The signals that were recorded, by their paths, with their plain names.
    bits : dict of str to int
        Their widths.
    values : dict of str to list of int
        Their values in each clock, by path.
    numbers : dict of (str, int) to list of int
        Of a signal that holds partials, the value that each stands for: by path and lane. Of a
        store's word, lane 0 of the oldest partial first, then the other lanes, then the next one's.
    ended : bool
        Whether all beats were out in the end.
    """

    core: PoolCore
    frames: np.ndarray
    count: int
    golden: np.ndarray
    indices: np.ndarray | None
    trace: Trace
    names: dict[str, Named]
    bits: dict[str, int]
    values: dict[str, list[int]]
    numbers: dict[tuple[str, int], list[int]]
    ended: bool

    @property
    def job(self) -> PoolJob:
        """What the core computes."""
        return self.core.job

    @cached_property
    def clocks(self) -> int:
        """Clocks that are shown: to a few after the last beat."""
        last = max((int(each[-1]) for each in self._cycles if len(each)), default=0)
        recorded = len(self.values["i__valid"])
        return min(recorded, last + 1 + AFTER) if self.ended else recorded

    @property
    def _cycles(self) -> tuple[np.ndarray, np.ndarray]:
        return self.trace.in_cycles, self.trace.out_cycles

    def when(self, path: str) -> np.ndarray:
        """Return the clocks in which a signal of one bit is high."""
        return np.flatnonzero(self.values[path])


def record(
    job: PoolJob,
    frames: np.ndarray,
    *,
    count: int,
    clocks: int,
    stall: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Recording:
    """Stream frames back to back through a core, and record its registers.

    Parameters
    ----------
    job : PoolJob
        What the core computes.
    frames : ndarray, shape (frames, C, *size)
        Channels first.
    count : int
        How many frames to stream: after the last one the first follows again.
    clocks : int
        The run ends there, wherever it is.
    stall, seed
        As `streampool_sim.simulate` takes them.
    progress : callable, optional
        Called now and then with clocks simulated and about how many there will be.

    Raises
    ------
    SpecError
        If a beat has several columns, or an axis grows that is pooled to a size: the page shows
        neither.
    """
    if job.has_columns:
        raise SpecError("columns", f"columns {job.columns} cannot be shown; use 1.")
    for stage in job.stages:
        if isinstance(stage.along, UnevenAxis) and stage.growth > 0:
            raise SpecError(
                "adaptive",
                f"adaptive {job.spec.adaptive} cannot be shown where {stage.along.length} inputs"
                f" become {stage.along.outputs}, with steps that take none; use at most"
                f" {stage.along.length + 1} outputs.",
            )
    core = PoolCore(job)
    golden, *indices = job.reference(frames)
    frames = frames.astype(job.input.numpy, copy=False)
    names: dict[str, Named] = {}
    bits: dict[str, int] = {}
    keys: list[tuple[str, int]] = []

    def values(bench: Fragment) -> Sequence[Value]:
        found = {name.path: (name, signal) for name, signal in signals(core, bench)}
        names.update({path: name for path, (name, _) in found.items()})
        bits.update({path: len(signal) for path, (_, signal) in found.items()})
        plain = [signal for _, signal in found.values()]
        lanes = _lanes(core, {path: signal for path, (_, signal) in found.items()})
        keys.extend(lanes)
        return [*plain, *lanes.values()]

    watch = amaranth.Watch(values, clocks)
    total = min(clocks, int(count * job.limit_cycles / (1 - stall)))

    def tell(*_: int) -> None:
        if progress is not None:
            progress(min(len(watch.samples), total), total)

    beats = pack(job, frames, seed=seed & 0xFFFFFFFF)
    trace = amaranth.run(
        *(core, beats), count=count, stall=stall, seed=seed, progress=tell, watch=watch
    )
    columns = [list(column) for column in zip(*watch.samples, strict=True)]
    return Recording(
        core,
        frames,
        count,
        golden,
        indices[0] if indices else None,
        trace,
        names,
        bits,
        dict(zip(names, columns, strict=False)),
        dict(zip(keys, columns[len(names) :], strict=True)),
        len(trace.out) == count * job.beats_out,
    )


def _lanes(core: PoolCore, found: dict[str, Signal]) -> dict[tuple[str, int], Value]:
    """Return the partials in what holds some, decoded to the values that they stand for."""
    job, place = core.job, place_of(core.job)
    reduction = gates_of(job).reduce(job, place.bits if place else 0)
    before = reduction.shape(job.partial(1))
    lanes: dict[tuple[str, int], Value] = {}
    for (name, _), shape in zip(stages(core).items(), job.stages, strict=True):
        partial = reduction.shape(shape.accumulator)
        path = f"core.{name}."
        for each, signal in found.items():
            if each.startswith(f"{path}bank_") and each.endswith((".write_data", ".read_data")):
                count, held = len(signal) // partial.width, partial
            elif each == f"{path}fifo.i":
                count, held = job.lanes, partial
            elif each == f"{path}i__payload":
                count, held = job.lanes, before
            else:
                continue
            for lane in range(count):
                part = signal[lane * held.width : (lane + 1) * held.width]
                value = part.as_signed() if held.signed else part
                lanes[each, lane] = reduction.decode(value, job.input)
        before = partial
    return lanes
