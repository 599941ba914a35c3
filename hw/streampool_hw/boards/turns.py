"""Where a self-test's stream stands, whose frames are of one job, or of several in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..schedule.counters import ModuloCounter


@dataclass(frozen=True)
class Place:
    """Where a stream stands.

    Attributes
    ----------
    turn : Signal
        The place of the job that the beat to come is of.
    frame_last, last : Value
        Whether that beat is its frame's last one, and its round's.
    """

    turn: Signal
    frame_last: Value
    last: Value


class TurnCounter(wiring.Component):
    """Tell every so many steps, as many as the `turn` says, which changes between two rounds.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    turn : In
        The place of the period of this round.
    last : Out(1)
        Whether the step to come, or taken now, is its round's last one.
    """

    step: Signal
    turn: Signal
    last: Signal

    def __init__(self, periods: Sequence[int]):
        self._periods = periods
        super().__init__({"step": In(1), "turn": In(range(len(periods))), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(max(self._periods)))
        m.d.comb += self.last.eq(count == by_turn(self.turn, [n - 1 for n in self._periods]))
        with m.If(self.step):
            m.d.sync += count.eq(Mux(self.last, 0, count + 1))
        return m


def by_turn(turn: Signal, values: Sequence[int]) -> Value:
    """Return the number of whose turn it is."""
    each = [Const(value, max(1, int(max(values)).bit_length())) for value in values]
    return Array(each)[turn] if len(set(values)) > 1 else each[0]


def counter(
    m: Module, name: str, periods: Sequence[int], step: Value, turn: Signal
) -> ModuloCounter | TurnCounter:
    """Return a counter of steps, of one period or of one for each turn."""
    if len(periods) == 1:
        m.submodules[name] = made = ModuloCounter(periods[0])
    else:
        m.submodules[name] = made = TurnCounter(periods)
        m.d.comb += made.turn.eq(turn)
    m.d.comb += made.step.eq(step)
    return made


def follow(m: Module, beats: Sequence[int], frames: int, step: Value) -> Place:
    """Follow rounds of so many frames of each job, in turn, of so many beats."""
    turn = Signal(range(len(beats)))
    frame = counter(m, "frame", beats, step, turn)
    if len(beats) == 1:
        whole = counter(m, "round", [frames * beats[0]], step, turn)
        return Place(turn, frame.last, whole.last)
    m.submodules.round = whole = ModuloCounter(frames * len(beats))
    m.d.comb += whole.step.eq(step & frame.last)
    with m.If(step & frame.last):
        m.d.sync += turn.eq(Mux(turn == len(beats) - 1, 0, turn + 1))
    return Place(turn, frame.last, frame.last & whole.last)
