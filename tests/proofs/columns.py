"""Lemma "columns path": a uniform column stage's pipeline does at once what a step would do.

Whatever the control words, what a step hands to the first FIFO, and when, is what its graph of
pairs gives on the beats of one row, the masks applied; and what each later FIFO gets is what its
levels of the graph give on what left the FIFO before. Nothing is said of which words come; that is
lemma "columns rule", in groups.py.

It closes by induction over a few clocks more than a piece is long, with what connects the history's
RAM, or its registers, to the row.
"""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from streampool_hw.reduce.columns import UniformStage
from streampool_hw.schedule.graph import Run
from streampool_hw.schedule.program import Program

from .graphs import Levels, Words, fifos_of, part_of, value_of
from .harness import Claimed, Inside, Platform, assume, constant
from .pieces import Pieces
from .stage import Join, ago

DEPTH = 9


class ProvedColumns(Claimed):
    """A uniform column stage with free inputs; the lemmas add what they claim in `_lemma`.

    One of its lanes is looked at.
    """

    def __init__(self, stage: UniformStage, join: Join, lane: int = 0):
        self.stage, self.join, self.plan, self.m = stage, join, stage.plan, stage.m
        self.axis, self.lane = stage.plan.axis, lane
        self.levels = Levels(stage, join)
        self.lanes = self.levels.lanes
        self.platform = Platform()
        self.valid, self.ready = Signal(), Signal()
        self.data = Signal(stage.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.data]
        self.shape = Shape.cast(stage._shape(1))

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        stage, plan = self.stage, self.plan
        self.inside = Inside(stage, platform)
        m.submodules.stage = self.inside.fragment
        self.take, self.pop = Signal(name="taken"), Signal(name="pop")
        m.d.comb += [
            stage.i.valid.eq(self.valid),
            stage.i.payload.as_value().eq(self.data),
            stage.o.ready.eq(self.ready),
            self.take.eq(stage.i.valid & stage.i.ready),
            self.pop.eq(stage.o.valid & self.ready),
        ]
        self.x = []
        for u in range(self.axis.columns):
            x = Signal(self.shape, name=f"x_{u}")
            m.d.comb += x.eq(value_of(self.data, self.shape, self.lanes, u, self.lane))
            self.x.append(x)
        self.fifos = fifos_of(platform)
        rams = [row for row in platform.rows if row not in self.fifos]
        assert len(rams) == stage._in_ram
        self.ram = rams[0] if rams else None
        self.row = self.ram.chosen if self.ram else constant(m, range(self.m), "row")
        assume(m, self.row < self.m)
        self.draining = self.inside("draining") if plan.drain else Const(0, 1)
        self.step = self.inside("step") if plan.drain else self.take
        self._read_word()
        self._build_ghost()
        self._lemma()
        return m

    def _lemma(self) -> None:
        raise NotImplementedError

    def _read_word(self) -> None:
        """Take the control word apart, as `UniformPlan.program` and `drain_program` have it."""
        plan = self.plan
        ages = len(plan.masked_ages)

        def bits(program: Program, prefix: str, count: int) -> list[Value]:
            word = self.inside(f"{prefix}.word")
            known = [program.constant(k) for k in range(count)]
            return [word[k] if bit is None else Const(bit, 1) for k, bit in enumerate(known)]

        program = plan.program if plan.drain else plan.program.endless()
        word = bits(program, "sequencer", 1 + ages + len(plan.masked_columns))
        if plan.drain:
            for k, bit in enumerate(bits(plan.drain_program, "drain_words", 1 + ages)):
                word[k] = Mux(self.draining, bit, word[k])
        self.own, *masks = word
        self.gone = dict(zip(plan.masked_ages, masks, strict=False))
        self.masked = dict(zip(plan.masked_columns, masks[ages:], strict=True))
        self.leaves = Signal(name="leaves_now")
        self.top.d.comb += self.leaves.eq(self.step & self.own)

    def _build_ghost(self) -> None:
        """Do each step at once on a history of `row`'s beats, and remember what became of it.

        `known` says of each age whether there was such a beat since the last reset.
        """
        m, plan, stage, columns = self.top, self.plan, self.stage, self.axis.columns
        clocks = self.levels.clocks[0]
        self.at = Signal(range(self.m), name="at")  # the row of the step to come
        with m.If(self.step):
            m.d.sync += self.at.eq(Mux(self.at == self.m - 1, 0, self.at + 1))
        self.claim(self.at < self.m, "at")
        self.visit = Signal(name="visit")
        m.d.comb += self.visit.eq(self.step & (self.at == self.row))
        there = {
            (0, u): Mux(self.masked[u], 0, x) if u in self.masked else x
            for u, x in enumerate(self.x)
        }
        self.history = {
            (age, u): Signal(self.shape, name=f"history_{age}_{u}", reset_less=True)
            for age, u in plan.kept
        }
        there |= self.history
        oldest = max((age for age, _ in plan.kept), default=0)
        self.known = Signal(oldest + 1, name="known", init=1)  # of the beat itself, too
        with m.If(self.visit):
            m.d.sync += self.known.eq(self.known << 1 | 1)
            for (age, u), kept in self.history.items():
                m.d.sync += kept.eq(there[age - 1, u])
        self.claim(self.known[0], "known")
        self.operands: dict[Run, Value] = {}
        fine: list[Value] = []
        for run in self.levels.graph.alive(0):
            age, u = -(run[0] // columns), run[0] % columns
            gone = self.gone.get(age, Const(0, 1))
            operand = Signal(self.shape, name=f"operand_{age}_{u}")
            m.d.comb += operand.eq(Mux(gone, 0, there[age, u]))
            self.operands[run] = operand
            fine.append(gone | self.known[age])
        self.fine = Cat(fine)
        self.comes = stage._comes
        longest = max(clocks, self.comes) + 1
        self.stepped = ago(m, self.step, longest, "stepped")
        self.visited = ago(m, self.visit, longest, "visited")
        self.knew = ago(m, self.fine, clocks, "knew")
        given = [ago(m, v, clocks, f"given_{k}", control=False)
                 for k, v in enumerate(self.operands.values())]  # fmt: skip
        past = [list(self.operands.values()), *zip(*given, strict=True)]
        self.given = [dict(zip(self.operands, each, strict=True)) for each in past]
        self._owe()

    def _owe(self) -> None:
        """Say what each piece owes to its FIFO, and all that the second lemma takes from here."""
        m, clocks = self.top, self.levels.clocks
        self.follow = Signal(name="follow")
        self.pieces = Pieces(
            *(m, self.inside, clocks, self.fifos, self.leaves, self.follow, self.ready)
        )
        self.words = Words(m, self.levels, self.pieces, self.inside, self.given, self.lane)
        knew = self.knew[clocks[0] - 1]
        fine = {run: knew[k] for k, run in enumerate(self.operands)}
        self.owed = self.words.owed(self.visited[clocks[0] - 1], fine)


class Path(ProvedColumns):
    """What the pipeline owes to its FIFOs, claimed."""

    def _lemma(self) -> None:
        for name, (what, when) in self.owed.items():
            self.claim(what, name, when)
        if not self.history:
            return
        if self.ram is None:
            self._delay_line()
        else:
            self._ram()

    def _same(self, word: Value, history: Mapping[tuple[int, int], Value], known: Value) -> Value:
        """Return whether a word of the store is the history, as far as that is known."""
        width, result = self.shape.width, Const(1, 1)
        mine = part_of(word, self.lane, width * len(history))
        for k, ((age, _), kept) in enumerate(history.items()):
            part = mine[k * width : (k + 1) * width]
            result &= ~known[age] | (part == kept.as_unsigned())
        return result

    def _delay_line(self) -> None:
        m, rows, late = self.top, self.m, self.comes
        at = ago(m, self.at, late, "late_at")[-1]
        known = ago(m, self.known, late, "late_known")[-1]
        kept = {
            place: ago(m, value, late, f"late_{k}", control=False)[-1]
            for k, (place, value) in enumerate(self.history.items())
        }
        self.claim(at < rows, "line")
        for i in range(rows):
            word = self.inside(f"history.word_{i}")
            here = (at == self.row + 1 + i) | (at + rows == self.row + 1 + i)
            self.claim(self._same(word, kept, known), f"line_{i}", here)

    def _ram(self) -> None:
        assert self.ram is not None
        rows, put = self.m, self.comes
        (read,), (write,) = self.ram.memory.read_ports, self.ram.memory.write_ports

        def wrapped(row):
            return row - rows * (row >= rows)

        self.claim((read.addr < rows) & (write.addr < rows), "pointers")
        self.claim(self.at == read.addr, "read")
        behind = sum(self.stepped[:put])
        self.claim(self.at == wrapped(write.addr + behind), "write")
        self.claim(read.addr != write.addr, "collision", self.step & self.stepped[put - 1])
        for i, visited in enumerate(self.visited):
            since = self.row + 1 + sum(self.stepped[:i])
            self.claim(self.stepped[i] & (self.at == wrapped(since)), f"visited_{i}", visited)
        on_its_way = sum(self.visited[:put])
        same = self._same(self.ram.kept, self.history, self.known)
        self.claim(same, "kept", on_its_way == 0)
