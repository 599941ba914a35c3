"""One axis of a pooling core: a plan carried out over M interleaved positions."""

from itertools import pairwise
from typing import TypeAlias

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..datapath.fifo import PipelineFifo
from ..datapath.pipeline import copies, delay
from ..datapath.store import DelayLine, RamStore
from ..families import GENERIC
from ..schedule.accumulator import Accumulator
from ..schedule.plans import Plan, player_of, words_of
from ..schedule.program import Program
from ..schedule.sequencer import Sequencer
from ..schedule.settings import CONSTANTS, Settings
from ..vendor.memories import fifo_of, ram_store
from .reduction import ReductionGates
from .steps import Control, Steps
from .timing import Timing

BANK = 16
"""Lanes that one copy of the control drives; more only where there is no time for more copies."""

_Begun: TypeAlias = tuple[Value, data.View, data.View]
"""Of a partial in a loop: whether it starts anew, the input alone, and both together."""


class Stage(wiring.Component):
    """Pool along one axis, at one beat per clock; `_control` says when what is done.

    A *step* is the only event: an input is taken, or, at a frame's start while none is there, a
    window of the frame before drains, or a slot that takes none goes by. Every step reads one store
    word, the live partials of one position, oldest first; takes the input into those that want it;
    hands out the oldest if its window leaves; and writes the word back, shifted if so. What happens
    at a step is decided in the clock in which it is taken; from there the pipeline runs free into
    the output FIFO::

                                  credit
              +---------------------------------------------------+
              v                                                   |
        +-----------+ step, control word  +-------------------+   |
        | sequencer |--+----------------->| bank 0            |   |
        | and drain |  | tree of          |                   |   |
        +-----------+  | registers        |  store of M words |   |
          ^  |         |                  |   | old      ^    |   |
    valid |  | ready   |                  |   v      new |    | +------+
    i ----+--+---------|----------------->|  combine --> shift|>| FIFO |--> o
             data      |                  |  with the input   | | of 16|
                       |                  +-------------------+ +------+
                       +----------------->| bank 1 ...        |>|      |
                                          +-------------------+ +------+

    A bank is up to `BANK` lanes with a store of their own. `Timing` says in which clock each part
    of it works.

    Throughput: one step per clock.
    Latency: `latency` clocks from the step in which a window leaves to its beat at `o`.

    A position has up to `partials`, and `m` of them are beats apart at most; where the queue
    `always_shifts` nothing is written back in place. A lane in is of the shape `i_shape`, a partial
    of `o_shape`. `seamless` says that who takes the beats may wait and then has to get one each
    clock. A store of `block_from` words or more is a block RAM where the family has a cell for it.
    `far` says that the FIFO's credit comes back through a register, as a `Pipeline` has it. So many
    registers are `behind` a store in RAM.

    Members
    -------
    i : In(stream)
        Frames of ``N * m`` beats, each an array of `lanes` values.
    o : Out(stream)
        Frames of ``No * m`` beats, in the same order.
    last : Out(marks)
        What `_control` says beside the beat at `o`: whether it is its frame's last. It is low where
        there are no `marks`.
    """

    DEPTH = Timing.ram(1).depth + 1
    """Clocks from a step to its word in the RAM, both counted: the least `m` with a RAM."""

    i: stream.Interface
    o: stream.Interface
    last: Signal

    def __init__(
        self,
        partials: int,
        m: int,
        lanes: int,
        reduction: ReductionGates,
        i_shape: Shape,
        o_shape: Shape,
        family: str = GENERIC,
        *,
        always_shifts: bool = False,
        marks: int = 0,
        seamless: bool = False,
        block_from: int = 0,
        far: bool = False,
        behind: int = 0,
        settings: Settings = CONSTANTS,
    ):
        self.m, self.lanes = m, lanes
        self._partials, self._always_shifts = partials, always_shifts
        self._reduction, self._partial = reduction, o_shape
        self._family, self._marks, self._settings = family, marks, settings
        self._block_from = block_from
        most_clocks = PipelineFifo.SEAMLESS if seamless else PipelineFifo.IN_FLIGHT
        self._far = far and not seamless
        most_clocks -= self._far
        self._timing = Timing.skew(partials)
        self._in_ram = bool(partials) and m >= self.DEPTH
        if self._in_ram:
            self._timing = Timing.ram(partials, behind)
        elif not always_shifts or self._timing.depth + (lanes > BANK) > most_clocks:
            self._timing = Timing.loop(partials)
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
                "last": Out(max(1, marks)),
            }
        )

    @property
    def timing(self) -> Timing:
        """When things happen in a bank, after `levels` clocks in which control reaches it."""
        return self._timing

    @property
    def levels(self) -> int:
        """Clocks that control takes to reach a bank."""
        return self._levels

    def elaborate(self, platform):
        m = Module()
        widths = [self._partial.width * lanes for lanes in self._banks]
        widths[-1] += self._marks
        m.submodules.fifo = fifo = fifo_of(self._family)(widths)
        m.d.comb += [
            self.o.valid.eq(fifo.o.valid),
            fifo.o.ready.eq(self.o.ready),
            Cat(self.o.payload.as_value(), self.last).eq(fifo.o.payload),
        ]

        control = self._control(m, fifo.credit_at(m, far=self._far))
        # a tree of registers, so that no copy of the control drives more than a bank
        told_each = [
            copies(m, self._levels, bit, reset=True)
            for bit in (control.step, control.leaves, *control.beside)
        ]
        told_each += [copies(m, self._levels, bit) for bit in control.word]
        beside = len(control.beside)
        x = delay(m, self.i.payload.as_value(), self._levels, name="x")
        x = data.View(self.i.payload.shape(), x)
        depth = self._timing.depth - 1
        out, first = [], 0
        for number, lanes in enumerate(self._banks):
            m.submodules[f"bank_{number}"] = bank = Module()
            step, leave, *rest = [each[number] for each in told_each]
            told = Control(step, rest[beside:], leave, control.last, tuple(rest[:beside]))
            some = [x[lane] for lane in range(first, first + lanes)]
            settings = self._settings.part(f"bank_{number}")
            out.append(self._bank(bank, settings, told, some))
            m.d.comb += fifo.write[number].eq(delay(bank, leave, depth, name="leaves", reset=True))
            first += lanes
        if self._marks:
            out.append(self._marked(m, control))
        m.d.comb += fifo.i.eq(Cat(out))
        return m

    def _control(self, m: Module, credit: Value) -> Control:
        """Decide on this clock's step, and drive the input's ready; `credit` says there is room."""
        raise NotImplementedError

    def _marked(self, m: Module, control: Control) -> Value:
        """Return what goes into the FIFO beside a beat."""
        return delay(m, control.last, self.latency - 1, name="last")

    def _bank(self, m: Module, settings: Settings, told: Control, x: list[Value]) -> Value:
        """Do to some lanes what a step's control word says; return the oldest partials, new."""
        partials, timing = self._partials, self._timing
        beat = data.ArrayLayout(self._partial, len(x))
        bits = beat.size * partials
        stores: list[DelayLine | RamStore] = []
        if timing.skewed:
            stores += [DelayLine(beat.size, self.m) for _ in range(partials)]
        elif self._in_ram:
            stores.append(self._ram(bits, settings))
        else:
            stores.append(DelayLine(bits, self.m))
        for number, store in enumerate(stores):
            m.submodules[f"store_{number}"] = store
        return self._leaving(m, told, stores, self._turn(m, told, x, stores))

    def _turn(
        self, m: Module, told: Control, x: list[Value], stores: list[DelayLine | RamStore]
    ) -> Value:
        """Write the queue back as the control word says; return the oldest partials, new."""
        timing, beat = self._timing, data.ArrayLayout(self._partial, len(x))
        old = Cat(store.read_data for store in stores)
        queue = data.View(data.ArrayLayout(beat, self._partials), old)
        new, begun = self._combine(m, told, x, queue)
        if timing.skewed:
            for j, store in enumerate(stores):
                write = delay(m, told.step, timing.comes[j], name="write", reset=True)
                m.d.comb += [store.write_data.eq(new[j + 1]), store.write_en.eq(write)]
        else:
            self._write_back(m, told.step, told.word[-1], stores[0], new, begun)
        return delay(m, new[0].as_value(), timing.depth - 1 - timing.ready[0], name="leaving")

    def _ram(self, bits: int, settings: Settings) -> RamStore:
        """Return the store of a bank in RAM, for words of `bits`."""
        return ram_store(bits, self.m, self._family, settings, block_from=self._block_from)

    def _leaving(
        self, m: Module, told: Control, stores: list[DelayLine | RamStore], own: Value
    ) -> Value:
        """Return what goes into the FIFO: the oldest partials, new."""
        return own

    def _combine(
        self, m: Module, told: Control, x: list[Value], queue: data.View
    ) -> tuple[list[data.View], list[_Begun]]:
        """Combine the input with every partial that takes it in.

        Return the partials, new, the oldest first, and last the virtual one behind them, which is
        the input alone, so that each one's successor follows it; and in a loop what of each has
        begun.
        """
        partials, timing, word = self._partials, self._timing, told.word
        beat = data.ArrayLayout(self._partial, len(x))
        load, skips = word[: partials + 1], word[partials + 1 : -1]
        later = [x]  # the input as it was so many clocks ago
        for _ in range(max(timing.comes)):
            later.append([delay(m, value, name="x") for value in later[-1]])
        new: list[data.View] = []
        begun: list[_Begun] = []
        for j in reversed(range(partials + 1)):
            comes, value = timing.comes[j], Signal(beat, name=f"new_{j}")
            new.insert(0, value)
            # the operands: cleared where the input is no tap, and where a partial starts anew
            skip, anew = delay(m, skips[j], comes, name=f"skip_{j}"), Const(0, 1)
            taken = Signal(beat, name=f"x_{j}", reset_less=True)
            for lane, source in enumerate(later[comes]):
                m.d.sync += taken[lane].eq(Mux(skip, 0, source))
            if j == partials:
                m.d.comb += value.eq(
                    delay(m, taken.as_value(), timing.ready[j] - comes - 1, name=f"x_{j}")
                )
                continue
            old = Signal(beat, name=f"partial_{j}", reset_less=True)
            both = Signal(beat, name=f"both_{j}")
            if timing.looped:  # too late to clear: the input alone is chosen at the end
                m.d.comb += old.eq(queue[j])
                anew = delay(m, load[j], name=f"load_{j}")
                begun.insert(0, (anew, taken, both))
            else:
                m.d.sync += old.eq(Mux(delay(m, load[j], comes, name=f"load_{j}"), 0, queue[j]))
            reduction = self._reduction
            # registers between the operation's two halves, and behind the second
            half, behind = (0, 0) if timing.looped else (timing.COMBINE - 2, 1)
            for lane in range(len(x)):
                found = delay(m, reduction.first(old[lane], taken[lane]), half, name=f"found_{j}")
                operands = (
                    delay(m, old[lane], half, name=f"partial_{j}"),
                    delay(m, taken[lane], half, name=f"x_{j}"),
                )
                result = reduction.second(*operands, found)
                if timing.looped:
                    m.d.comb += both[lane].eq(result)
                result = Mux(anew, operands[1], result)
                m.d.comb += value[lane].eq(delay(m, result, behind, name=f"new_{j}"))
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
        shift = delay(m, shift, ready, name="shift")
        kept = [Mux(shift, after, before) for before, after in pairwise(new)]
        if self._always_shifts:
            kept = new[1:]
        elif timing.looped:  # the input alone, begun or shifted on, is one choice and late
            kept = [
                Mux(shift | anew, Mux(shift, after, alone), both)
                for (anew, alone, both), after in zip(begun, new[1:], strict=True)
            ]
        m.d.comb += [
            store.read_en.eq(step),
            store.write_data.eq(delay(m, Cat(kept), way, name="kept")),
            store.write_en.eq(delay(m, step, ready + way, name="write", reset=True)),
        ]


class AxisStage(Stage):
    """Pool along one axis whose neighbours are `m` beats apart, as its plan says.

    Throughput: one step per clock, so ``plan.period * m`` clocks per frame in the steady state.

    For `marks_last` the plan has to end with its last window. `settings` gives what the schedule
    says, as the parts `sequencer`, `drain`, `wait`, and `bank_0` and so on; what sizes the gates is
    `m`, `lanes`, the shapes and ``plan.partials``.
    """

    def __init__(
        self,
        plan: Plan,
        m: int,
        lanes: int,
        reduction: ReductionGates,
        i_shape: Shape,
        o_shape: Shape,
        family: str = GENERIC,
        *,
        marks_last: bool = False,
        seamless: bool = False,
        block_from: int = 0,
        far: bool = False,
        settings: Settings = CONSTANTS,
    ):
        assert plan.ends_with_window or not marks_last
        self.plan, self.length, self.outputs = plan, plan.axis.length, plan.axis.outputs
        super().__init__(
            *(plan.partials, m, lanes, reduction, i_shape, o_shape, family),
            always_shifts=plan.always_shifts,
            marks=int(marks_last),
            seamless=seamless,
            block_from=block_from,
            far=far,
            settings=settings,
        )

    def _control(self, m: Module, credit: Value) -> Control:
        plan, words, settings = self.plan, words_of(self.plan), self._settings
        if isinstance(words, Program) and not (plan.drain or self._marks):
            words = words.endless()
        m.submodules.sequencer = sequencer = player_of(
            *(words, plan.word_bits, self.m),
            settings=settings.part("sequencer"),
            family=self._family,
        )
        word = [sequencer.word[k] for k in range(plan.word_bits)]
        adds = range(plan.partials + 1, 2 * (plan.partials + 1))
        for k, bit in enumerate(word):
            value = words.constant(k) if settings.FIXED else None
            if value is None:
                word[k] = ~bit if k in adds else bit
            else:
                word[k] = Const(value ^ (k in adds), 1)
        if plan.pauses:
            return self._control_pausing(m, credit, sequencer, word)
        *word, own = word
        steps = Steps.of(*(m, self.i, credit, sequencer.last, plan, self.m, settings), self._family)
        m.d.comb += sequencer.step.eq(steps.take)
        take, step, draining = steps.take, steps.step, steps.draining
        if not plan.drain:
            return Control(take, word, take & own, sequencer.last)

        # without an input no live partial takes anything in, and the queue shifts; the virtual
        # position holds none then
        idle = {k: k in adds for k in (*range(plan.partials), *adds[:-1])} | {len(word) - 1: 1}
        for k, other in idle.items():
            bit = word[k]
            if not (isinstance(bit, Const) and bit.value == other):
                word[k] = Mux(take, bit, other)
        return Control(step, word, step & (own | draining), steps.ends)

    def _control_pausing(
        self, m: Module, credit: Value, sequencer: Sequencer | Accumulator, word: list[Value]
    ) -> Control:
        """Do as `_control` where some slots take no input: these are steps without one."""
        *word, own, takes = word
        step = Signal()
        m.d.comb += [
            self.i.ready.eq(credit & takes),
            step.eq(credit & (self.i.valid | ~takes)),
            sequencer.step.eq(step),
        ]
        return Control(step, word, step & own, sequencer.last)
