"""The innermost axis of a pooling core where a beat holds several adjacent columns."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..datapath.pipeline import Bundle, Nothing, Pipeline, Step, delay
from ..datapath.store import DelayLine, RamStore
from ..families import GENERIC
from ..schedule.columns import ApartPlan, ColumnPlan, UniformPlan
from ..schedule.graph import Graph, Run, share
from ..schedule.program import Program
from ..schedule.sequencer import Sequencer
from ..schedule.settings import CONSTANTS, Settings
from ..vendor.memories import fifo_of, ram_store
from .reduction import ReductionGates
from .stage import AxisStage
from .steps import Steps


class _Values(Bundle):
    """What a level of a graph starts from: lane by lane the values of all its runs."""

    values: tuple[Value, ...]


class _Compared(Bundle):
    """The same between the two halves of an operation, with what the first found of each pair."""

    values: tuple[Value, ...]
    found: tuple[Value, ...]


class _Masks(Bundle):
    """Whether a beat is a step, and which ages and which of its columns are masked."""

    step: Value
    ages: tuple[Value, ...]
    columns: tuple[Value, ...]


class ColumnStage(wiring.Component):
    """Pool along the innermost axis, several adjacent columns of `lanes` channels a beat.

    Value ``u * lanes + l`` of a beat in is column u in lane l, and of a beat out it is window u of
    the group. Neighbours along the axis are `m` beats apart. What is masked is cleared, as 0 is the
    identity. The two kinds, `UniformStage` and `ApartStage`, each carry out a plan of theirs; both
    reduce pairs by a `Graph`, in a pipeline that runs free into a FIFO.

    Throughput: a beat per clock in and out. Latency: `latency` clocks from the step in which a
    group leaves to its beat at `o`.

    A value in is of the shape ``shape(1)``, one that is reduced of n columns of ``shape(n)``, and
    one that leaves of `o_shape`. `seamless`, `block_from` and `far` are as an `AxisStage` takes
    them. `settings` gives what the schedule says, as the parts ``sequencer``, ``drain``,
    ``drain_words``, ``wait``, ``history`` and ``groups``.

    Members
    -------
    i : In(stream)
        Runs of ``plan.axis.beats * m`` beats.
    o : Out(stream)
        Runs of ``plan.axis.groups * m`` beats. What the last group has beyond the axis' windows
        may be anything.
    last : Out(1)
        0: it does not know a frame's last beat.
    """

    i: stream.Interface
    o: stream.Interface
    last: Signal
    latency: int
    store_words: int
    store_bits: int

    def __init__(
        self,
        plan: ColumnPlan,
        m: int,
        lanes: int,
        reduction: ReductionGates,
        shape: Callable[[int], Shape],
        o_shape: Shape,
        family: str = GENERIC,
        *,
        idempotent: bool,
        seamless: bool = False,
        block_from: int = 0,
        far: bool = False,
        settings: Settings = CONSTANTS,
    ):
        self.m, self._reduction, self._shape, self._o_shape = m, reduction, shape, o_shape
        self._lanes, self._family, self._settings = range(lanes), family, settings
        self._block_from = block_from
        self.length, self.outputs = plan.axis.beats, plan.axis.groups
        values = plan.axis.columns * lanes, plan.axis.windows * lanes
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(shape(1), values[0]))),
                "o": Out(stream.Signature(data.ArrayLayout(o_shape, values[1]))),
                "last": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        """Build the gates, as each kind does."""
        raise NotImplementedError

    def _column(self, lane: int, column: int) -> Value:
        """Return a column of the beat that comes."""
        lanes = len(self._lanes)
        return Value.cast(self.i.payload[column * lanes + lane])

    def _bits(self, sequencer: Sequencer, program: Program) -> list[Value]:
        """Return a word's bits; those that never change are constants."""
        fixed = self._settings.FIXED
        known = [program.constant(k) if fixed else None for k in range(len(sequencer.word))]
        return [
            bit if value is None else Const(value, 1)
            for bit, value in zip(sequencer.word, known, strict=True)
        ]

    def _reduced(self, graph: Graph) -> list[Step]:
        """Return the steps that reduce the pairs of a graph, level by level."""
        steps = []
        for number in range(1, len(graph.levels) + 1):
            if self._reduction.clocks > 1:
                steps.append(Step(partial(self._compare, graph, number)))
            steps.append(Step(partial(self._select, graph, number)))
        return steps

    def _runs(
        self, graph: Graph, level: int, values: Sequence[Value]
    ) -> Iterator[dict[Run, Value]]:
        """Yield, lane by lane, the values that are there after a level, by their runs."""
        runs = graph.alive(level)
        for lane in self._lanes:
            own = values[lane * len(runs) : (lane + 1) * len(runs)]
            yield dict(zip(runs, own, strict=True))

    def _compare(self, graph: Graph, number: int, m: Module, lane: _Values, _: Any) -> _Compared:
        pairs = graph.levels[number - 1].values()
        found = [
            self._reduction.first(value[left], value[right])
            for value in self._runs(graph, number - 1, lane.values)
            for left, right in pairs
        ]
        return _Compared(lane.values, tuple(found))

    def _select(self, graph: Graph, number: int, m: Module, lane: Any, _: Any) -> _Values:
        pairs, new = graph.levels[number - 1], []
        found = iter(lane.found if isinstance(lane, _Compared) else ())
        for value in self._runs(graph, number - 1, lane.values):
            for run, (left, right) in pairs.items():
                both = value[left], value[right]
                known = next(found, None)
                known = self._reduction.first(*both) if known is None else known
                value[run] = Signal(self._shape(run[1]), name="pair")
                m.d.comb += value[run].eq(self._reduction.second(*both, known))
            new += [value[run] for run in graph.alive(number)]
        return _Values(tuple(new))

    def _hand_out(self, m: Module, graph: Graph, values: Sequence[Value], target: Any) -> None:
        """Put the results of a graph where they leave: window by window its lanes."""
        for lane, value in enumerate(self._runs(graph, len(graph.levels), values)):
            for window, run in enumerate(graph.results):
                m.d.comb += target[window * len(self._lanes) + lane].eq(value[run])


class UniformStage(ColumnStage):
    """Keep the last beats, of which every group is the same function.

    ::

        i -> mask columns --+------------> mask ages -> graph of pairs -> FIFO -> o
                            |                 ^
                            +--> history of --+
                                 m words
    """

    def __init__(self, plan: UniformPlan, m: int, lanes: int, *shapes: Any, **how: Any):
        super().__init__(plan, m, lanes, *shapes, **how)
        self.plan = plan
        self._graph = plan.graph(idempotent=how["idempotent"])
        self._in_ram = bool(plan.kept) and m >= AxisStage.DEPTH
        self._comes = RamStore.LATENCY if self._in_ram else 1  # clocks until the history is there
        operands = Step(self._operands, lambda masks: Nothing(), self._comes + 1)
        steps = [operands, *self._reduced(self._graph)]
        self._pipeline = Pipeline(
            steps,
            seamless=how.get("seamless", False),
            far=how.get("far", False),
            fifo=fifo_of(self._family),
        )
        self.latency = self._pipeline.latency
        self.store_words = plan.partials * m
        self.store_bits = self.store_words * lanes * self._shape(1).width

    def elaborate(self, platform):
        m = Module()
        room = Signal()
        leaves, masks = self._control(m, room)
        values = [self._column(lane, u) for lane in self._lanes for u in self._columns]
        valid, ready, [lane], _ = self._pipeline.build(
            m, leaves, room, [_Values(tuple(values))], masks
        )
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        self._hand_out(m, self._graph, lane.values, self.o.payload)
        return m

    @property
    def _columns(self) -> range:
        return range(self.plan.axis.columns)

    def _control(self, m: Module, room: Value) -> tuple[Value, _Masks]:
        """Decide on this clock's step; return whether a group leaves, and what is masked."""
        plan, settings = self.plan, self._settings
        ages, columns = len(plan.masked_ages), len(plan.masked_columns)
        program = plan.program if plan.drain else plan.program.endless()
        m.submodules.sequencer = sequencer = Sequencer(
            *(program, 1 + ages + columns, self.m),
            settings=settings.part("sequencer"),
            family=self._family,
        )
        steps = Steps.of(m, self.i, room, sequencer.last, plan, self.m, settings, self._family)
        m.d.comb += sequencer.step.eq(steps.take)
        word = self._bits(sequencer, program)
        if plan.drain:
            # none of the next run's groups leaves before the drain is over
            m.submodules.drain_words = drain = Sequencer(
                *(plan.drain_program, 1 + ages, self.m),
                settings=settings.part("drain_words"),
                family=self._family,
            )
            m.d.comb += drain.step.eq(steps.step & steps.draining)
            for k, bit in enumerate(self._bits(drain, plan.drain_program)):
                word[k] = Mux(steps.draining, bit, word[k])
        leave, *masked = word
        return steps.step & leave, _Masks(steps.step, tuple(masked[:ages]), tuple(masked[ages:]))

    def _operands(self, m: Module, lane: _Values, masks: _Masks) -> _Values:
        """Take a beat into the history; return what the graph starts from, masked."""
        plan, comes, width = self.plan, self._comes, self._shape(1).width
        columns = len(self._columns)
        masked = dict(zip(plan.masked_columns, masks.columns, strict=True))
        there: dict[tuple[int, int, int], Value] = {}  # by lane, age and column
        for k, value in enumerate(lane.values):
            at, u = divmod(k, columns)
            x = delay(m, Mux(masked[u], 0, value) if u in masked else value, comes, name=f"x_{u}")
            there[at, 0, u] = x
        places = [(at, age, u) for at in self._lanes for age, u in plan.kept]
        if places:
            size, settings = width * len(places), self._settings.part("history")
            store: DelayLine | RamStore
            if self._in_ram:
                store = ram_store(size, self.m, self._family, settings, block_from=self._block_from)
            else:
                store = DelayLine(size, self.m)
            m.submodules.history = store
            for number, place in enumerate(places):
                there[place] = store.read_data.word_select(number, width)
            kept = Cat(there[at, age - 1, u] for at, age, u in places)
            m.d.comb += [
                store.read_en.eq(masks.step),
                store.write_data.eq(kept),
                store.write_en.eq(delay(m, masks.step, comes, name="keep", reset=True)),
            ]
        gone = {
            age: delay(m, bit, comes, name=f"gone_{age}")
            for age, bit in zip(plan.masked_ages, masks.ages, strict=True)
        }
        operands = []
        for at in self._lanes:
            for place, _ in self._graph.alive(0):
                age, u = -(place // columns), place % columns
                value = Signal(self._shape(1), name="column")
                m.d.comb += value.eq(there[at, age, u])
                operands.append(
                    delay(m, Mux(gone[age], 0, value) if age in gone else value, name="operand")
                )
        return _Values(tuple(operands))


class ApartStage(ColumnStage):
    """Reduce a beat to a value for each window, and those of a group by an `AxisStage`.

    ::

        i -> mask columns -> tree of each window -> FIFO -> AxisStage -> o
    """

    def __init__(self, plan: ApartPlan, m: int, lanes: int, *shapes: Any, **how: Any):
        super().__init__(plan, m, lanes, *shapes, **how)
        self.plan = plan
        ends = [sum(map(len, plan.used[:q])) for q in range(len(plan.used))]
        runs = [(at, len(used)) for at, used in zip(ends, plan.used, strict=True)]
        self._graph = share(runs, idempotent=False)
        steps = [Step(self._masked, lambda masks: Nothing()), *self._reduced(self._graph)]
        far, fifo = how.get("far", False), fifo_of(self._family)
        self._pipeline = Pipeline(steps, seamless=plan.waits, far=far, fifo=fifo)
        self._groups = AxisStage(
            *(plan.inner, m, plan.axis.windows * lanes, self._reduction),
            *(self._shape(max(map(len, plan.used))), self._o_shape),
            self._family,
            seamless=how.get("seamless", False),
            block_from=self._block_from,
            far=far,
            settings=self._settings.part("groups"),
        )
        self.latency = self._pipeline.latency + self._groups.latency
        self.store_words = self._groups.store_words * plan.axis.windows
        self.store_bits = self._groups.store_bits

    def elaborate(self, platform):
        m = Module()
        plan = self.plan
        program = plan.program.endless()
        bits = sum(map(len, plan.used))
        m.submodules.sequencer = sequencer = Sequencer(
            *(program, bits, self.m),
            settings=self._settings.part("sequencer"),
            family=self._family,
        )
        m.d.comb += sequencer.step.eq(self.i.valid & self.i.ready)
        masks = _Masks(sequencer.step, (), tuple(self._bits(sequencer, program)))
        used = [u for columns in plan.used for u in columns]
        values = [self._column(lane, u) for lane in self._lanes for u in used]
        valid, ready, [lane], _ = self._pipeline.build(
            m, self.i.valid, self.i.ready, [_Values(tuple(values))], masks
        )
        m.submodules.groups = groups = self._groups
        m.d.comb += [groups.i.valid.eq(valid), ready.eq(groups.i.ready)]
        self._hand_out(m, self._graph, lane.values, groups.i.payload)
        wiring.connect(m, groups.o, wiring.flipped(self.o))
        return m

    def _masked(self, m: Module, lane: _Values, masks: _Masks) -> _Values:
        bits = len(masks.columns)
        return _Values(
            tuple(Mux(masks.columns[k % bits], 0, value) for k, value in enumerate(lane.values))
        )


def column_stage(plan: ColumnPlan, *arguments: Any, **how: Any) -> ColumnStage:
    """Return the stage that carries out a plan; the arguments are those of `ColumnStage`."""
    kind: Any = UniformStage if isinstance(plan, UniformPlan) else ApartStage
    return kind(plan, *arguments, **how)
