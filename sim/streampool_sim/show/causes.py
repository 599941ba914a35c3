"""Why a clock passes without a beat at the input or at the output."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from streampool_golden import PoolJob

from .recording import Recording
from .stages import StageRun

TAKEN, ENDED, IDLE, REFUSED = range(4)
"""What happens at the input: a beat is taken; all are in; none is offered; it has to wait."""

GIVEN, STALLED, TAPS, PIPELINE, TURN, DONE = range(6)
"""What happens at the output: a beat leaves; it has to wait; the next window has taps to come; it
is on its way; it waits for its turn to leave; all are out."""

COUNTED = {
    "idle": ("input idle", "clocks in which the source offered nothing"),
    "receiver": ("input refused", "clocks, because the receiver had not taken outputs"),
    "drain": ("input held back", "clocks, because windows of the row or frame before had to leave"),
    "stalled": (
        "output stalled",
        "clocks in which the receiver did not take an output",
    ),
}
"""Stalls that are counted: a name for each, and what is counted."""


@dataclass
class Causes:
    """Why, clock by clock.

    Attributes
    ----------
    inputs, outputs : list of int
        What happens at either side, as above.
    refusals : list of int
        Where an input is refused, which of `sentences` says why; -1 elsewhere.
    sentences : list of str
        From the part that refuses it to the cause.
    roots : list of str
        The cause of each sentence: one of `COUNTED`.
    """

    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)

    def stalls(self, first: int, end: int) -> dict[str, int]:
        """Return how many clocks were lost from `first` to `end`, by cause."""
        found = dict.fromkeys(COUNTED, 0)
        found["idle"] = self.inputs[first:end].count(IDLE)
        found["stalled"] = self.outputs[first:end].count(STALLED)
        for refusal in self.refusals[first:end]:
            if refusal >= 0:
                found[self.roots[refusal]] += 1
        return found


def causes(recording: Recording, runs: Sequence[StageRun]) -> Causes:
    """Find the causes of a run."""
    found = Causes()
    _inputs(found, recording, runs)
    _outputs(found, recording, runs)
    return found


def pieces(recording: Recording, pipeline: str) -> list[str]:
    """Return the paths of the FIFOs of ``preprocess`` or ``postprocess``, in stream order."""
    paths = [
        path.removesuffix(".level")
        for path in recording.values
        if path.startswith(f"core.{pipeline}.fifo_") and path.endswith(".level")
    ]
    return sorted(paths, key=lambda path: int(path.rpartition("_")[2]))


_BEFORE = {
    "receiver": "since the receiver was not ready before",
    "drain": "since windows of a row or frame had to leave first",
}
"""Why a FIFO is full though its beats are taken now, by the cause."""


@dataclass(frozen=True)
class _Part:
    """A part on the way: whether it takes a beat, has room, and has to let a drain go first."""

    name: str
    takes: list[int]
    room: list[int]
    blocked: list[int]
    turn: str = ""


def _way(recording: Recording, runs: Sequence[StageRun]) -> list[_Part]:
    values = recording.values
    never = [0] * len(values["i__valid"])

    def plain(pipeline: str) -> list[_Part]:
        paths = [f"{path}.credit" for path in pieces(recording, pipeline)]
        return [_Part(f"the {pipeline}ing", values[path], values[path], never) for path in paths]

    pooling = [
        _Part(
            f"the {run.name} stage",
            values[f"{run.name}.i__ready"],
            values[f"core.{run.name}.fifo.credit"],
            values.get(f"core.{run.name}.blocked", never),
            run.turn,
        )
        for run in runs
    ]
    return [*plain("preprocess"), *pooling, *plain("postprocess")]


@dataclass(frozen=True)
class _Reason:
    """Why a part has no room: what began it, of which kind that is, and who waits because of it."""

    start: str
    root: str
    waiting: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = list(dict.fromkeys(self.waiting))
        if not names:
            return self.start
        some = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        return f"{self.start}, so {some} {'have' if len(names) > 1 else 'has'} no room"


def _inputs(found: Causes, recording: Recording, runs: Sequence[StageRun]) -> None:
    """Go from the part that refuses an input on to the one that makes all of them wait."""
    values, sent, way = recording.values, 0, _way(recording, runs)
    roots = ["receiver"] * (len(way) + 1)  # of the last time that each part had to wait
    known: dict[_Reason, int] = {}
    beats = recording.count * recording.job.beats_in
    sides = zip(values["i__valid"], values["i__ready"], strict=True)
    for clock, (valid, ready) in enumerate(sides):
        state = TAKEN if valid and ready else REFUSED if valid else IDLE if sent < beats else ENDED
        sent += state == TAKEN
        receiver = _Reason("the receiver is not ready", "receiver")
        why = None if values["o__ready"][clock] else receiver
        for at, part in reversed(list(enumerate(way))):
            if part.takes[clock]:
                why = None
                continue
            if part.blocked[clock] and part.room[clock]:
                first = f"{part.name} lets windows of the {part.turn} before leave first"
                why = _Reason(first, "drain")
            elif why is not None:
                why = replace(why, waiting=(*why.waiting, part.name))
            else:  # who comes behind takes beats again, but so far too few
                root = roots[at + 1]
                full = f"the FIFO of {part.name} is still half full, {_BEFORE[root]}"
                why = _Reason(full, root)
            roots[at] = why.root
        refusal = -1
        if state == REFUSED and why is not None:
            refusal = known.setdefault(why, len(known))
        found.inputs.append(state)
        found.refusals.append(refusal)
    found.sentences = [str(why) for why in known]
    found.roots = [why.root for why in known]


def _outputs(found: Causes, recording: Recording, runs: Sequence[StageRun]) -> None:
    """Say what the next output waits for."""
    values, clocks = recording.values, len(recording.values["i__valid"])
    given, beats = 0, recording.count * recording.job.beats_out
    end = clocks + 1
    full = [clock if clock >= 0 else end for clock in runs[-1].full] if runs else []
    left = [end] * len(full)
    for clock, window in zip(runs[-1].clocks, runs[-1].leaves, strict=True) if runs else ():
        if window >= 0:
            left[window] = clock
    last = last_taps(recording, runs)
    for clock in range(clocks):
        valid, ready = values["o__valid"][clock], values["o__ready"][clock]
        if valid:
            state = GIVEN if ready else STALLED
        elif given == beats:
            state = DONE
        elif given >= len(last) or clock < last[given]:
            state = TAPS
        elif given < len(full) and full[given] < clock <= left[given]:
            state = TURN
        else:
            state = PIPELINE
        given += state == GIVEN
        found.outputs.append(state)


def last_taps(recording: Recording, runs: Sequence[StageRun]) -> list[int]:
    """Return the clock in which the last tap of each output beat came in, of those that did."""
    job = recording.job
    taken = recording.trace.in_cycles
    beat = last_tap_beats(job)
    found: list[int] = []
    for out in range(recording.count * job.beats_out):
        frame, at = divmod(out, job.beats_out)
        number = frame * job.beats_in + int(beat[at])
        if number >= len(taken):
            break
        found.append(int(taken[number]))
    return found


def last_tap_beats(job: PoolJob) -> np.ndarray:
    """Return of each output beat of a frame the input beat that has its last tap."""
    at = np.unravel_index(np.arange(job.layout_out.positions), job.out_size)
    last = [np.array([axis.taps(i)[-1] for i in range(axis.outputs)])[along]
            for axis, along in zip(job.axes, at, strict=True)]  # fmt: skip
    position = np.ravel_multi_index(last, job.size)
    fold = job.fold
    return (position[:, None] * fold + np.arange(fold)).reshape(-1)
