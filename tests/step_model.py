"""When a stage may take its inputs and let its windows leave: the schedule's definition, by hand.

Written from the statements alone, to check cores against: windows leave in order, at most one per
slot, as early as their last real tap allows; what is left of a frame leaves by itself, one beat
per clock, until the next one's first beat is there, and then along with its beats.
"""

from collections.abc import Sequence

from streampool_golden import Axis, PoolJob


def leave_slots(axis: Axis, idle: int = 0) -> tuple[list[int], int]:
    """Return the slot in which each window leaves, and the period.

    Parameters
    ----------
    axis : Axis
        The axis.
    idle : int
        Slots of the period beyond the more of inputs and outputs.
    """
    period = max(axis.length, axis.outputs) + idle
    leave: list[int] = []
    for _ in range(3):  # the frame before may hold up the first windows
        previous = leave[-1] - period if leave else -1
        leave = []
        for i in range(axis.outputs):
            previous = max(previous + 1, max(axis.taps(i)))
            leave.append(previous)
    return leave, period


def stage_steps(
    axis: Axis, m: int, arrivals: Sequence[int], idle: int = 0
) -> tuple[list[int], list[int]]:
    """Return the clocks in which inputs are taken and in which windows leave.

    Parameters
    ----------
    axis, idle
        As for `leave_slots`.
    m : int
        Beats from a position to the next.
    arrivals : sequence of int
        The clock from which each input beat is there; whole frames of the axis.
    """
    leave, period = leave_slots(axis, idle)
    own = {slot for slot in leave if slot < axis.length}
    drain = sum(slot >= axis.length for slot in leave) * m
    overlap = sum(slot >= period for slot in leave) * m
    takes: list[int] = []
    leaves: list[int] = []
    left, clock, beats = 0, 0, axis.length * m
    assert len(arrivals) % beats == 0
    while len(takes) < len(arrivals) or left:
        beat = len(takes) % beats
        there = len(takes) < len(arrivals) and arrivals[len(takes)] <= clock
        if there and (beat or left <= overlap):
            takes.append(clock)
            if left:
                leaves.append(clock)
                left -= 1
            elif beat // m in own:
                leaves.append(clock)
            if beat == beats - 1:
                assert not left
                left = drain
        elif beat == 0 and left:
            leaves.append(clock)
            left -= 1
        clock += 1
    return takes, leaves


def core_steps(
    job: PoolJob, arrivals: Sequence[int], idle: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the clocks in which a core takes its inputs and lets its outputs leave.

    All stages count in one time, as if each had its inputs in the clock in which they leave the
    one before; a core's outputs are `latency` clocks later. Where a growing axis stands behind
    another, what waits for it is not modelled.

    Parameters
    ----------
    job : PoolJob
        The job.
    arrivals : sequence of int
        The clock from which each input beat is offered.
    idle : sequence of int
        Idle slots of each stage's plan.
    """
    first: list[int] | None = None
    times = list(arrivals)
    for stage, spare in zip(job.stages, idle, strict=True):
        takes, times = stage_steps(stage.along, stage.m, times, spare)
        first = takes if first is None else first
    return (times if first is None else first), times
