"""A free-running pipeline between two streams, one beat a clock: steps, cut by FIFOs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from .delay import delay
from .fifo import PipelineFifo


@dataclass(frozen=True)
class Bundle:
    """Values that go down a pipeline side by side: the base of dataclasses that name them.

    A field is a value, another bundle, or a tuple of values.
    """

    def map(self, change: Callable[[str, Value], Value]) -> Self:
        """Return the bundle with ``change(name, value)`` in the place of each value, in order."""
        found: dict[str, Any] = {}
        for field in fields(self):
            held, name = getattr(self, field.name), field.name
            if isinstance(held, Bundle):
                found[name] = held.map(change)
            elif isinstance(held, tuple):
                found[name] = tuple(change(f"{name}_{k}", each) for k, each in enumerate(held))
            else:
                found[name] = change(name, Value.cast(held))
        return replace(self, **found)

    @property
    def leaves(self) -> list[tuple[str, Value]]:
        """Every value with its name, in order."""
        found: list[tuple[str, Value]] = []

        def note(name: str, value: Value) -> Value:
            found.append((name, value))
            return value

        self.map(note)
        return found


@dataclass(frozen=True)
class Nothing(Bundle):
    """No values."""


@dataclass(frozen=True)
class Step:
    """What one clock of a pipeline does.

    Parameters
    ----------
    lane : callable
        ``(module, lane's bundle, beat's bundle)`` -> the lane's bundle a clock later. The module
        is for what takes more clocks than one.
    beat : callable, optional
        The bundle that all lanes share -> the same a clock later.
    clocks : int, optional
        How many clocks it takes; where it is not 1, the lane's registers are inside.
    """

    lane: Callable[[Module, Any, Any], Bundle]
    beat: Callable[[Any], Bundle] = lambda beat: beat
    clocks: int = 1


def advance(
    m: Module, step: Step, lanes: Sequence[Bundle], beat: Bundle
) -> tuple[list[Bundle], Bundle]:
    """Return what a step makes of the lanes and of what they share, in registers."""

    def late(bundle: Bundle) -> Bundle:
        return bundle.map(lambda name, value: delay(m, value, name=name))

    lanes = [step.lane(m, lane, beat) for lane in lanes]
    if step.clocks == 1:
        lanes = [late(lane) for lane in lanes]
    beat = step.beat(beat)
    for _ in range(step.clocks):
        beat = late(beat)
    return lanes, beat


class Pipeline:
    """Steps one after the other, without clock enables, one beat a clock.

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
        most = PipelineFifo.SEAMLESS if seamless else PipelineFifo.IN_FLIGHT
        self._pieces = _pieces(steps, most - 1)
        if parts and not self._pieces:
            self._pieces = [[]]
        self.latency = sum(_clocks(piece) + 1 for piece in self._pieces)

    def build(
        self, m: Module, valid: Value, ready: Value, lanes: Sequence[Bundle], beat: Bundle
    ) -> tuple[Value, Value, list[Any], Any]:
        """Build the gates into a module.

        Parameters
        ----------
        m : Module
            Where they go.
        valid, ready : Value
            The handshake of the beats in; `ready` is driven here unless the pipeline is wires.
        lanes : sequence of Bundle
            What comes in each lane.
        beat : Bundle
            What all lanes share.

        Returns
        -------
        valid, ready : Value
            The handshake of the beats out; `ready` is for the caller to drive.
        lanes : list of Bundle
            What comes out in each lane.
        beat : Bundle
            What all lanes share.
        """
        lanes = list(lanes)
        for number, piece in enumerate(self._pieces):
            credit, write = Signal(name=f"credit_{number}"), valid & ready
            m.d.comb += ready.eq(credit)
            for step in piece:
                lanes, beat = advance(m, step, lanes, beat)
                write = delay(m, write, step.clocks, name="going", reset=True)
            flat = [value for bundle in (beat, *lanes) for _, value in bundle.leaves]
            layout = data.StructLayout({f"f{k}": value.shape() for k, value in enumerate(flat)})
            m.submodules[f"fifo_{number}"] = fifo = PipelineFifo([layout.size])
            m.d.comb += [credit.eq(fifo.credit), fifo.i.eq(Cat(flat)), fifo.write.eq(write)]
            kept = data.View(layout, fifo.o.payload)
            left = iter([kept[f"f{k}"] for k in range(len(flat))])
            beat, *lanes = [
                bundle.map(lambda name, value, left=left: next(left)) for bundle in (beat, *lanes)
            ]
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
