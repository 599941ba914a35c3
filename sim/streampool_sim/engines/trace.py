"""What an engine gives back, and what is the same in all engines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from streampool_golden import Job
from streampool_hw import Core

from streampool_sim.frames import container

from .stalls import RUBBISH, SINK, SOURCE, base, threshold


class EngineError(RuntimeError):
    """The simulated core did what no core may do, or an engine could not be made to run."""


class CompilerMissing(EngineError):
    """There is no C++ compiler, so the compiled engine cannot be used."""


Progress = Callable[[int, int], object]
"""Called now and then with the output beats that are there and the beats that are due."""

Stall = float | tuple[float, float]
"""The probability that a side is idle in a clock; of the source and of the sink, as a pair."""


@dataclass(frozen=True)
class Trace:
    """Everything that crossed the ports of a core in one run.

    Cycles are counted from 0, the first clock after power-up (or after the reset, where the run
    had one in mid-frame). A beat's cycle is the clock in which valid and ready were both high.

    `fields` are the output beats in the order in which they left, ``(beats, lanes)``, for each of
    ``job.fields_out`` in its `container`; `last` has their flags, `in_cycles` and `out_cycles` the
    cycles in which beats crossed. `cycles` counts the clocks, those after the last beat included,
    and `seconds` are the simulation's alone, without elaboration and compilation. `engine` is
    ``"amaranth"`` or ``"fast"``; ``"none"`` where there was no frame.
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
        fields = tuple(
            np.zeros((beats, job.layout_out.values), container(each)) for each in job.fields_out
        )
        taken, given = np.zeros(frames * job.beats_in, np.int64), np.zeros(beats, np.int64)
        return cls(fields, np.zeros(beats, np.bool_), taken, given, 0, 0.0, engine)


class RunPlan:
    """What is the same of a run in every engine: its beats, its stalls, and when it is given up.

    Refuses beats that are not those of the core's job: an array for each field, all of one shape.
    """

    def __init__(
        self, core: Core, beats: Sequence[np.ndarray], count: int | None, stall: Stall, seed: int
    ):
        job, latency, values = core.job, core.latency, core.job.layout_in.values
        if len(beats) != len(job.fields_in):
            raise ValueError(f"beats are {len(beats)} arrays; use {len(job.fields_in)}")
        for each in beats:
            if each.ndim != 3 or each.shape != (len(beats[0]), job.beats_in, values):
                raise ValueError(
                    f"frames of shape {each.shape}; use (frames, {job.beats_in}, {values})"
                )
        self.frames = len(beats[0]) if count is None else count
        self.beats_in, self.beats_out = self.frames * job.beats_in, self.frames * job.beats_out
        both = stall if isinstance(stall, tuple) else (stall, stall)
        self.source_threshold, self.sink_threshold = map(threshold, both)
        self.source, self.sink, self.rubbish = (base(seed, use) for use in (SOURCE, SINK, RUBBISH))
        # Clocks without any beat, both sides willing, after which a core counts as stuck. The
        # longest honest silence is a pipeline's latency, or a drain whose windows are swallowed by
        # the next stage; both are far below this.
        self.quiet_bound = 1000 + 16 * latency + 4 * (job.beats_in + job.beats_out)
        # Clocks to run on after the last beat, in which a surplus beat would show itself
        self.surplus_clocks = 64 + 2 * latency + min(job.beats_out, 4096)

    def stuck(self, done: int, cycle: int) -> EngineError:
        """Return the error of a core from which nothing comes any more."""
        return EngineError(
            f"the core stopped after {done} of {self.beats_out} output beats: no beat moved for"
            f" {self.quiet_bound} clocks with both sides willing (cycle {cycle})"
        )

    def surplus(self, cycle: int) -> EngineError:
        """Return the error of a core that gives more than its frames hold."""
        return EngineError(
            f"the core gave more than the {self.beats_out} output beats of its frames"
            f" (cycle {cycle})"
        )

    def unstable(self, cycle: int) -> EngineError:
        """Return the error of a core whose output did not wait as it was until it was taken."""
        return EngineError(f"the core changed an output beat before it was taken (cycle {cycle})")
