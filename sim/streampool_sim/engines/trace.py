"""What an engine gives back, and what all engines share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from streampool_golden import Job

from streampool_sim.frames import container


class EngineError(RuntimeError):
    """The simulated core did what no core may do, or an engine could not be made to run."""


class CompilerMissing(EngineError):
    """There is no C++ compiler, so the compiled engine cannot be used."""


Progress = Callable[[int, int], object]
"""Called now and then with the output beats that are there and the beats that are due."""


@dataclass(frozen=True)
class Trace:
    """Everything that crossed the ports of a core in one run.

    Cycles are counted from 0, the first clock after power-up (or after the reset, where the run
    had one in mid-frame). A beat's cycle is the clock in which valid and ready were both high.

    Attributes
    ----------
    fields : tuple of ndarray, shape (beats, lanes)
        Output beats in the order in which they left, for each of ``job.fields_out``, in its
        `container`.
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
    """

    fields: tuple[np.ndarray, ...]
    last: np.ndarray
    in_cycles: np.ndarray
    out_cycles: np.ndarray
    cycles: int
    seconds: float
    engine: str

    @property
    def out(self) -> np.ndarray:
        """The values that left: the first of `fields`."""
        return self.fields[0]

    @classmethod
    def blank(cls, job: Job, frames: int, engine: str = "none") -> "Trace":
        """Return a run of so many frames, all of zeros."""
        beats = frames * job.beats_out
        fields = tuple(np.zeros((beats, job.lanes), container(each)) for each in job.fields_out)
        taken, given = np.zeros(frames * job.beats_in, np.int64), np.zeros(beats, np.int64)
        return cls(fields, np.zeros(beats, np.bool_), taken, given, 0, 0.0, engine)


def check_beats(job: Job, beats: Sequence[np.ndarray]) -> None:
    """Refuse beats that are not those of a job: an array for each field, all of one shape."""
    if len(beats) != len(job.fields_in):
        raise ValueError(f"beats are {len(beats)} arrays; use {len(job.fields_in)}")
    for each in beats:
        if each.ndim != 3 or each.shape != (len(beats[0]), job.beats_in, job.lanes):
            raise ValueError(
                f"frames of shape {each.shape}; use (frames, {job.beats_in}, {job.lanes})"
            )


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
