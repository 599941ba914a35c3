"""One axis of a pooling core: a plan carried out over M interleaved positions."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..datapath.outbox import Outbox
from ..schedule.plan import AxisPlan
from ..schedule.sequencer import Countdown, Sequencer
from ..vendor.families import GENERIC
from .operations import Operation
from .store import DelayLine, RamStore, ram_store

__all__ = ["AxisStage"]

BANK = 16
"""Lanes that one copy of the control drives; more only where there is no time for more copies."""

_Begun: TypeAlias = tuple[Value, data.View, data.View]
"""Of a partial in a loop: whether it starts anew, the input alone, and both together."""


@dataclass(frozen=True)
class _Timing:
    """When things happen in a bank, in clocks after its step; the one place that says so.

    Parameters
    ----------
    comes : tuple of int
        For each position of the queue, when the store gives its partial; the operands are in
        registers a clock later, unless `looped`.
    ready : tuple of int
        For each position, when its new partial is there.
    looped : bool
        Whether partials are combined and written back in one clock: the position may be back in
        the next.
    """

    comes: tuple[int, ...]
    ready: tuple[int, ...]
    looped: bool = False

    COMBINE = 3
    """Clocks from a partial out of the store to the new one: operands, `first`, `second`."""

    @property
    def depth(self) -> int:
        """Clocks from the step to its beat's way into the FIFO, both counted."""
        return self.ready[0] + 1 + self.looped

    @property
    def skewed(self) -> bool:
        """Whether the positions take their turns."""
        return len(set(self.comes)) == len(self.comes)

    @classmethod
    def ram(cls, partials: int) -> "_Timing":
        """All positions at once, as the RAM gives them."""
        comes = RamStore.LATENCY
        return cls((comes,) * (partials + 1), (comes + cls.COMBINE,) * (partials + 1))

    @classmethod
    def skew(cls, partials: int) -> "_Timing":
        """One position after the other, each when the one behind it has its new partial.

        With a queue that always shifts nothing is fed back, so nothing is left that has to be
        done in one clock.
        """
        comes, ready = [0], [1]  # the virtual position: the input alone
        for _ in range(partials):
            comes.insert(0, ready[0])
            ready.insert(0, comes[0] + cls.COMBINE)
        return cls(tuple(comes), tuple(ready))

    @classmethod
    def loop(cls, partials: int) -> "_Timing":
        """All at once, and in one clock."""
        return cls((0,) * (partials + 1), (1,) * (partials + 1), True)


class AxisStage(wiring.Component):
    """Pool along one axis whose neighbours are `m` beats apart, at one beat a clock.

    A *step* is the only event: an input is taken, or, at a frame's start while none is there, a
    window of the frame before drains. Every step reads one store word, the live partials of one
    position, oldest first; takes the input into those that want it; hands out the oldest if its
    window leaves; and writes the word back, shifted if so. What happens at a step is decided in
    the clock in which it is taken; from there the pipeline runs free into the output FIFO.

    Throughput: one step a clock, so ``plan.period * m`` clocks a frame in the steady state.
    Latency: `latency` clocks from the step in which a window leaves to its beat at `o`.

    Parameters
    ----------
    plan : AxisPlan
        The schedule.
    m : int
        Beats from a position to the next.
    lanes : int
        Values of a beat.
    operation : Operation
        What is computed.
    i_shape, o_shape : Shape
        One lane in, and one partial.
    family : str, optional
        The family of devices.
    marks_last : bool, optional
        Whether `last` is asked for; the plan has to end with its last window.
    seamless : bool, optional
        Whether who takes the beats may wait and then has to get one each clock.

    Attributes
    ----------
    latency : int
        Clocks from a step to its beat at `o`.
    store_words : int
        Words of ``lanes * o_shape.width`` bits in the store: ``plan.partials * m``.
    store_bits : int
        Bits of the store.

    Members
    -------
    i : In(stream)
        Frames of ``N * m`` beats, each an array of `lanes` values.
    o : Out(stream)
        Frames of ``No * m`` beats, in the same order.
    last : Out(1)
        Whether the beat at `o` is its frame's last; only if `marks_last`.
    """

    DEPTH = _Timing.ram(1).depth + 1
    """Clocks from a step to its word in the RAM, both counted: the least `m` with a RAM.

    However many partials there are, they take the same time.
    """

    i: stream.Interface
    o: stream.Interface
    last: Signal

    def __init__(
        self,
        plan: AxisPlan,
        m: int,
        lanes: int,
        operation: Operation,
        i_shape: Shape,
        o_shape: Shape,
        family: str = GENERIC,
        *,
        marks_last: bool = False,
        seamless: bool = False,
    ):
        self.plan, self.m, self.lanes, self.operation = plan, m, lanes, operation
        assert plan.ends_with_window or not marks_last
        self._family, self._marks_last = family, marks_last
        partials = plan.partials
        most_clocks = Outbox.SEAMLESS if seamless else Outbox.IN_FLIGHT
        self._timing = _Timing.skew(partials)
        self._in_ram = bool(partials) and m >= self.DEPTH
        if self._in_ram:
            self._timing = _Timing.ram(partials)
        elif not plan.always_shifts or self._timing.depth + (lanes > BANK) > most_clocks:
            self._timing = _Timing.loop(partials)
        # as many banks as there is time to reach
        most = 1 << (most_clocks - self._timing.depth)
        bank = max(BANK, -(-lanes // most))
        self._banks = [min(bank, lanes - first) for first in range(0, lanes, bank)]
        # a RAM is far away: the control has a clock to get there
        self._levels = max((len(self._banks) - 1).bit_length(), int(self._in_ram))
        self.latency = self._levels + self._timing.depth
        assert self.latency <= most_clocks
        self.store_words = partials * m
        self.store_bits = self.store_words * lanes * o_shape.width
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(i_shape, lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(o_shape, lanes))),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        bits = Shape.cast(self.o.payload.shape().elem_shape).width
        widths = [bits * lanes for lanes in self._banks]
        widths[-1] += self._marks_last
        m.submodules.outbox = outbox = Outbox(widths)
        m.d.comb += [
            self.o.valid.eq(outbox.o.valid),
            outbox.o.ready.eq(self.o.ready),
            Cat(self.o.payload.as_value(), self.last).eq(outbox.o.payload),
        ]

        step, word, leaves, last = self._control(m, outbox.room)
        # a tree of registers, so that no copy of the control drives more than a bank
        copies = [_copies(m, self._levels, bit, reset=True) for bit in (step, leaves)]
        copies += [_copies(m, self._levels, bit) for bit in word]
        x = _after(m, self._levels, self.i.payload.as_value(), "x")
        x = data.View(self.i.payload.shape(), x)
        depth = self._timing.depth - 1
        out, first = [], 0
        for number, lanes in enumerate(self._banks):
            m.submodules[f"bank_{number}"] = bank = Module()
            go, leave, *word = [each[number] for each in copies]
            some = [x[lane] for lane in range(first, first + lanes)]
            out.append(self._bank(bank, go, word, some))
            m.d.comb += outbox.write[number].eq(_after(bank, depth, leave, "leaves", reset=True))
            first += lanes
        if self._marks_last:
            out.append(_after(m, self.latency - 1, last, "last"))
        m.d.comb += outbox.data.eq(Cat(out))
        return m

    def _control(self, m: Module, room: Value) -> tuple[Value, list[Value], Value, Value]:
        """Decide on this clock's step.

        Returns
        -------
        step, word, leaves, last : Value
            Whether there is a step; its control word bit by bit, load, not add, and shift, so
            that a flip-flop's reset is high where it clears; whether a window leaves in the
            step; whether the frame's last beat does.
        """
        plan, program = self.plan, self.plan.program
        if not (plan.drain or self._marks_last):
            program = program.endless()
        m.submodules.sequencer = sequencer = Sequencer(program, plan.word_bits, self.m)
        word = [sequencer.word[k] for k in range(plan.word_bits)]
        adds = range(plan.partials + 1, 2 * (plan.partials + 1))
        for k, bit in enumerate(word):
            value = program.constant(k)
            if value is None:
                word[k] = ~bit if k in adds else bit
            else:
                word[k] = Const(value ^ (k in adds), 1)
        *word, own = word
        take = Signal()
        m.d.comb += [take.eq(self.i.valid & self.i.ready), sequencer.step.eq(take)]
        if not plan.drain:
            m.d.comb += self.i.ready.eq(room)
            return take, word, take & own, sequencer.last

        draining = Signal()  # a window of the frame before is still to leave
        between = Signal()  # and the next frame has not begun
        blocked = Signal()  # more than what may leave during the next frame: it has to wait
        step = Signal()
        m.d.comb += [
            self.i.ready.eq(room & ~blocked),
            step.eq(take | (room & between)),
        ]
        m.submodules.drain = drain = Countdown(plan.drain * self.m)
        m.d.comb += drain.step.eq(step & draining)
        with m.If(take & sequencer.last):
            m.d.sync += draining.eq(1)
        with m.Elif(step & drain.last):
            m.d.sync += draining.eq(0)
        with m.If(take):
            m.d.sync += between.eq(sequencer.last)
        with m.Elif(room & drain.last):
            m.d.sync += between.eq(0)
        if plan.waits:
            m.submodules.wait = wait = Countdown((plan.drain - plan.overlap) * self.m)
            m.d.comb += wait.step.eq(drain.step & blocked)
            with m.If(take & sequencer.last):
                m.d.sync += blocked.eq(1)
            with m.Elif(step & wait.last):
                m.d.sync += blocked.eq(0)

        # without an input no live partial takes anything in, and the queue shifts; the virtual
        # position holds none then
        idle = {k: k in adds for k in (*range(plan.partials), *adds[:-1])} | {len(word) - 1: 1}
        for k, other in idle.items():
            bit = word[k]
            if not (isinstance(bit, Const) and bit.value == other):
                word[k] = Mux(take, bit, other)
        return step, word, step & (own | draining), draining & drain.last

    def _bank(self, m: Module, step: Value, word: list[Value], x: list[Value]) -> Value:
        """Do to some lanes what a step's control word says; return the oldest partials, new."""
        partials, timing = self.plan.partials, self._timing
        beat = data.ArrayLayout(self.o.payload.shape().elem_shape, len(x))
        bits = beat.size * partials
        stores: list[DelayLine | RamStore] = []
        if timing.skewed:
            stores += [DelayLine(beat.size, self.m) for _ in range(partials)]
        elif self._in_ram:
            stores.append(ram_store(bits, self.m, self._family))
        else:
            stores.append(DelayLine(bits, self.m))
        for number, store in enumerate(stores):
            m.submodules[f"store_{number}"] = store
        queue = data.View(data.ArrayLayout(beat, partials), Cat(store.old for store in stores))
        new, begun = self._combine(m, word, x, queue)
        if timing.skewed:
            for j, store in enumerate(stores):
                put = _after(m, timing.comes[j], step, "put", reset=True)
                m.d.comb += [store.new.eq(new[j + 1]), store.put.eq(put)]
        else:
            self._write_back(m, step, word[-1], stores[0], new, begun)
        return _after(m, timing.depth - 1 - timing.ready[0], new[0].as_value(), "leaving")

    def _combine(
        self, m: Module, word: list[Value], x: list[Value], queue: data.View
    ) -> tuple[list[data.View], list[_Begun]]:
        """Combine the input with every partial that takes it in.

        Returns
        -------
        new : list of View
            The partials, new, the oldest first, and last the virtual one behind them, which is
            the input alone: so each one's successor follows it.
        begun : list of _Begun
            Of each partial, in a loop; else nothing.
        """
        partials, timing, operation = self.plan.partials, self._timing, self.operation
        beat = data.ArrayLayout(self.o.payload.shape().elem_shape, len(x))
        load, skips = word[: partials + 1], word[partials + 1 : -1]
        later = [x]  # the input as it was so many clocks ago
        for _ in range(max(timing.comes)):
            later.append([_after(m, 1, value, "x") for value in later[-1]])
        new: list[data.View] = []
        begun: list[_Begun] = []
        for j in reversed(range(partials + 1)):
            comes, value = timing.comes[j], Signal(beat, name=f"new_{j}")
            new.insert(0, value)
            # the operands: cleared where the input is no tap, and where a partial starts anew
            skip, anew = _after(m, comes, skips[j], f"skip_{j}"), Const(0, 1)
            taken = Signal(beat, name=f"x_{j}", reset_less=True)
            for lane, source in enumerate(later[comes]):
                m.d.sync += taken[lane].eq(Mux(skip, 0, source))
            if j == partials:
                m.d.comb += value.eq(
                    _after(m, timing.ready[j] - comes - 1, taken.as_value(), f"x_{j}")
                )
                continue
            old = Signal(beat, name=f"partial_{j}", reset_less=True)
            both = Signal(beat, name=f"both_{j}")
            if timing.looped:  # too late to clear: the input alone is chosen at the end
                m.d.comb += old.eq(queue[j])
                anew = _after(m, 1, load[j], f"load_{j}")
                begun.insert(0, (anew, taken, both))
            else:
                m.d.sync += old.eq(Mux(_after(m, comes, load[j], f"load_{j}"), 0, queue[j]))
            # registers between the operation's two halves, and behind the second
            half, behind = (0, 0) if timing.looped else (timing.COMBINE - 2, 1)
            for lane in range(len(x)):
                found = _after(m, half, operation.first(old[lane], taken[lane]), f"found_{j}")
                operands = (
                    _after(m, half, old[lane], f"partial_{j}"),
                    _after(m, half, taken[lane], f"x_{j}"),
                )
                result = operation.second(*operands, found)
                if timing.looped:
                    m.d.comb += both[lane].eq(result)
                result = Mux(anew, operands[1], result)
                m.d.comb += value[lane].eq(_after(m, behind, result, f"new_{j}"))
        return new, begun

    def _write_back(
        self,
        m: Module,
        step: Value,
        shift: Value,
        store: DelayLine | RamStore,
        new: list[data.View],
        begun: list[_Begun],
    ) -> None:
        """Put the partials back into the store of all of them: shifted on, or in place."""
        timing = self._timing
        ready, way = timing.ready[0], 0 if timing.looped else 1
        shift = _after(m, ready, shift, "shift")
        kept = [Mux(shift, after, before) for before, after in pairwise(new)]
        if self.plan.always_shifts:
            kept = new[1:]
        elif timing.looped:  # the input alone, begun or shifted on, is one choice and late
            kept = [
                Mux(shift | anew, Mux(shift, after, alone), both)
                for (anew, alone, both), after in zip(begun, new[1:], strict=True)
            ]
        m.d.comb += [
            store.get.eq(step),
            store.new.eq(_after(m, way, Cat(kept), "kept")),
            store.put.eq(_after(m, ready + way, step, "put", reset=True)),
        ]


def _copies(m: Module, levels: int, bit: Value, *, reset: bool = False) -> list[Value]:
    """Return ``2 ** levels`` copies of a bit as it was `levels` clocks ago, by a tree of registers.

    Of two registers with the same input one holds it inverted: synthesis would merge them.
    """
    copies = [bit]
    for _ in range(levels):
        inverted = [~_after(m, 1, ~each, "control", init=1, reset=reset) for each in copies]
        copies = [_after(m, 1, each, "control", reset=reset) for each in copies] + inverted
    return copies


def _after(
    m: Module, clocks: int, value, name: str, *, init: int = 0, reset: bool = False
) -> Value:
    """Return `value` as it was `clocks` ago; without `reset` it starts as anything."""
    value = Value.cast(value)
    if isinstance(value, Const):
        return value
    for _ in range(clocks):
        register = Signal(value.shape(), name=name, init=init, reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value
