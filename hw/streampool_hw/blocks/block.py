"""What a block is: arithmetic on one lane, in steps of a clock each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from amaranth.hdl import Array, Const, Module, Shape, ShapeLike, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden.dtypes import width

from ..datapath.pipeline import Bundle, Step, advance
from ..families import GENERIC
from ..schedule.settings import CONSTANTS, Settings


class Number(Bundle):
    """A lane that holds one number."""

    value: Value


class Window(Bundle):
    """What the lanes of a beat share: whether it is its frame's last, and its kind of window."""

    last: Value
    which: Value


class Block:
    """Arithmetic on one lane, free-running: a result per clock, `latency` clocks after its input.

    It is a list of steps, since a core's `Pipeline` lays them out for all lanes and cuts them by
    FIFOs wherever their count says. `BlockComponent` makes a component of a block alone. `model`
    says in plain integers what it does: the members of `i`, and `which` where there are kinds of
    windows, to the member of `o`, or a tuple of them.

    Parameters
    ----------
    steps : sequence of Step
        What it does, clock by clock.
    i, o : mapping of str to ShapeLike
        What comes in and what goes out, by name; kept as layouts.
    kinds : int, optional
        Kinds of windows: what is done may depend on a beat's.
    parts : sequence of Block, optional
        The blocks whose steps are among its own.
    """

    TAKES: ClassVar[type[Bundle]] = Number
    """What a lane has to hold: the members of `i`."""

    model: Callable[..., Any]

    def __init__(
        self,
        steps: Sequence[Step],
        i: Mapping[str, ShapeLike],
        o: Mapping[str, ShapeLike],
        kinds: int = 1,
        parts: Sequence["Block"] = (),
    ):
        self.steps, self.parts = tuple(steps), tuple(parts)
        self.latency = sum(step.clocks for step in steps)
        self.i, self.o, self.kinds = data.StructLayout(i), data.StructLayout(o), kinds
        self.build_for(GENERIC, CONSTANTS)

    def build_for(self, family: str, settings: Settings) -> None:
        """Say for which family of devices it is built, and where its tables come from."""
        self.family, self._settings = family, settings
        self._tables: dict[str, Sequence[Value]] = {}
        for number, part in enumerate(self.parts):
            part.build_for(family, settings.part(f"block_{number}"))

    def beat(self, which: Value) -> Bundle:
        """Return what the lanes of a beat have to share."""
        return Window(Const(0, 1), which)

    def look_up(self, name: str, row: Sequence[int], which: Value) -> Value:
        """Return the entry that `which` names of a table, which all lanes share."""
        if name not in self._tables:
            shape = Shape(width(min(row), max(row)), signed=min(row) < 0)
            self._tables[name] = self._settings.table(name, row, shape)
        if self._settings.FIXED and len(set(row)) == 1:
            return self._tables[name][0]
        return Array(self._tables[name])[which]


class Chain(Block):
    """Blocks one after the other, as one. Latency: that of all."""

    def __init__(self, blocks: Sequence[Block]):
        super().__init__(
            [step for block in blocks for step in block.steps],
            blocks[0].i.members if blocks else {},
            blocks[-1].o.members if blocks else {},
            kinds=max((block.kinds for block in blocks), default=1),
            parts=blocks,
        )

    def model(self, *values: int, which: int = 0) -> Any:
        """Return what the last block's model says, each being given what the one before says."""
        members: tuple[Any, ...] = values
        for block in self.parts:
            found = block.model(*members, **({"which": which} if block.kinds > 1 else {}))
            members = found if isinstance(found, tuple) else (found,)
        return members[0] if len(members) == 1 else members


class BlockComponent(wiring.Component):
    """A block alone: its steps with registers between them.

    Throughput: a result per clock. Latency: that of the block.

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
        beats = [self._block.beat(self.which)]
        for step in self._block.steps:
            lanes, beats = advance(m, step, lanes, beats)
        for name, value in lanes[0].leaves:
            m.d.comb += Value.cast(self.o[name]).eq(value)
        return m
