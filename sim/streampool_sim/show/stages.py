"""Which window each step, partial and beat of a stage belongs to: by its schedule.

A window is numbered as the beats that leave the stage are, from the first frame on: window `i` at
interleaved position `p` in pass `f` is ``(f * No + i) * M + p``.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from streampool_golden.geometry import AXIS_NAMES
from streampool_golden.pool_job import StageShape
from streampool_hw.reduce.stage import AxisStage

from ..engines.named import stages
from .recording import Recording

NONE = -1


class Contradiction(AssertionError):
    """What was recorded is not what the schedule says."""


@dataclass
class StageRun:
    """What a stage did.

    Attributes
    ----------
    name : str
        Of its axis.
    turn : str
        What the axis passes once in: ``frame``, or of columns ``row``.
    stage, shape
        The component, and where it stands.
    clocks : list of int
        Of its steps.
    taken : list of bool
        Whether a step takes an input; else a window drains by itself.
    leaves : list of int
        The window that leaves in each step, `NONE` where none does.
    queues : list of list of int
        After each step the windows in the queue of the position that it was at, oldest first:
        `NONE` where there is none.
    full : list of int
        Of each window, the clock of the step that took its last tap.
    live : list of int
        Partials alive after each step, in all positions.
    writes : list of (clocks, values)
        Of each place of the queue, when its word was written, once per step, and by lane what.
    inputs : list of array
        By lane, the value of each step that took one.
    puts : ndarray
        Clocks in which a beat went into the FIFO, one for each window.
    values : list of array
        By lane, these beats.
    gives : ndarray
        Clocks in which a beat left the FIFO.
    """

    name: str
    turn: str
    stage: AxisStage
    shape: StageShape
    clocks: list[int] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    queues: list[list[int]] = field(default_factory=list)
    full: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    writes: list[tuple[np.ndarray, list[np.ndarray]]] = field(default_factory=list)
    inputs: list[np.ndarray] = field(default_factory=list)
    puts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    values: list[np.ndarray] = field(default_factory=list)
    gives: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def runs(recording: Recording) -> list[StageRun]:
    """Follow the stages of a core through a run, in stream order."""
    built, shapes = stages(recording.core).items(), recording.job.stages
    return [follow(recording, *each, shape) for each, shape in zip(built, shapes, strict=True)]


def follow(recording: Recording, name: str, stage: AxisStage, shape: StageShape) -> StageRun:
    """Follow a stage through a run.

    Raises
    ------
    Contradiction
        If the recorded registers do something else than the schedule says.
    """
    names = AXIS_NAMES[len(recording.job.size)]
    turn = "frame" if shape.runs == 1 else names[shape.axis - 1].removesuffix("s")
    run = StageRun(name, turn, stage, shape)
    _step(run, recording)
    _attach(run, recording)
    return run


def _step(run: StageRun, recording: Recording) -> None:
    """Play the schedule on the steps that were recorded."""
    values, plan, m = recording.values, run.stage.plan, run.shape.m
    path, length, outputs = f"core.{run.name}", plan.axis.length, plan.axis.outputs
    take = values[f"{path}.take"]
    never = [0] * len(take)
    credit, between, draining = (
        values.get(f"{path}.{name}", never) for name in ("fifo.credit", "between", "draining")
    )
    taps = [plan.axis.taps(i) for i in range(outputs)]
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for i, each in enumerate(taps):
        begins.setdefault(each[0], []).append(i)
        ends.setdefault(each[-1], []).append(i)
    queues = [[NONE] * plan.partials for _ in range(m)]
    full: dict[int, int] = {}
    inputs = given = live = 0
    leave, own_slots = plan.leave, set(plan.leave)
    for clock, taken in enumerate(take):
        if not taken and not (credit[clock] and between[clock]):
            continue
        own = False
        queue = [*queues[len(run.clocks) % m], NONE]
        shifts = True
        if taken:
            (turn, slot), at = divmod(inputs // m, length), inputs % m
            for i in begins.get(slot, ()):
                queue[_place(run, i, slot)] = (turn * outputs + i) * m + at
                live += 1
            for i in ends.get(slot, ()):
                full[(turn * outputs + i) * m + at] = clock
            own = slot in own_slots
            shifts = plan.always_shifts or own or slot < plan.overlap
            inputs += 1
        leaving = NONE
        if own or draining[clock]:
            leaving = queue[0]
            if leaving != given:
                raise Contradiction(f"{run.name}, clock {clock}: {leaving} leaves, not {given}")
            given, live = given + 1, live - 1
        queue = queue[1:] if shifts else queue[:-1]
        queues[len(run.clocks) % m] = queue
        run.clocks.append(clock)
        run.taken.append(bool(taken))
        run.leaves.append(leaving)
        run.queues.append(queue)
        run.live.append(live)
    run.full = [full.get(window, NONE) for window in range(max(full, default=NONE) + 1)]
    assert len(leave) == outputs


def _place(run: StageRun, i: int, slot: int) -> int:
    """Return where in the queue a window is that starts in a slot."""
    plan = run.stage.plan
    if plan.always_shifts:
        return plan.leave[i] - slot
    return plan.overlap + i - (min(slot, plan.overlap) + bisect_left(plan.leave, slot))


def _attach(run: StageRun, recording: Recording) -> None:
    """Give steps and windows the values that the registers had, and check when they had them."""
    path, lanes, partials = f"core.{run.name}", recording.job.lanes, run.stage.plan.partials
    numbers = recording.numbers
    takes = [clock for clock, taken in zip(run.clocks, run.taken, strict=True) if taken]
    run.inputs = [
        np.array(numbers[f"{path}.i__payload", lane])[np.array(takes, int)] for lane in range(lanes)
    ]
    run.puts = recording.when(f"{path}.fifo.write")
    run.values = [np.array(numbers[f"{path}.fifo.i", lane])[run.puts] for lane in range(lanes)]
    steps = [clock for clock, out in zip(run.clocks, run.leaves, strict=True) if out != NONE]
    late = run.stage.latency - 1
    due = np.array([clock + late for clock in steps], int)
    if not np.array_equal(run.puts, due[due < len(recording.values["i__valid"])]):
        raise Contradiction(f"{run.name}: beats go into the FIFO in other clocks than they leave")
    valid, ready = (recording.values[f"{run.name}.o__{side}"] for side in ("valid", "ready"))
    run.gives = np.flatnonzero(np.array(valid) & np.array(ready))
    for place in range(partials):
        run.writes.append(_writes(recording, run, place))


def _writes(recording: Recording, run: StageRun, place: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return when the words of a place of the queue were written, and by lane what."""
    path, partials = f"core.{run.name}.bank_", run.stage.plan.partials
    banks = {key for key in recording.values if key.startswith(path) and key.endswith("write_en")}
    own = len({key.split(".")[3] for key in banks}) == partials > 1  # a store for each place
    clocks: np.ndarray = np.zeros(0, np.int64)
    lanes: list[np.ndarray] = []
    for bank in range(len({key.split(".")[2] for key in banks})):
        store = f"{path}{bank}.store_{place if own else 0}"
        clocks = recording.when(f"{store}.write_en")
        held = sum(key[0] == f"{store}.write_data" for key in recording.numbers)
        each = held if own else held // partials
        first = 0 if own else place * each
        lanes += [
            np.array(recording.numbers[f"{store}.write_data", first + lane])[clocks]
            for lane in range(each)
        ]
    return clocks, lanes
