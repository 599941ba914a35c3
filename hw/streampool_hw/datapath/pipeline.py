"""A pipeline that runs free, one beat a clock, between two streams: steps, cut by FIFOs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from .delay import delay
from .fifo import PipelineFifo

__all__ = ["Pipeline", "State", "Step"]

State = dict[str, Value]
"""Named values that go down a pipeline side by side."""


@dataclass(frozen=True)
class Step:
    """What one clock of the pipeline does.

    Parameters
    ----------
    lane : callable
        ``(module, lane's state, beat's state)`` -> the lane's state a clock later.
    beat : callable
        The beat's state -> that a clock later: what all lanes share.
    clocks : int
        How many clocks it takes; where it is not 1, the lane's registers are inside.
    """

    lane: Callable[[Module, State, State], State]
    beat: Callable[[State], State] = lambda beat: beat
    clocks: int = 1


class Pipeline:
    """Steps one after the other, without clock enables, and so much to one beat a clock.

    A FIFO every few clocks lets each piece stop by itself. It is no component: `build` puts the
    gates into a module, which has the streams.

    Parameters
    ----------
    steps : sequence of Step
        What is done, in order.
    seamless : bool, optional
        Whether who takes the beats may wait and then has to get one each clock.
    parts : bool, optional
        Whether a pipeline of no steps is a FIFO, which parts the two handshakes, and not wires.

    Attributes
    ----------
    latency : int
        Clocks from a beat in to the same beat out; 0 for wires.
    """

    def __init__(self, steps: Sequence[Step], *, seamless: bool = False, parts: bool = False):
        self._pieces = _pieces(
            steps, (PipelineFifo.SEAMLESS if seamless else PipelineFifo.IN_FLIGHT) - 1
        )
        if parts and not self._pieces:
            self._pieces = [[]]
        self.latency = sum(_clocks(piece) + 1 for piece in self._pieces)

    def build(
        self, m: Module, valid: Value, ready: Value, lanes: list[State], beat: State
    ) -> tuple[Value, Value, list[State], State]:
        """Build the gates into a module.

        Parameters
        ----------
        m : Module
            Where they go.
        valid, ready : Value
            The handshake of the beats in; `ready` is driven here unless the pipeline is wires.
        lanes : list of State
            What comes in each lane.
        beat : State
            What all lanes share. What is called ``"last"`` goes with the beat to the end,
            whatever the steps keep.

        Returns
        -------
        valid, ready : Value
            The handshake of the beats out; `ready` is for the caller to drive.
        lanes : list of State
            What comes out in each lane.
        beat : State
            What all lanes share.
        """
        travel = [name for name in beat if name == "last"]
        for number, piece in enumerate(self._pieces):
            credit, write = Signal(name=f"credit_{number}"), valid & ready
            m.d.comb += ready.eq(credit)
            for step in piece:
                lanes = [step.lane(m, lane, beat) for lane in lanes]
                if step.clocks == 1:
                    lanes = [_delayed(m, lane) for lane in lanes]
                beat = step.beat(beat) | {name: beat[name] for name in travel}
                for _ in range(step.clocks):
                    beat = _delayed(m, beat)
                    write = delay(m, write, name="going", reset=True)
            flat = [*beat.values(), *(value for lane in lanes for value in lane.values())]
            layout = data.StructLayout({f"f{k}": value.shape() for k, value in enumerate(flat)})
            m.submodules[f"fifo_{number}"] = fifo = PipelineFifo([layout.size])
            m.d.comb += [credit.eq(fifo.credit), fifo.i.eq(Cat(flat)), fifo.write.eq(write)]
            kept = data.View(layout, fifo.o.payload)
            fields = iter([kept[f"f{k}"] for k in range(len(flat))])
            beat = {name: next(fields) for name in beat}
            lanes = [{name: next(fields) for name in lane} for lane in lanes]
            valid, ready = fifo.o.valid, fifo.o.ready
        return valid, ready, lanes, beat


def _clocks(steps: Sequence[Step]) -> int:
    return sum(step.clocks for step in steps)


def _pieces(steps: Sequence[Step], most: int) -> list[list[Step]]:
    """Cut a pipeline into pieces of `most` clocks or fewer."""
    pieces: list[list[Step]] = []
    for step in steps:
        if not pieces or _clocks(pieces[-1]) + step.clocks > most:
            pieces.append([])
        pieces[-1].append(step)
    return pieces


def _delayed(m: Module, state: State) -> State:
    return {name: delay(m, value, name=name) for name, value in state.items()}
