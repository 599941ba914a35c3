"""What stands behind the stages: beats go through it once each, in order, and `last` with its own.

The arithmetic is not looked at here, only that a beat's `last` leaves with the beat. Where no stage
tells it, a counter does.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from streampool_hw import PoolCore
from streampool_hw.blocks.block import Window
from streampool_hw.datapath.pipeline import Bundle

from .formal import AnySeq, Cover
from .graphs import fifos_of
from .harness import Claimed, Granted, Inside, Platform, assume
from .pieces import Pieces
from .stage import ago

DEPTH = 9


class Finish(Claimed):
    """A core's postprocessing, cut into pieces, with free beats; of a core not yet elaborated."""

    def __init__(self, core: PoolCore):
        self.core, self.job = core, core.job
        assert core._postprocess._pieces
        self.platform = Platform()
        self.valid, self.ready, self.last = Signal(), Signal(), Signal()
        *_, stage = core.stages.values()
        self.beats = stream.Signature(stage.o.payload.shape()).create()
        self.data = Signal(Value.cast(self.beats.payload).shape())
        self.ports = [self.valid, self.ready, self.last, self.data]

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        built, core, beats = Module(), self.core, self.beats
        core._build_postprocess(built, beats, self.last)
        inside = Inside(built, platform)
        m.submodules.built = inside.fragment
        m.d.comb += [
            beats.valid.eq(self.valid),
            Value.cast(beats.payload).eq(self.data),
            core.o.ready.eq(self.ready),
        ]
        clocks = [sum(step.clocks for step in piece) for piece in core._postprocess._pieces]
        start, follow = Signal(name="start"), Signal(name="follow")
        m.d.comb += start.eq(beats.valid & beats.ready)
        self.pieces = pieces = Pieces(
            *(m, lambda name: inside(f"postprocess.{name}"), clocks, fifos_of(platform)),
            *(start, follow, self.ready),
        )
        self._lasts(m, inside, clocks)

        busy, before = Signal(name="busy"), Signal.like(pieces.gap, name="going_before")
        m.d.comb += follow.eq(AnySeq(1) & ~busy & start)
        is_last = Signal(name="is_last")
        with m.If(follow):
            m.d.sync += [busy.eq(1), is_last.eq(self.last)]
        with m.Elif(pieces.drop | (busy & pieces.pops[-1] & (before == 0))):
            m.d.sync += busy.eq(0)
        m.d.sync += before.eq(Mux(busy, before, pieces.gap) - pieces.pops[-1])
        pieces.claims(self.claim)
        pieces.goes_on(self.claim)
        self.claim(sum(place.here for place in pieces.places) == busy, "where")
        for place in pieces.places:
            self.claim(before == place.behind, f"{place.name}_before", place.here)
            if place.clock:
                has = self.lasts[place.piece][place.clock]
            else:
                has = pieces.rows[place.piece].kept[self.bits[place.piece]]
            self.claim(has == is_last, f"{place.name}_last", place.here)
        o = core.o
        self.claim(o.valid == pieces.valids[-1], "valid")
        if core._counts_beats:
            self._counts(m, inside)
        else:
            here = busy & o.valid & (before == 0)
            self.claim(o.payload.last == is_last, "last", here)
        m.d.comb += Cover(busy & pieces.pops[-1] & (before == 0))
        self._lemma()
        return m

    def _lemma(self) -> None:
        """Claim more."""

    def _places_of_last(self) -> list[int]:
        """Return the bit of each piece's FIFO that is a beat's `last`."""
        kinds = len(self.core._windows.kinds)
        shared: Bundle = Window(Signal(), Signal(range(kinds)) if kinds > 1 else Const(0, 0))
        found = []
        for piece in self.core._postprocess._pieces:
            for step in piece:
                shared = step.beat(shared)
            names = [name for name, _ in shared.leaves]
            before = shared.leaves[: names.index("last")]
            found.append(sum(len(value) for _, value in before))
        return found

    def _lasts(self, m: Module, inside: Inside, clocks: list[int]) -> None:
        """Claim that each piece hands a beat's `last` to its FIFO, in time."""
        pieces, given = self.pieces, self.last
        self.bits = self._places_of_last()
        self.lasts: list[list[Value]] = []
        for j, (row, late) in enumerate(zip(pieces.rows, clocks, strict=True)):
            (port,) = row.memory.write_ports
            past = [given, *ago(m, given, late, f"last_{j}")]
            started = pieces.started[j][late]
            self.claim(port.en == started, f"write_{j}")
            self.claim(port.data[self.bits[j]] == past[late], f"last_{j}", started)
            self.lasts.append(past)
            given = inside(f"postprocess.fifo_{j}.o__payload")[self.bits[j]]

    def _counts(self, m: Module, inside: Inside) -> None:
        """Claim what the counter of a frame's beats says."""
        beats = self.job.beats_out
        count = Signal(range(beats), name="count")
        with m.If(self.pieces.pops[-1]):
            m.d.sync += count.eq(Mux(count == beats - 1, 0, count + 1))
        self.claim(count < beats, "count")
        self.claim(self.core.o.payload.last == (count == beats - 1), "last")
        if beats > 1:
            left, more = (inside(f"postprocess.frame.{name}") for name in ("left", "more"))
            self.claim((left == beats - 1 - count) & (more == (left != 0)), "counted")


class Flow(Granted, Finish):
    """The same where the output is always ready: no beat is refused, and all take the same time."""

    def _lemma(self) -> None:
        self.granted = False
        assume(self.top, self.ready)
        self.claim(self.beats.ready, "never_refused")
        self.pieces.constant(self.claim)
