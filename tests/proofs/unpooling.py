"""Unpooling: each value leaves at its place in its own frame, and zero everywhere else.

The specification is at the ports. The solver chooses a beat out, and a frame; a value that belongs
there is written down as it comes in, and is what leaves at that place. It closes by induction over
a few clocks more than a beat takes to its write.
"""

from collections.abc import Iterator, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from streampool_golden import UnpoolJob
from streampool_hw import UnpoolCore

from .cases import Case
from .formal import AnySeq, Cover
from .harness import Claimed, Inside, Platform, assume, constant
from .pieces import Pieces
from .rule import any_of
from .stage import ago
from .whole import Raster

DEPTH = 4
FRAMES = 5
"""Bits that count the frames begun and not yet out."""


class Unpools(Claimed):
    """A core with free inputs, and one lane of it.

    Theorem: beat by beat a frame out has at each place the last of its frame's values that have its
    index, and 0 where there is none; `last` is high on a frame's last beat and on no other; nothing
    is lost, doubled or made up; a beat at the output stays, unchanged, until it is taken; and
    `index_error` is high from a clock after the first index out of range on.

    Invariants: which frames' memories are filled, waited for and read; a memory's chosen word is
    the value, once what is on its way is written, and is 0 from when it was read on.
    """

    def __init__(self, core: UnpoolCore, lane: int = 0):
        self.core, self.job, self.lane = core, core.job, lane
        self.platform = Platform()
        self.valid, self.ready = Signal(), Signal()
        self.data = Signal(core.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.data]

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        core, job = self.core, self.job
        self.inside = inside = Inside(core, platform)
        m.submodules.core = inside.fragment
        i, o = core.i, core.o
        self.take, self.pop = Signal(name="take"), Signal(name="pop")
        m.d.comb += [
            i.valid.eq(self.valid),
            i.payload.as_value().eq(self.data),
            o.ready.eq(self.ready),
            self.take.eq(i.valid & i.ready),
            self.pop.eq(o.valid & self.ready),
        ]
        self.area, self.frames = job.layout_out.positions, core._frames
        rows = [row for row in platform.rows if row.memory.read_ports[0].domain != "comb"]
        self.fifos = [row for row in platform.rows if row not in rows]
        self.rows = rows[self.lane * self.frames :][: self.frames]
        self._specify()
        self._count()
        self._follow()
        m.d.comb += Cover(self.hit & self.pop & (self.value != 0))
        return m

    # ---- what is claimed at the ports

    def _specify(self) -> None:
        m, job, o = self.top, self.job, self.core.o
        positions = job.layout_in.positions
        self.came = Raster(m, (positions, job.fold), self.take, "in")
        self.left = Raster(m, (self.area, job.fold), self.pop, "out")
        self.place = [
            constant(m, range(n), f"place_{k}") for k, n in enumerate((self.area, job.fold))
        ]
        assume(m, (self.place[0] < self.area) & (self.place[1] < job.fold))
        self.begun, self.ahead = (Signal(FRAMES, name=name) for name in ("begun", "ahead"))
        self.busy, self.inside_frame = Signal(name="busy"), Signal(name="inside")
        out_end = Signal(name="out_end")
        m.d.comb += out_end.eq(self.pop & self.left.ends)
        m.d.sync += self.begun.eq(self.begun + (self.take & self.came.starts) - out_end)

        index = Value.cast(self.core.i.payload.index[self.lane])
        word = Value.cast(self.core.i.payload.data[self.lane])[:]
        self.value = Signal(len(word), name="value")
        self.fill = self.inside("fill") if self.frames > 1 else Const(0, 1)
        self.leave = self.inside("leave") if self.frames > 1 else Const(0, 1)
        self.mine = constant(m, range(self.frames), "mine")
        self.pick, self.here, follows = (Signal(name=name) for name in ("pick", "here", "follows"))
        starts = self.take & self.came.starts
        m.d.comb += [
            self.pick.eq(AnySeq(1) & ~self.busy & starts & (self.fill == self.mine)),
            self.here.eq((index == self.place[0]) & (self.came.at[1] == self.place[1])),
            follows.eq(self.pick | (self.inside_frame & self.take)),
        ]
        self.word = word
        with m.If(follows & self.here):
            m.d.sync += self.value.eq(word)
        with m.Elif(self.pick):
            m.d.sync += self.value.eq(0)
        self.drop = Signal(name="drop")
        self.hit = Signal(name="hit")
        at_place = Cat(
            at == place for at, place in zip(self.left.at, self.place, strict=True)
        ).all()
        m.d.comb += self.hit.eq(self.busy & (self.ahead == 0) & at_place)
        with m.If(self.pick):
            m.d.sync += [
                *(self.busy.eq(1), self.inside_frame.eq(~self.came.ends)),
                self.ahead.eq(self.begun - out_end),
            ]
        with m.Elif(self.busy):
            with m.If(self.take & self.came.ends):
                m.d.sync += self.inside_frame.eq(0)
            with m.If(out_end):
                m.d.sync += self.ahead.eq(self.ahead - 1)
            with m.If(self.drop | (self.pop & self.hit)):
                m.d.sync += [self.busy.eq(0), self.inside_frame.eq(0)]
        out = Value.cast(o.payload.data[self.lane])[:]
        self.claim(~self.inside_frame & (out == self.value), "value", self.hit & o.valid)
        self.claim(o.payload.last == self.left.ends, "last", self.hit & o.valid)
        self.claim(self.begun != 0, "nothing_extra", o.valid)
        payload = o.payload.as_value()
        held, was = Signal(name="held"), Signal(len(payload), name="was")
        m.d.sync += [held.eq(o.valid & ~self.ready), was.eq(payload)]
        self.claim(o.valid, "stays", held)
        (read_port,) = self.fifos[0].memory.read_ports
        kept = read_port.addr == self.fifos[0].chosen
        self.claim(payload == was, "unchanged", held & kept)
        self._specify_error()

    def _specify_error(self) -> None:
        m, job = self.top, self.job
        used = job.lanes - job.layout_in.spare_lanes
        wrong = []
        for lane, index in enumerate(self.core.i.payload.index):
            is_used = Const(1, 1) if lane < used else self.came.at[1] != job.fold - 1
            wrong.append((Value.cast(index) >= self.area) & is_used)
        soon, seen = ago(m, self.take & Cat(wrong).any(), 1, "wrong")[-1], Signal(name="seen")
        m.d.sync += seen.eq(seen | soon)
        self.claim(self.core.index_error == seen, "index_error")

    # ---- the invariants

    def _flags(self, name: str) -> list[Signal]:
        return [self.inside(f"{name}_{k}") for k in range(self.frames)]

    def _of(self, which: Value, each: Sequence[Value]) -> Value:
        """Return what a frame's memory has."""
        return each[0] if len(each) == 1 else Mux(which, each[1], each[0])

    def _counter(self, name: str, period: int, count: Value) -> None:
        """Claim that a counter's steps are as many as were counted."""
        if period > 1:
            left, more = (self.inside(f"{name}.{part}") for part in ("left", "more"))
            self.claim((left == period - 1 - count) & (more == (left != 0)), name)

    def _count(self) -> None:
        m, job, of = self.top, self.job, self._of
        fold, area = job.fold, self.area
        busy, full = self._flags("busy"), self._flags("full")
        self.clearing = self.inside("clearing")
        self.read = Signal(name="reads")
        m.d.comb += self.read.eq(self.inside("beats_out.step") & ~self.clearing)
        goes = Signal(name="goes")
        m.d.comb += goes.eq(self.inside("beats_out.step"))
        self.at = Raster(m, (area, fold), goes, "read")
        for name, raster, beats in (
            ("in", self.came, job.beats_in),
            ("out", self.at, job.beats_out),
        ):
            position, group = raster.at
            self.claim(position < beats // fold, f"{name}_position")
            self.claim(group < fold, f"{name}_group_below")
            self._counter(f"group_{name}", fold, group)
            self._counter(f"beats_{name}", beats, position * fold + group)
        self.claim((self.left.at[0] < area) & (self.left.at[1] < fold), "left_at")
        self.address = self.at.at[1] * area + self.at.at[0]
        self.claim(self.inside("address") == self.address, "address")
        if job.beats_out > 1:
            self.claim(self.inside("base") == self.came.at[1] * area, "base")

        # of each frame: filled, its writes under way, full, and read
        ends = self.take & self.came.ends
        self.ended = ago(m, ends, 2, "ended")
        self.took = ago(m, self.take, 2, "took")
        self.filled = ago(m, self.fill, 2, "filled_of", control=False)
        for k in range(self.frames):
            self.claim(busy[k], f"busy_{k}", full[k])
            going = [past & (of_ == k) for past, of_ in zip(self.ended, self.filled, strict=True)]
            self.claim(sum(going) + full[k] == busy[k], f"waits_{k}")
        number = sum(busy)
        if self.frames > 1:
            self.claim((self.fill == self.leave) == (number != 1), "turns")
            self.claim(of(self.leave, busy), "leaves", number == 1)
        self.claim(~of(self.fill, busy), "fills", ~self.came.starts)
        nothing = ~Cat(busy).any() & self.came.starts
        self.claim(nothing & ~Cat(self.took).any() & ~self.busy, "clears", self.clearing)
        self.claim(of(self.leave, full) | self.at.starts, "reads", ~self.clearing)
        of_fill = [
            (self.filled[0] == self.fill) & ~self.came.starts,
            Mux(self.took[0], self.filled[0], self.fill) == self.filled[1],
        ]
        self.claim(of_fill[0], "took_0", self.took[0] & ~self.ended[0])
        self.claim(
            of_fill[1] & (self.took[0] | ~self.came.starts), "took_1", self.took[1] & ~self.ended[1]
        )

        core_inside = {
            "fifo_0.level": "fifo.level",
            "credit_0": "fifo.credit",
            "fifo_0.o__valid": "fifo.o__valid",
        }
        self.follow = Signal(name="follow")
        self.pieces = Pieces(
            *(m, lambda name: self.inside(core_inside[name]), [UnpoolCore.READ], self.fifos),
            *(self.read, self.follow, self.ready),
        )
        self.pieces.claims(self.claim)
        self.claim(self.core.o.valid == self.pieces.valids[0], "valid")
        self.claim(self.pieces.writes[0] == self.pieces.started[0][2], "writes")
        # beats read and not yet out, by the frames' ends among them
        self.ends_out = [
            self.pieces.gap + self._beat(self.left) == self._beat(self.at) + k * job.beats_out
            for k in range(self.pieces.most // job.beats_out + 2)
        ]
        nothing = self.pieces.gap == 0
        self.claim(nothing & self.left.starts, "cleared", self.clearing)
        self.claim(any_of(self.ends_out), "gap", ~self.clearing)
        frames = any_of(
            holds & (self.begun == k + number + ~self.came.starts)
            for k, holds in enumerate(self.ends_out)
        )
        self.claim(frames, "begun", ~self.clearing)
        self.claim(self.begun == 0, "none_begun", self.clearing)

    def _beat(self, raster: Raster) -> Value:
        """Return the number of the beat that a raster stands at."""
        return raster.at[0] * self.job.fold + raster.at[1]

    def _follow(self) -> None:
        """Say where the followed value is: in its memory, on its way, or in the FIFO."""
        m, job, mine, of = self.top, self.job, self.mine, self._of
        beats, fold = job.beats_out, job.fold
        chosen = self.place[1] * self.area + self.place[0]
        for row in self.rows:
            assume(m, row.chosen == chosen)
        kept = of(mine, [row.kept for row in self.rows])
        busy, full = (of(mine, self._flags(name)) for name in ("busy", "full"))
        beat = self.place[0] * fold + self.place[1]

        # what is on its way to the word
        lands = self.take & self.here & (self.fill == mine)
        past = ago(m, lands, 2, "lands")
        words = ago(m, self.word, 2, "words", control=False)
        cleared = self.clearing | (self.read & (self.leave == mine))
        clears = ago(m, cleared & (self.address == chosen), 1, "clears")[-1]
        will_be = Mux(past[0], words[0], Mux(past[1], words[1], kept))
        done = self._beat(self.at) > beat
        empty = ~busy & ((self.fill != mine) | self.came.starts)
        clean = Mux(self.clearing, done, empty | (full & (self.leave == mine) & done))
        self.claim((kept == 0) | clears, "clean", clean)
        self.claim(~Cat(past).any(), "lands", clean)

        stored = Signal(name="stored")
        goes = self.read & (self.leave == mine) & (self._beat(self.at) == beat)
        m.d.comb += self.follow.eq(stored & full & goes)
        with m.If(self.pick):
            m.d.sync += stored.eq(1)
        with m.Elif(self.follow):
            m.d.sync += stored.eq(0)
        m.d.comb += self.drop.eq(self.pieces.drop)
        pieces = self.pieces
        self.claim(stored + sum(place.here for place in pieces.places) == self.busy, "where")
        self.claim(will_be == self.value, "stored", stored)
        self.claim(~clears, "kept", stored)
        filling = (self.fill == mine) & ~busy & ~self.came.starts
        self.claim(filling == self.inside_frame, "filling", stored)
        self.claim(filling | busy, "filled", stored)
        self.claim(~full | (self.leave != mine) | ~done, "unread", stored)
        self.claim(~self.inside_frame, "complete", self.busy & ~stored)
        in_turn = any_of(
            holds & (self.ahead == k + (self.leave != mine))
            for k, holds in enumerate(self.ends_out)
        )
        self.claim(in_turn, "in_turn", stored)
        bits = self.job.output.bits
        part = slice(self.lane * bits, (self.lane + 1) * bits)
        for place in pieces.places:
            in_order = any_of(
                (self.ahead == k) & (place.behind + self._beat(self.left) == beat + k * beats)
                for k in range(pieces.most // beats + 2)
            )
            self.claim(in_order, f"{place.name}_order", place.here)
            if not place.clock:
                row = pieces.rows[0]
                is_last = row.kept[-1] == (beat == beats - 1)
                self.claim(
                    (row.kept[part] == self.value) & is_last, f"{place.name}_kept", place.here
                )
        (write,) = pieces.rows[0].memory.write_ports
        flies = [place for place in pieces.places if place.clock]
        read = of(mine, [row.memory.read_ports[0].data for row in self.rows])
        self.claim(read == self.value, "read", flies[0].here)
        is_last = write.data[-1] == (beat == beats - 1)
        self.claim((write.data[part] == self.value) & is_last, "written", flies[1].here)


def cases() -> Iterator[Case]:
    """Yield cores of all kinds of frames: of one lane and more, with one memory and with two."""
    for job, frames in (
        (UnpoolJob((3, 2, 3), (4, 6), 2), 2),
        (UnpoolJob((1, 4), (9,), 1, "uint5"), 2),
        (UnpoolJob((1, 4), (9,), 1, "uint5"), 1),
        (UnpoolJob((4, 2, 2), (4, 4), 4, "int12"), 2),
        (UnpoolJob((2, 3, 3), (3, 3), 2), 1),
        (UnpoolJob((1, 2, 3), (7, 1), 1), 2),
        (UnpoolJob((5, 4, 4), (3, 3), 2), 2),
        (UnpoolJob((5, 1, 2), (3, 3), 2, "uint1"), 1),
        (UnpoolJob((1, 1, 1), (1, 1), 1), 2),
        (UnpoolJob((64, 16, 16), (32, 32), 8), 2),
        (UnpoolJob((64, 112, 112), (224, 224), 8), 2),
    ):
        size = "x".join(map(str, (job.shape[0], *job.out_size)))
        for lane in sorted({0, job.lanes - 1}):
            yield Case(
                f"{'x'.join(map(str, job.shape))} into {size}, {frames} kept, lane {lane}",
                "unpooling",
                DEPTH,
                lambda a=(job, frames, lane): Unpools(UnpoolCore(a[0], frames=a[1]), a[2]),
            )
