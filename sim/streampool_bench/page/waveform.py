"""The first windows of a frame, clock by clock, from a simulation: a timing diagram."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw import PoolCore
from streampool_sim.engines import amaranth
from streampool_sim.frames import pack

JOB: PoolJob = PoolJob(PoolSpec("max", 2, dtype="uint8"), (1, 4, 4))
"""What is shown: windows that share no tap, so that each has one colour, in and out."""

FRAMES = 2
"""Frames that follow each other: the second one's first beats show that nothing waits."""

# WaveDrom's digits of filled data.
_FILLS = "3456"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Diagram:
    """What crossed the ports of a core."""

    job: PoolJob
    frame: np.ndarray
    """The first frame: rows and columns."""
    windows: np.ndarray
    """The window that each value of it belongs to."""
    latency: int
    """Clocks from a window's last tap to its output."""
    rows: list[dict[str, int | None]]
    """By clock: ``cycle``, ``value`` and ``window`` in, ``out`` and ``out_window`` out, or None."""
    pairs: list[tuple[int, int]]
    """By window, the clocks of its last value and of its output."""
    wave: dict
    """The diagram as WaveDrom takes it."""

    @property
    def title(self) -> str:
        """What the core does, in a few words."""
        spec = self.job.spec
        by = "x".join
        return (
            f"{spec.op} {by(map(str, spec.kernel))} of {by(map(str, self.job.shape))} "
            f"{spec.dtype}, {self.job.lanes} lane"
        )


def diagram(job: PoolJob = JOB) -> Diagram:
    """Simulate a core of one lane and one channel, and draw its ports until a frame is out."""
    core = PoolCore(job)
    dtype = job.spec.in_dtype
    frames = np.random.default_rng(4).integers(10, 100, (FRAMES, *job.shape), dtype.numpy)
    trace = amaranth.run(core, pack(job, frames), reset_at=0)
    if not np.array_equal(trace.out.ravel(), pool(job.spec, frames).ravel()):
        raise AssertionError("the core that is to be drawn is wrong")
    cycles = int(trace.out_cycles[job.beats_out - 1]) + 2
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
    return Diagram(job, frames[0, 0], windows, core.latency, rows, pairs, wave)


def _windows(job: PoolJob) -> np.ndarray:
    """Number the window of each position; windows lie side by side."""
    (rows, columns), wide = job.spec.kernel, job.out_size[1]
    at = np.indices(job.size)
    return at[0] // rows * wide + at[1] // columns


def _wave(
    rows: list[dict[str, int | None]], pairs: Sequence[tuple[int, int]], last: np.ndarray
) -> dict:
    """Write the ports as WaveDrom takes them, from the clock of the reset on."""
    starts, ends = ["."] * len(rows), ["."] * len(rows)
    edges = []
    for number, (start, end) in enumerate(pairs):
        # WaveDrom writes the names of nodes in small letters beside them.
        starts[start], ends[end] = _CAPITALS[2 * number], _CAPITALS[2 * number + 1]
        edges.append(f"{starts[start]}~->{ends[end]}")
    always = "1" * len(rows)
    goes = ["01"[row["value"] is not None] for row in rows]
    leaves = ["01"[row["out"] is not None] for row in rows]
    flags = iter(last.astype(int).astype(str))
    ends_frame = [next(flags) if left == "1" else "x" for left in leaves]
    return {
        "signal": [
            {"name": "clk", "wave": "p" + "." * len(rows)},
            _lane("reset", "1", "0" * len(rows)),
            [
                "in",
                _lane("valid", "0", always),
                _lane("ready", "x", goes),
                _bus(rows, "value", "window") | {"node": "".join([".", *starts])},
            ],
            [
                "out",
                _lane("valid", "x", leaves),
                _lane("ready", "1", always),
                _bus(rows, "out", "out_window") | {"node": "".join([".", *ends])},
                _lane("last", "x", ends_frame),
            ],
        ],
        "edge": edges,
        "head": {"tick": -1},
    }


def _lane(name: str, before: str, marks: Sequence[str]) -> dict[str, Any]:
    """Write a signal: a mark for the clock of the reset, and one for each clock after it."""
    every = [before, *marks]
    # A dot goes on with the mark before it; beats that follow each other are not one.
    wave = [
        "." if at and mark == every[at - 1] and mark not in _FILLS else mark
        for at, mark in enumerate(every)
    ]
    return {"name": name, "wave": "".join(wave)}


def _bus(rows: list[dict[str, int | None]], value: str, window: str) -> dict[str, Any]:
    """Write a payload: its values, each in its window's colour."""
    marks = [
        "x" if row[value] is None else _FILLS[(row[window] or 0) % len(_FILLS)] for row in rows
    ]
    data = [str(row[value]) for row in rows if row[value] is not None]
    return _lane("payload", "x", marks) | {"data": data}


_PITCH, _TOP, _WIDTH = 22, 42, 350
_COLUMNS = {
    "clock": 20, "in valid": 58, "ready": 98, "value": 143,
    "out": 243, "out valid": 290, "last": 328,
}  # fmt: skip
"""Where the columns of an upright diagram are, in px."""


def upright(shown: Diagram) -> str:
    """Draw the diagram with a row for each clock, for windows that are higher than wide."""
    height = _TOP + _PITCH * len(shown.rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-label="{alternative(shown)}" focusable="false">',
        *(_label(x, 14, side) for side, x in (("in", 100), ("out", 286))),
        *(
            _label(x, 32, "payload" if name in ("value", "out") else name.split()[-1])
            for name, x in _COLUMNS.items()
        ),
    ]
    last = {end for _, end in shown.pairs[-1:]}
    traces = {
        "in valid": [True] * len(shown.rows),
        "ready": [row["value"] is not None for row in shown.rows],
        "out valid": [row["out"] is not None for row in shown.rows],
        "last": [row["cycle"] in last for row in shown.rows],
    }
    for name, levels in traces.items():
        # A level is a line down the clock's row, to the right where it is high.
        steps = "".join(
            f"H{_COLUMNS[name] + (6 if high else -6)}V{_TOP + _PITCH * (clock + 1)}"
            for clock, high in enumerate(levels)
        )
        parts.append(f'<path class="wave-s1" d="M{_COLUMNS[name] - 6} {_TOP}{steps}"/>')
    for row in shown.rows:
        middle = _middle(row["cycle"])
        parts.append(_label(_COLUMNS["clock"], middle + 4, str(row["cycle"])))
        for name, window in (("value", row["window"]), ("out", row["out_window"])):
            if window is not None:
                x, colour = _COLUMNS[name], 8 + window % len(_FILLS)
                parts.append(
                    f'<rect class="wave-s{colour}" x="{x - 22}" y="{middle - 10}" width="44"'
                    f' height="20"/>{_label(x, middle + 4, str(row[name]))}'
                )
    begin, end = _COLUMNS["value"] + 22, _COLUMNS["out"] - 22
    for tap, out in shown.pairs:
        y, to = _middle(tap), _middle(out)
        parts.append(
            f'<path class="wave-s16" d="M{begin} {y}C{end} {y} {begin} {to} {end - 5} {to}"/>'
            f'<path class="wave-s15" d="M{end} {to}l-8 -4v8z"/>'
        )
    return "".join([*parts, "</svg>"])


def _middle(clock: int | None) -> int:
    assert clock is not None
    return _TOP + _PITCH * clock + _PITCH // 2


def _label(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle">{text}</text>'


def alternative(shown: Diagram) -> str:
    """Say what the diagram shows."""
    outs = [row for row in shown.rows if row["out"] is not None]
    leaving = ", ".join(f"{row['out']} in clock {row['cycle']}" for row in outs)
    return (
        f"Timing diagram of {len(shown.rows)} clocks: a value goes in each clock; the windows'"
        f" outputs leave: {leaving}."
    )
