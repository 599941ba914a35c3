"""What stands before the stages: beats go through it once each, in order.

The arithmetic is not looked at here. A mark comes in beside each beat, goes down the core's own
pipeline as what its lanes share, and has to leave with the beat.
"""

from collections.abc import Iterator, Sequence
from unittest.mock import patch

from amaranth.hdl import Const, Module, Mux, Signal, Value
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_hw.blocks.block import Window
from streampool_hw.datapath.pipeline import Bundle

from .cases import Case
from .formal import AnySeq, Cover
from .graphs import fifos_of
from .harness import Claimed, Granted, Inside, Platform, assume
from .pieces import Pieces
from .stage import ago

DEPTH = 9


class Before(Claimed):
    """A core's preprocessing, cut into pieces, with free beats; of a core not yet elaborated.

    Theorem: each beat leaves once, in order, with its mark; it is there until it is taken; nothing
    is made up; and once the output is ready the input is within a few clocks.
    """

    def __init__(self, core: PoolCore):
        self.core, self.steps = core, core._preprocess._pieces
        assert self.steps
        self.platform = Platform()
        self.valid, self.ready, self.mark = Signal(), Signal(), Signal()
        self.data = Signal(core.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.mark, self.data]
        self.marked: Value = Const(0, 1)

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        built, core = Module(), self.core
        build = core._preprocess.build

        def marking(part: Module, valid: Value, ready: Value, lanes: Sequence[Bundle], *_: Bundle):
            *found, beat = build(part, valid, ready, lanes, Window(self.mark, Const(0, 0)))
            self.marked = beat.last
            return (*found, beat)

        with patch.object(core._preprocess, "build", marking):
            beats = core._build_preprocess(built)
        inside = Inside(built, platform)
        m.submodules.built = inside.fragment
        m.d.comb += [
            core.i.valid.eq(self.valid),
            core.i.payload.as_value().eq(self.data),
            beats.ready.eq(self.ready),
        ]
        clocks = [sum(step.clocks for step in piece) for piece in self.steps]
        start, follow = Signal(name="start"), Signal(name="follow")
        m.d.comb += start.eq(core.i.valid & core.i.ready)
        self.pieces = pieces = Pieces(
            *(m, lambda name: inside(f"preprocess.{name}"), clocks, fifos_of(platform)),
            *(start, follow, self.ready),
        )
        marks: list[list[Value]] = []
        given: Value = self.mark
        for j, (row, late) in enumerate(zip(pieces.rows, clocks, strict=True)):
            (port,) = row.memory.write_ports
            marks.append([given, *ago(m, given, late, f"mark_{j}")])
            started = pieces.started[j][late]
            self.claim(port.en == started, f"write_{j}")
            self.claim(port.data[0] == marks[j][late], f"mark_{j}", started)
            given = inside(f"preprocess.fifo_{j}.o__payload")[0]

        busy, before = Signal(name="busy"), Signal.like(pieces.gap, name="going_before")
        is_marked = Signal(name="is_marked")
        m.d.comb += follow.eq(AnySeq(1) & ~busy & start)
        with m.If(follow):
            m.d.sync += [busy.eq(1), is_marked.eq(self.mark)]
        with m.Elif(pieces.drop | (busy & pieces.pops[-1] & (before == 0))):
            m.d.sync += busy.eq(0)
        m.d.sync += before.eq(Mux(busy, before, pieces.gap) - pieces.pops[-1])
        pieces.claims(self.claim)
        pieces.goes_on(self.claim)
        self.claim(sum(place.here for place in pieces.places) == busy, "where")
        for place in pieces.places:
            self.claim(before == place.behind, f"{place.name}_before", place.here)
            kept = pieces.rows[place.piece].kept[0]
            has = marks[place.piece][place.clock] if place.clock else kept
            self.claim(has == is_marked, f"{place.name}_mark", place.here)
        self.claim(beats.valid == pieces.valids[-1], "valid")
        held, hit = Signal(name="held"), Signal(name="hit")
        m.d.sync += held.eq(beats.valid & ~self.ready)
        m.d.comb += hit.eq(busy & beats.valid & (before == 0))
        self.claim(beats.valid, "stays", held)
        self.claim(self.marked == is_marked, "marked", hit)
        m.d.comb += Cover(hit & self.ready)
        self._lemma()
        return m

    def _lemma(self) -> None:
        """Claim more."""


class Flow(Granted, Before):
    """The same where the output is always ready: no beat is refused, and all take the same time."""

    def _lemma(self) -> None:
        self.granted = False
        assume(self.top, self.ready)
        self.claim(self.core.i.ready, "never_refused")
        self.pieces.constant(self.claim)


def cases() -> Iterator[Case]:
    """Yield what stands before the stages: powers, and floats as keys and as fixed point."""
    for op, dtype, lanes, wide in (
        ("l2", "int8", 2, 1),
        ("l2", "uint8", 1, 4),
        ("lp1", "int8", 2, 1),
        ("lp3", "uint8", 1, 1),
        ("gem3", "int8", 2, 2),
        ("lp4", "int8", 1, 1),
        ("max", "float32", 2, 1),
        ("min", "bfloat16", 1, 4),
        ("sum", "float16", 1, 1),
        ("avg", "bfloat16", 1, 1),
    ):
        job = PoolJob(PoolSpec(op, 2, dtype=dtype), (lanes, 4, 8), lanes, wide)
        for name, lemma in (("order", Before), ("rate", Flow)):
            yield Case(
                f"{name}: {op} of {dtype}, {lanes} lanes, {wide} columns",
                "preprocessing",
                DEPTH,
                lambda job=job, lemma=lemma: lemma(PoolCore(job)),
            )
