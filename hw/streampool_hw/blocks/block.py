"""What a block is: arithmetic on one lane, in steps of a clock each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Array, Const, Module, Shape, ShapeLike, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden.dtypes import width

from ..datapath.pipeline import Bundle, Step, advance
from ..schedule.settings import CONSTANTS


@dataclass(frozen=True)
class Number(Bundle):
    """A lane that holds one number."""

    value: Value


@dataclass(frozen=True)
class Window(Bundle):
    """What the lanes of a beat share: whether it is its frame's last, and its kind of window."""

    last: Value
    which: Value


class Block:
    """Arithmetic on one lane, free-running: a result a clock, `latency` clocks after its input.

    It is a list of steps, since a core's `Pipeline` lays them out for all lanes and cuts them by
    FIFOs wherever their count says. `BlockComponent` makes a component of a block alone. `model`
    says in plain integers what it does: the members of `i`, and `which` where there are kinds of
    windows, to the member of `o`, or a tuple of them.

    Parameters
    ----------
    steps : sequence of Step
        What it does, clock by clock.
    i, o : mapping of str to ShapeLike
        What comes in and what goes out, by name.
    kinds : int, optional
        Kinds of windows: what is done may depend on a beat's.

    Attributes
    ----------
    steps : tuple of Step
        As above.
    latency : int
        Clocks from what comes in to what goes out.
    i, o : StructLayout
        As above.
    kinds : int
        As above.
    settings : Settings
        Where tables of constants come from.
    TAKES : type of Bundle
        What a lane has to hold: the members of `i`.
    """

    settings = CONSTANTS

    TAKES: ClassVar[type[Bundle]] = Number

    model: Callable[..., Any]

    def __init__(
        self,
        steps: Sequence[Step],
        i: Mapping[str, ShapeLike],
        o: Mapping[str, ShapeLike],
        kinds: int = 1,
    ):
        self.steps = tuple(steps)
        self.latency = sum(step.clocks for step in steps)
        self.i, self.o, self.kinds = data.StructLayout(i), data.StructLayout(o), kinds

    def beat(self, which: Value) -> Bundle:
        """Return what the lanes of a beat have to share."""
        return Window(Const(0, 1), which)

    def look_up(self, name: str, row: Sequence[int], which: Value) -> Value:
        """Return the entry of a table of constants that `which` names."""
        bits = max(width(min(row), max(row)), 1)
        entries = self.settings.table(name, row, Shape(bits, signed=min(row) < 0))
        if self.settings.FIXED and len(set(row)) == 1:
            return entries[0]
        return Array(entries)[which]


class BlockComponent(wiring.Component):
    """A block alone: its steps with registers between them.

    Throughput: a result a clock. Latency: that of the block.

    Parameters
    ----------
    block : Block
        The block.

    Members
    -------
    i : In(block.i)
        What comes in.
    which : In(range(block.kinds))
        The kind of window that it is of.
    o : Out(block.o)
        What goes out.
    """

    i: data.View
    which: Signal
    o: data.View

    def __init__(self, block: Block):
        self._block = block
        super().__init__({"i": In(block.i), "which": In(range(block.kinds)), "o": Out(block.o)})

    def elaborate(self, platform):
        m = Module()
        members = {name: self.i[name] for name, _ in self._block.i}
        lanes: list[Bundle] = [self._block.TAKES(**members)]
        beat = self._block.beat(self.which)
        for step in self._block.steps:
            lanes, beat = advance(m, step, lanes, beat)
        for name, value in lanes[0].leaves:
            m.d.comb += Value.cast(self.o[name]).eq(value)
        return m
