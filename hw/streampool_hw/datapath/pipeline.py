"""A free-running pipeline between two streams, one beat per clock: steps, cut by FIFOs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Self, dataclass_transform

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value, ValueLike
from amaranth.lib import data
from amaranth.utils import bits_for
from streampool_golden import Accumulator, DType

from .fifo import PipelineFifo


def lane_shape(held: DType | Accumulator) -> Shape:
    """Return the shape of a lane that holds numbers of a type or a range."""
    return Shape(held.bits, held.signed)


def range_shape(low: int, high: int) -> Shape:
    """Return the shape that holds `low` to `high`: as of a range, which has 63 bits at most."""
    if low == high == 0:
        return Shape(0)
    signed = low < 0
    return Shape(max(bits_for(low, signed), bits_for(high, signed)), signed)


def delay(
    m: Module, value: ValueLike, clocks: int = 1, *, name: str, init: int = 0, reset: bool = False
) -> Value:
    """Return `value` as it was `clocks` ago, from a chain of registers; a constant as it is.

    The registers start as `init`; with `reset`, which control needs and data does not, a reset
    sets them to that again.
    """
    value = Value.cast(value)
    if isinstance(value, Const):
        return value
    for _ in range(clocks):
        register = Signal(value.shape(), name=name, init=init, reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value


def copies(m: Module, levels: int, bit: Value, *, reset: bool = False) -> list[Value]:
    """Return ``2 ** levels`` copies of a bit as it was `levels` clocks ago, by a tree of registers.

    Of two registers with the same input one holds it inverted: synthesis would merge them.
    """
    found = [bit]
    for _ in range(levels):
        inverted = [~delay(m, ~each, name="control", init=1, reset=reset) for each in found]
        found = [delay(m, each, name="control", reset=reset) for each in found] + inverted
    return found


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Bundle:
    """Values that go down a pipeline side by side; each subclass is a dataclass that names them.

    A field is a value, another bundle, or a tuple of values.
    """

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)

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


class Nothing(Bundle):
    """No values."""


@dataclass(frozen=True)
class Step:
    """What one clock of a pipeline does.

    `lane` takes the module, a lane's bundle and the bundle that all lanes share, and returns the
    lane's a clock later; the module is for what takes more `clocks` than one, and has its registers
    inside. `beat` does so with the shared bundle.
    """

    lane: Callable[[Module, Any, Any], Bundle]
    beat: Callable[[Any], Bundle] = lambda beat: beat
    clocks: int = 1


def advance(
    m: Module, step: Step, lanes: Sequence[Bundle], beats: Sequence[Bundle]
) -> tuple[list[Bundle], list[Bundle]]:
    """Return what a step makes of the lanes and of what they share, in registers."""

    def late(bundle: Bundle, clocks: int) -> Bundle:
        return bundle.map(lambda name, value: delay(m, value, clocks, name=name))

    each = len(lanes) // len(beats)
    lanes = [step.lane(m, lane, beats[number // each]) for number, lane in enumerate(lanes)]
    if step.clocks == 1:
        lanes = [late(lane, 1) for lane in lanes]
    return lanes, [late(step.beat(beat), step.clocks) for beat in beats]


class Pipeline:
    """Steps one after the other, without clock enables, one beat per clock.

    A FIFO every few clocks lets each piece stop by itself. It is no component: `build` puts the
    gates into a module, which has the streams. `seamless` says that who takes the beats may wait
    and then has to get one each clock; `far` that each FIFO's credit comes back through a register,
    but for where it is seamless, which leaves no clock for that; `decouples` that a pipeline of no
    steps is a FIFO between the two handshakes, and not wires. `latency` is 0 for wires. `fifo`
    makes the FIFOs.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        seamless: bool = False,
        far: bool = False,
        decouples: bool = False,
        fifo: Callable[[Sequence[int]], PipelineFifo] = PipelineFifo,
    ):
        self._fifo = fifo
        most = PipelineFifo.SEAMLESS if seamless else PipelineFifo.IN_FLIGHT
        self._far = far and not seamless
        self._pieces = _pieces(steps, most - 1 - self._far)
        if decouples and not self._pieces:
            self._pieces = [[]]
        self.latency = sum(step.clocks for step in steps) + len(self._pieces)  # a FIFO takes one

    def build(
        self, m: Module, valid: Value, ready: Value, lanes: Sequence[Bundle], *beats: Bundle
    ) -> tuple[Value, Value, list[Any], Any]:
        """Build the gates into a module; return the same of the beats out, of `beats` the first.

        The handshake's `ready` is driven here, unless the pipeline is wires; that of the beats out
        is for the caller to drive. A bundle of `beats` is what all lanes share; with several of
        them, each is what so many adjacent lanes share.
        """
        lanes, shared = list(lanes), list(beats)
        for number, piece in enumerate(self._pieces):
            credit, write = Signal(name=f"credit_{number}"), valid & ready
            m.d.comb += ready.eq(credit)
            for step in piece:
                lanes, shared = advance(m, step, lanes, shared)
                write = delay(m, write, step.clocks, name="going", reset=True)
            leaves = [value for bundle in (*shared, *lanes) for _, value in bundle.leaves]
            flat = [value for value in leaves if not isinstance(value, Const)]
            layout = data.StructLayout({f"f{k}": value.shape() for k, value in enumerate(flat)})
            m.submodules[f"fifo_{number}"] = fifo = self._fifo([layout.size])
            m.d.comb += [fifo.i.eq(Cat(flat)), fifo.write.eq(write)]
            m.d.comb += credit.eq(fifo.credit_at(m, far=self._far))
            kept = data.View(layout, fifo.o.payload)
            left = iter([kept[f"f{k}"] for k in range(len(flat))])
            shared, lanes = (
                [bundle.map(partial(_taken, left)) for bundle in bundles]
                for bundles in (shared, lanes)
            )
            valid, ready = fifo.o.valid, fifo.o.ready
        return valid, ready, lanes, shared[0]


def _taken(left: Iterator[Value], name: str, value: Value) -> Value:
    """Return what came out of a FIFO in the place of a value; a constant did not go through it."""
    return value if isinstance(value, Const) else next(left)


def _pieces(steps: Sequence[Step], most: int) -> list[list[Step]]:
    """Cut a pipeline into pieces of `most` clocks or fewer."""
    pieces: list[list[Step]] = []
    for step in steps:
        if not pieces or sum(each.clocks for each in [*pieces[-1], step]) > most:
            pieces.append([])
        pieces[-1].append(step)
    return pieces
