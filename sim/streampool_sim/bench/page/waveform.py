"""The first windows of a frame, clock by clock, from a simulation: a timing diagram."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from streampool import PoolCore
from streampool_golden import Job, PoolSpec, pool

from ...engines import amaranth
from ...frames import pack

__all__ = ["JOB", "Diagram", "alternative", "diagram"]

JOB: Job = PoolSpec("max", 2, dtype="uint8").job((1, 4, 4))
"""What is shown: windows that share no tap, so that each has one colour, in and out."""

FRAMES = 2
"""Frames that follow each other: the second one's first beats show that nothing waits."""

# WaveDrom's digits of filled data.
_FILLS = "3456"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Diagram:
    """What crossed the ports of a core.

    Attributes
    ----------
    job : Job
        What the core does.
    frame : ndarray, shape (rows, columns)
        The first frame.
    windows : ndarray of int, shape (rows, columns)
        The window that each value of it belongs to.
    latency : int
        Clocks from a window's last tap to its output.
    rows : list of dict
        By clock: ``cycle``, ``value`` and ``window`` in, ``out`` and ``out_window`` out; None where
        no beat crossed.
    wave : dict
        The diagram as WaveDrom takes it.
    """

    job: Job
    frame: np.ndarray
    windows: np.ndarray
    latency: int
    rows: list[dict[str, int | None]]
    wave: dict

    @property
    def title(self) -> str:
        """What the core does, in a few words."""
        spec = self.job.spec
        by = "x".join
        return (
            f"{spec.op} {by(map(str, spec.kernel))} of {by(map(str, self.job.shape))} "
            f"{spec.dtype}, {self.job.lanes} lane"
        )


def diagram(job: Job = JOB, cycles: int | None = None) -> Diagram:
    """Simulate a core and draw its ports.

    Parameters
    ----------
    job : Job
        One lane, one channel, windows side by side.
    cycles : int, optional
        Clocks to draw; by default until the first frame is out.
    """
    core = PoolCore(job.spec, job.shape, job.lanes)
    dtype = job.spec.in_dtype
    frames = np.random.default_rng(4).integers(10, 100, (FRAMES, *job.shape), dtype.numpy)
    trace = amaranth.run(core, pack(job, frames))
    if not np.array_equal(trace.out.ravel(), pool(job.spec, frames).ravel()):
        raise AssertionError("the core that is to be drawn is wrong")
    cycles = cycles or int(trace.out_cycles[job.beats_out - 1]) + 2
    windows = _windows(job)
    rows = [
        {"cycle": cycle, "value": None, "window": None, "out": None, "out_window": None}
        for cycle in range(cycles)
    ]
    for beat, cycle in enumerate(trace.in_cycles):
        if cycle < cycles:
            rows[cycle]["value"] = int(frames.ravel()[beat])
            rows[cycle]["window"] = int(windows.ravel()[beat % job.beats_in])
    for beat, cycle in enumerate(trace.out_cycles):
        if cycle < cycles:
            rows[cycle]["out"] = int(trace.out[beat, 0])
            rows[cycle]["out_window"] = beat % job.beats_out
    last_taps = [int(np.flatnonzero(windows.ravel() == w)[-1]) for w in range(job.beats_out)]
    pairs = [
        (int(trace.in_cycles[tap]), int(trace.out_cycles[window]))
        for window, tap in enumerate(last_taps)
    ]
    wave = _wave(rows, pairs, trace.last[: job.beats_out])
    return Diagram(job, frames[0, 0], windows, core.latency, rows, wave)


def _windows(job: Job) -> np.ndarray:
    """Number the window of each position; windows lie side by side."""
    (rows, columns), wide = job.spec.kernel, job.out_size[1]
    at = np.indices(job.size)
    return at[0] // rows * wide + at[1] // columns


def _wave(
    rows: list[dict[str, int | None]], pairs: Sequence[tuple[int, int]], last: np.ndarray
) -> dict:
    taken, taken_data = _bus([(row["value"], row["window"]) for row in rows])
    given, given_data = _bus([(row["out"], row["out_window"]) for row in rows])
    starts, ends = ["."] * len(rows), ["."] * len(rows)
    edges = []
    for number, (start, end) in enumerate(pairs):
        # WaveDrom writes the names of nodes in small letters beside them.
        starts[start], ends[end] = _CAPITALS[2 * number], _CAPITALS[2 * number + 1]
        edges.append(f"{starts[start]}~->{ends[end]}")
    flags = iter(last)
    return {
        "signal": [
            {"name": "clk", "wave": "p" + "." * (len(rows) - 1)},
            [
                "in",
                {"name": "valid", "wave": _bits([True] * len(rows))},
                {"name": "ready", "wave": _bits([row["value"] is not None for row in rows])},
                {"name": "payload", "wave": taken, "data": taken_data, "node": "".join(starts)},
            ],
            [
                "out",
                {"name": "valid", "wave": _bits([row["out"] is not None for row in rows])},
                {"name": "ready", "wave": _bits([True] * len(rows))},
                {"name": "payload", "wave": given, "data": given_data, "node": "".join(ends)},
                {
                    "name": "last",
                    "wave": _bits([row["out"] is not None and bool(next(flags)) for row in rows]),
                },
            ],
        ],
        "edge": edges,
        "head": {"tick": 0},
        "config": {"hscale": 1},
    }


def _bits(values: Sequence[bool]) -> str:
    return _held(["01"[value] for value in values])


def _held(marks: Sequence[str]) -> str:
    """Write a mark once and dots while it stays."""
    return "".join("." if at and mark == marks[at - 1] else mark for at, mark in enumerate(marks))


def _bus(beats: Sequence[tuple[int | None, int | None]]) -> tuple[str, list[str]]:
    marks = [
        "x" if value is None or window is None else _FILLS[window % len(_FILLS)]
        for value, window in beats
    ]
    wave = "".join(
        "." if mark == "x" and at and marks[at - 1] == "x" else mark
        for at, mark in enumerate(marks)
    )
    return wave, [str(value) for value, _ in beats if value is not None]


def alternative(shown: Diagram) -> str:
    """Say what the diagram shows."""
    outs = [row for row in shown.rows if row["out"] is not None]
    leaving = ", ".join(f"{row['out']} in clock {row['cycle']}" for row in outs)
    return (
        f"Timing diagram of {len(shown.rows)} clocks: a value goes in each clock; the windows'"
        f" outputs leave: {leaving}."
    )
