"""What is on the page: events and changes, each as the difference from the one before."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from streampool_golden import Axis, PoolJob, UnevenAxis
from streampool_golden.fields import GLOBAL
from streampool_golden.geometry import AXIS_NAMES
from streampool_hw.blocks.floats_in import FLAGS
from streampool_hw.datapath.fifo import PipelineFifo

from .causes import COUNTED, Causes, causes, last_tap_beats, pieces
from .clocks import work
from .recording import Recording
from .stages import NONE, StageRun, runs

LARGE = 4096
"""Positions of a map that is whole on the page, whatever crosses."""

AROUND = 4
"""Rows of a larger one that are there beside those that cross."""

SAFE = 1 << 53
"""From which on JavaScript has no number for every integer."""


def contents(recording: Recording, first: int, end: int) -> dict[str, Any]:
    """Return what the page has of the clocks from `first` to `end`, as `json.dumps` takes it."""
    job, core = recording.job, recording.core
    cut, followed = _Cut(first, end), runs(recording)
    why = causes(recording, followed)
    names = AXIS_NAMES[len(job.size)]
    rows_in = cut.rows(job.size, job.fold, recording.trace.in_cycles)
    rows_out = cut.rows(job.out_size, job.fold, recording.trace.out_cycles)
    return {
        "first": first,
        "end": end,
        "channels": job.shape[0],
        "lanes": job.lanes,
        "fold": job.fold,
        "frames": recording.count,
        "limit": job.limit_cycles,
        "latency": core.latency,
        "size": list(job.size),
        "outSize": list(job.out_size),
        "beatsIn": job.beats_in,
        "beatsOut": job.beats_out,
        "axes": [{"name": name, **_axis(axis)} for name, axis in zip(names, job.axes, strict=True)],
        "rowsIn": rows_in,
        "rowsOut": rows_out,
        "framesIn": [
            _values(job, frame[:, rows_in[0] : rows_in[1] + 1].reshape(-1))
            for frame in recording.frames
        ],
        "golden": [
            _values(job, frame[:, rows_out[0] : rows_out[1] + 1].reshape(-1), out=True)
            for frame in recording.golden
        ],
        "goldenIndices": None
        if recording.indices is None
        else [
            frame[:, rows_out[0] : rows_out[1] + 1].reshape(-1).tolist()
            for frame in recording.indices
        ],
        "lastTaps": last_tap_beats(job).tolist(),
        "taken": cut.events(recording.trace.in_cycles),
        "given": cut.events(
            recording.trace.out_cycles,
            values=[_values(job, lane, out=True) for lane in recording.trace.out.T],
            indices=[lane.tolist() for each in recording.trace.fields[1:] for lane in each.T],
            last=recording.trace.last.astype(int).tolist(),
        ),
        "stages": [_stage(cut, job, run) for run in followed],
        "pipelines": _pipelines(cut, recording, followed),
        "signals": _signals(cut, recording),
        "why": _why(cut, why),
    }


class _Cut:
    """The clocks that are on the page, and how they are written."""

    def __init__(self, first: int, end: int):
        self.first, self.end = first, end

    def events(
        self, clocks: Sequence[int] | np.ndarray, more: int = 0, **fields: Any
    ) -> dict[str, Any]:
        """Return the events in the clocks that are on the page, and `more` before them.

        `from` is the number of the first; `clocks` are differences. A field has an entry per event,
        or is a list of such lists, by lane or place.
        """
        clocks = np.asarray(clocks, np.int64)
        begin = max(0, int(np.searchsorted(clocks, self.first)) - more)
        stop = int(np.searchsorted(clocks, self.end))

        def part(values: list) -> list:
            if values and isinstance(values[0], list) and len(values[0]) == len(clocks):
                return [each[begin:stop] for each in values]
            return values[begin:stop]

        cut = {name: part(values) for name, values in fields.items()}
        return {"from": begin, "clocks": differences(clocks[begin:stop].tolist()), **cut}

    def rows(self, size: Sequence[int], fold: int, cycles: np.ndarray) -> tuple[int, int]:
        """Return the first and last row of the frames that are on the page.

        Of a large map these are the rows in which beats cross, and some around them.
        """
        first, last = np.searchsorted(cycles, (self.first, self.end)) - (0, 1)
        beats = math.prod(size) * fold
        if len(size) != 2 or math.prod(size) <= LARGE or first // beats != last // beats:
            return 0, size[0] - 1
        row = size[1] * fold
        begin, end = (int(each % beats // row) for each in (first, last))
        return max(0, begin - AROUND), min(size[0] - 1, end + AROUND)

    def changes(self, values: Sequence[int]) -> dict[str, list]:
        """Return when a value changes, as differences, and to what."""
        kept = values[self.first : self.end]
        at = [0, *(n for n, (a, b) in enumerate(pairwise(kept), 1) if a != b)][: len(kept)]
        found = [kept[n] for n in at]
        wide = any(abs(value) >= SAFE for value in found)
        return {
            "clocks": differences([self.first + n for n in at]),
            "values": [f"{value:x}" for value in found] if wide else found,
        }


def differences(numbers: Iterable[int]) -> list[int]:
    """Return the first number, and what each is more than the one before."""
    numbers = list(numbers)
    return [*numbers[:1], *(b - a for a, b in pairwise(numbers))]


def _axis(axis: Axis) -> dict[str, Any]:
    taps = [axis.taps(i) for i in range(axis.outputs)]
    return {
        "length": axis.length,
        "outputs": axis.outputs,
        "kernel": axis.kernel,
        "stride": axis.stride,
        "dilation": axis.dilation,
        "before": axis.before,
        "after": axis.after,
        "uneven": isinstance(axis, UnevenAxis),
        "firsts": [each[0] for each in taps],
        "counts": [len(each) for each in taps],
    }


def _values(job: PoolJob, values: np.ndarray, *, out: bool = False) -> list:
    """Return values as JSON has them; of floats a few digits, from their bits or themselves."""
    dtype = job.output if out else job.input
    if not dtype.is_float:
        return values.tolist()
    if values.dtype != dtype.numpy:
        values = np.ascontiguousarray(values).astype(dtype.raw.numpy).view(dtype.numpy)
    return [f"{float(value):.4g}" for value in values]


def _partials(job: PoolJob, values: np.ndarray) -> list:
    """Return partials as the values that they stand for."""
    if not job.input.is_float:
        return values.tolist()
    if job.operation.selects:
        return _values(job, values & ((1 << job.input.bits) - 1))
    return [_sum(value, job.input.unit) for value in values.tolist()]


def _sum(partial: int, unit: int) -> str:
    """Return a sum of floats: a multiple of the smallest one, with flags below."""
    flags = {name for bit, name in enumerate(FLAGS) if partial >> bit & 1}
    if "nan" in flags or {"plus", "minus"} <= flags:
        return "nan"
    if flags & {"plus", "minus"}:
        return "inf" if "plus" in flags else "-inf"
    value = math.ldexp(partial >> len(FLAGS), unit)
    return f"{value if value or 'other' in flags else -0.0:.4g}"


def _stage(cut: _Cut, job: PoolJob, run: StageRun) -> dict[str, Any]:
    """Return a stage: what it is, and what it did."""
    shape, plan = run.shape, run.stage.plan
    names = AXIS_NAMES[len(job.size)]
    whole = job.spec.adaptive == GLOBAL
    at = [stage.axis for stage in job.stages].index(shape.axis)
    pooled = {stage.axis for stage in job.stages[: at + 1]}
    # an axis that pooling does not change is the same before and after
    pooled |= {i for i, axis in enumerate(job.axes) if axis.identity}
    pooled |= set(range(len(job.axes))) if whole else set()
    dims = [axis.outputs if i in pooled else axis.length for i, axis in enumerate(job.axes)]
    inner = math.prod(job.size[shape.axis + 1 :])
    line_rows = 0 if whole else (shape.along.kernel - 1) * shape.along.dilation
    takes = np.flatnonzero(run.taken)
    clocks = np.array(run.clocks, np.int64)
    working = work(run.stage.timing)
    levels = run.stage.levels
    boxes = [["control and input on their way"]] * levels
    boxes += [working.get(clock, [""]) for clock in range(1, run.stage.latency - levels + 1)]
    m = shape.m
    return {
        "name": run.name,
        "title": " and ".join(names) if whole else run.name,
        "pass": run.turn,
        "unit": "input" if whole or inner == 1 else names[shape.axis].removesuffix("s"),
        "axis": shape.axis,
        "m": m,
        "runs": shape.runs,
        "dims": dims,
        "pooled": [i in pooled for i in range(len(dims))],
        "along": _axis(shape.along),
        "partials": plan.partials,
        "limit": shape.along.limit_partials,
        "latency": run.stage.latency,
        "work": ["; ".join(each) for each in boxes],
        # nobody would keep lines where one window is the whole frame
        "lineRows": line_rows,
        "lineWords": line_rows * inner * job.fold,
        "steps": cut.events(
            clocks,
            m,
            taken=[int(each) for each in run.taken],
            takes=np.cumsum(run.taken).tolist(),
            leaves=run.leaves,
            live=run.live,
            queues=[[queue[place] for queue in run.queues] for place in range(plan.partials)],
        ),
        "inputs": cut.events(clocks[takes], values=[_partials(job, each) for each in run.inputs]),
        "writes": [
            cut.events(when, m, values=[_partials(job, each) for each in values])
            for when, values in run.writes
        ],
        "puts": cut.events(
            run.puts, PipelineFifo.CAPACITY, values=[_partials(job, each) for each in run.values]
        ),
        "gives": cut.events(run.gives),
    }


def _pipelines(cut: _Cut, recording: Recording, followed: Sequence[StageRun]) -> dict[str, list]:
    """Return the pieces of what is before and behind the stages, each of some clocks and a FIFO."""
    found: dict[str, list] = {}
    for name in ("preprocess", "postprocess"):
        takes: np.ndarray = recording.trace.in_cycles
        if name == "postprocess" and followed:
            takes = followed[-1].gives
        found[name] = []
        for path in pieces(recording, name):
            puts, gives = recording.when(f"{path}.write"), recording.when(f"{path}.read")
            clocks = int(puts[0] - takes[0]) + 1 if len(puts) else 1
            events = {"takes": takes, "puts": puts, "gives": gives}
            found[name].append(
                {"path": path, "clocks": clocks}
                | {what: cut.events(each, 64) for what, each in events.items()}
            )
            takes = gives
    return found


def _signals(cut: _Cut, recording: Recording) -> list[dict[str, Any]]:
    return [
        {
            "path": path,
            "plain": name.plain,
            "part": name.part,
            "bits": recording.bits[path],
            **cut.changes(recording.values[path]),
        }
        for path, name in recording.names.items()
        if path != "cycle"
    ]


def _why(cut: _Cut, why: Causes) -> dict[str, Any]:
    return {
        "inputs": cut.changes(why.inputs),
        "outputs": cut.changes(why.outputs),
        "refusals": cut.changes(why.refusals),
        "sentences": why.sentences,
        "roots": why.roots,
        "counted": COUNTED,
        "before": why.stalls(0, cut.first),
    }


assert NONE == -1, "the page's code says so too"
