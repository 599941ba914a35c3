"""Lemma "columns front": what an apart column stage does to a beat before its `AxisStage`.

Each beat in gives one beat to the stage behind, in order, and of each window in it the reduction
of exactly those of its columns that are taps. What the stage behind does is proved of it as of any
other `AxisStage`; `composes` checks, in Python, that the columns so taken from the beats that it
reduces are the window's taps.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from streampool_hw.reduce.columns import ApartStage
from streampool_hw.schedule.graph import Run

from .formal import AnySeq, Cover
from .graphs import Levels, Words, fifos_of, value_of
from .harness import Claimed, Granted, Inside, Platform, assume
from .linear import by_table
from .pieces import Pieces
from .sequencer import Played
from .stage import Join, ago

DEPTH = 9


def taps_by_beat(stage: ApartStage) -> list[list[set[int] | None]]:
    """Return for each beat and window of a group the columns of it that are taps.

    None where there is no such window. No two groups take from one beat, which is checked.
    """
    axis, inner = stage.plan.axis, stage.plan.inner.axis
    found: list[list[set[int] | None]] = [[None] * axis.windows for _ in range(axis.beats)]
    for w in range(axis.axis.outputs):
        group, q = divmod(w, axis.windows)
        taps = set(axis.axis.taps(w))
        taken = 0
        for beat in inner.taps(group):
            first = beat % axis.row_beats * axis.columns
            mine = {x - first for x in range(first, first + axis.columns) if x in taps}
            assert found[beat][q] is None
            found[beat][q] = mine
            taken += len(mine)
        assert taken == len(taps) * axis.rows, "the beats of a group have all taps"
    return found


class Front(Claimed):
    """An apart column stage in front of its `AxisStage`, one lane of it."""

    def __init__(self, stage: ApartStage, join: Join, lane: int = 0):
        self.stage, self.join, self.lane, self.axis = stage, join, lane, stage.plan.axis
        self.levels = Levels(stage, join)
        self.platform = Platform()
        self.valid, self.ready = Signal(), Signal()
        self.data = Signal(stage.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.data]
        self.shape = Shape.cast(stage._shape(1))

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        stage = self.stage
        self.inside = Inside(stage, platform)
        m.submodules.stage = self.inside.fragment
        self.take = Signal(name="taken")
        m.d.comb += [
            stage.i.valid.eq(self.valid),
            stage.i.payload.as_value().eq(self.data),
            stage.o.ready.eq(self.ready),
            self.take.eq(stage.i.valid & stage.i.ready),
        ]
        x = []
        for u in range(self.axis.columns):
            column = Signal(self.shape, name=f"x_{u}")
            m.d.comb += column.eq(value_of(self.data, self.shape, self.levels.lanes, u, self.lane))
            x.append(column)
        program = stage.plan.program
        self.played = Played(
            *(m, self.claim, self.inside, program, stage.m, self.take),
            prefix="sequencer.",
            endless=True,
        )
        self._pipe(x)
        self._specify(x)
        return m

    def _pipe(self, x: Sequence[Value]) -> None:
        """Claim that the pipeline gives what its graph gives at once."""
        m, plan, groups = self.top, self.stage.plan, self.stage._groups
        used = [u for columns in plan.used for u in columns]
        word = self.inside("sequencer.word")
        known = [plan.program.constant(k) for k in range(len(used))]
        operands: dict[Run, Value] = {}
        for k, (u, bit) in enumerate(zip(used, known, strict=True)):
            operand = Signal(self.shape, name=f"operand_{k}")
            m.d.comb += operand.eq(Mux(word[k] if bit is None else bit, 0, x[u]))
            operands[k, 1] = operand
        clocks = self.levels.clocks
        past = [ago(m, value, clocks[0], f"given_{k}", control=False)
                for k, value in enumerate(operands.values())]  # fmt: skip
        given = [
            operands,
            *(dict(zip(operands, each, strict=True)) for each in zip(*past, strict=True)),
        ]
        self.follow = Signal(name="follow")
        fifos = fifos_of(self.platform)[: len(clocks)]
        self.ready_behind = groups.i.ready
        self.pieces = Pieces(
            *(m, self.inside, clocks, fifos, self.take, self.follow, groups.i.ready)
        )
        self.words = Words(m, self.levels, self.pieces, self.inside, given, self.lane)
        self.used = used
        for name, (what, when) in self.words.owed(Const(1, 1), {}).items():
            self.claim(what, name, when)
        self.pieces.claims(self.claim)
        self.pieces.goes_on(self.claim)

    def _specify(self, x: Sequence[Value]) -> None:
        """Follow a beat that the solver chooses, with its taps and how many leave before it."""
        m, pieces, taps = self.top, self.pieces, taps_by_beat(self.stage)
        out, pop = self.stage._groups.i, pieces.pops[-1]
        busy, before = Signal(name="busy"), Signal.like(pieces.gap, name="going_before")
        m.d.comb += self.follow.eq(AnySeq(1) & ~busy & self.take)
        with m.If(self.follow):
            m.d.sync += busy.eq(1)
        with m.Elif(pieces.drop | (busy & pop & (before == 0))):
            m.d.sync += busy.eq(0)
        m.d.sync += before.eq(Mux(busy, before, pieces.gap) - pop)
        for place in pieces.places:
            self.claim(before == place.behind, f"{place.name}_before", place.here)
        self.claim(sum(place.here for place in pieces.places) == busy, "where")
        self.claim(out.valid == pieces.valids[-1], "valid")
        leaves = busy & out.valid & (before == 0)
        at = 0
        for q, columns in enumerate(self.stage.plan.used):
            mine = [beat[q] for beat in taps]
            is_tap = self.played.by_slot(self._filled(mine))
            there = by_table([int(each is not None) for each in mine], self.played.p)
            wanted = Signal(name=f"wanted_{q}")  # whether there is such a window
            tapped = [Signal(self.shape, name=f"tap_{q}_{u}") for u in range(len(x))]
            with m.If(self.follow):
                m.d.sync += wanted.eq(there)
                for u, tap in enumerate(tapped):
                    m.d.sync += tap.eq(Mux((is_tap >> u)[0], x[u], 0))
            for u, tap in enumerate(tapped):
                if u not in columns:
                    self.claim(tap == 0, f"unused_{q}_{u}", busy & wanted)
            reduced: Value = tapped[0]
            for number, tap in enumerate(tapped[1:], 2):
                value = Signal(self.stage._shape(number), name=f"reduced_{q}_{number}")
                m.d.comb += value.eq(self.join(reduced, tap))
                reduced = value
            result = self.levels.graph.results[q]
            leaf: dict[Run, Value] = {(at + k, 1): tapped[u] for k, u in enumerate(columns)}
            levels = len(self.levels.graph.levels)
            every = self.levels.then(m, leaf, 0, levels, f"tree_{q}")
            tree = {run: every[run] for run in self.levels.cone(result)}
            self.claim(tree[result] == reduced, f"tree_{q}", busy & wanted)
            for place in pieces.places:
                same = Cat(self.words.same(place, tree)).all()
                self.claim(same, f"{place.name}_value_{q}", place.here & wanted)
            shape = self.stage._groups.i.payload.shape().elem_shape
            beat = out.payload.as_value()
            given = value_of(beat, Shape.cast(shape), self.levels.lanes, q, self.lane)
            self.claim(given == reduced, f"value_{q}", leaves & wanted)
            at += len(columns)
        m.d.comb += Cover(leaves & pop)

    def _filled(self, columns: Sequence[set[int] | None]) -> list[int]:
        """Return columns as bits; where there is no window those of another turn of the loop."""
        program, found = self.played.program, list(columns)
        length = program.stop - program.start
        for first in range(program.start, program.stop):
            turns = range(first, first + program.repeats * length, length)
            usual = next((found[slot] for slot in turns if found[slot] is not None), set())
            for slot in turns:
                found[slot] = usual if found[slot] is None else found[slot]
        return [sum(1 << u for u in each or ()) for each in found]


class Rate(Granted, Front):
    """What is in front of a stage that is always ready, with all of `Front` taken for granted.

    An input is taken in each clock, and each beat takes as long as any other.
    """

    def _specify(self, x: Sequence[Value]) -> None:
        super()._specify(x)
        self.granted = False
        assume(self.top, self.ready_behind)
        self.claim(self.stage.i.ready, "never_refused")
        self.pieces.constant(self.claim)
