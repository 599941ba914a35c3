"""What an engine gives back, and what all engines share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from streampool_golden import DType, Field, Job


class EngineError(RuntimeError):
    """The simulated core did what no core may do, or an engine could not be made to run."""


class CompilerMissing(EngineError):
    """There is no C++ compiler, so the compiled engine cannot be used."""


class Progress(Protocol):
    """Called now and then with the output beats that are there and the beats that are due."""

    def __call__(self, done: int, total: int, /) -> None:
        """Take note of the progress."""


@dataclass(frozen=True)
class Trace:
    """Everything that crossed the ports of a core in one run.

    Cycles are counted from 0, the first clock after power-up (or after the reset, where the run
    had one in mid-frame). A beat's cycle is the clock in which valid and ready were both high.

    Attributes
    ----------
    out : ndarray, shape (beats, lanes), the output's container dtype
        Output beats in the order in which they left.
    last : ndarray of bool, shape (beats,)
        The `last` flag of each output beat.
    in_cycles, out_cycles : ndarray of int64, shapes (input beats,) and (beats,)
        The cycle in which each beat crossed.
    cycles : int
        Clocks simulated, those after the last beat included.
    seconds : float
        Wall time of the simulation alone, without elaboration and compilation.
    engine : str
        `"amaranth"` or `"fast"`; `"none"` where there was no frame.
    indices : ndarray of int64, shape (beats, lanes), or None
        The index beside each value, where the core gives them.
    """

    out: np.ndarray
    last: np.ndarray
    in_cycles: np.ndarray
    out_cycles: np.ndarray
    cycles: int
    seconds: float
    engine: str
    indices: np.ndarray | None = None

    @property
    def fields(self) -> list[np.ndarray]:
        """What left for each of the job's fields: `out`, and `indices` where there are some."""
        return [self.out] if self.indices is None else [self.out, self.indices]

    @classmethod
    def empty(cls, job: Job) -> "Trace":
        """Return the run of no frame, which no engine has to make."""
        out, none = np.zeros((0, job.lanes), job.output.raw.numpy), np.zeros(0, np.int64)
        return cls(out, np.zeros(0, np.bool_), none, none, 0, 0.0, "none")


def index_port(fields: Sequence[Field]) -> DType | None:
    """Return the type of the indices at a port, None where it has none."""
    return fields[1].port if len(fields) > 1 else None


def check_beats(job: Job, frames: np.ndarray, indices: np.ndarray | None) -> None:
    """Refuse beats that are not those of a job.

    Raises
    ------
    ValueError
        If a shape is wrong, or indices are given to a core that takes none or the reverse.
    """
    if frames.ndim != 3 or frames.shape[1:] != (job.beats_in, job.lanes):
        raise ValueError(
            f"frames of shape {frames.shape}; take (frames, {job.beats_in}, {job.lanes})"
        )
    if (indices is None) != (index_port(job.fields_in) is None):
        raise ValueError("indices go to an UnpoolCore, and to no other core")
    if indices is not None and indices.shape != frames.shape:
        raise ValueError(f"indices of shape {indices.shape}; take that of frames, {frames.shape}")


def quiet_bound(job: Job, latency: int) -> int:
    """Clocks without any beat, both sides willing, after which a core counts as stuck.

    The longest honest silence is a pipeline's latency, or a drain whose windows are swallowed by
    the next stage; both are far below this.
    """
    return 1000 + 16 * latency + 4 * (job.beats_in + job.beats_out)


def surplus_clocks(job: Job, latency: int) -> int:
    """Clocks to run on after the last beat, in which a surplus beat would show itself."""
    return 64 + 2 * latency + min(job.beats_out, 4096)


def stuck_message(done: int, total: int, cycle: int, bound: int) -> str:
    """The sentence for a core from which nothing comes any more."""
    return (
        f"the core stopped after {done} of {total} output beats: no beat moved for {bound} clocks "
        f"with both sides willing (cycle {cycle})"
    )


def surplus_message(total: int, cycle: int) -> str:
    """The sentence for a core that gives more than its frames hold."""
    return f"the core gave more than the {total} output beats of its frames (cycle {cycle})"
