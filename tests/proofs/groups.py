"""Lemmas "columns rule" and "columns rate": a uniform column stage pools its axis.

With a pipeline that does what lemma "columns path" says, the specification is at the ports alone.
A row of inputs is `beats` long, and a row of results `groups`; beat `cc` of a group is that of row
`cc` of the m that are interleaved. One window `w` and one `cc` are free and never change, and the
solver chooses the frame. Its taps are written down one by one as they come in; what leaves at the
window's place has to be their reduction, in the order of the columns.
"""

from amaranth.hdl import Cat, Const, Mux, Signal, Value, signed
from streampool_hw.schedule.graph import Run

from .columns import ProvedColumns
from .formal import AnySeq, Cover
from .graphs import value_of
from .harness import Granted, assume, constant
from .linear import by_line
from .pieces import Place
from .rule import any_of
from .sequencer import Played

DEPTH = 1


class Rule(ProvedColumns):
    """The groups pooled, claimed."""

    def _lemma(self) -> None:
        for what, when in self.owed.values():
            assume(self.top, what, when)
        self._follow_program()
        self._specify()
        self._count_leaving()
        self.pieces.claims(self.claim)
        self.pieces.goes_on(self.claim)
        self._follow_window()

    # ---- what is claimed at the ports

    def _specify(self) -> None:
        m, axis, rows, one = self.top, self.axis, self.m, self.axis.axis
        groups, columns, p, c = axis.groups, axis.columns, self.played.p, self.played.c
        bits = (self.pieces.most // (rows * groups) + 2).bit_length() + 1
        self.bits = bits
        self.og, self.oc = Signal(range(groups), name="og"), Signal(range(rows), name="oc")
        self.begun = Signal(bits, name="begun")  # rows begun less those that are out
        self.g, self.q = constant(m, range(groups), "g"), constant(m, range(axis.windows), "q")
        self.cc = constant(m, range(rows), "cc")
        self.w = Signal(range(axis.windows * groups), name="w")
        m.d.comb += self.w.eq(self.g * axis.windows + self.q)
        assume(m, (self.g < groups) & (self.q < axis.windows) & (self.cc < rows))
        assume(m, self.w < one.outputs)
        take, pop, og, oc, cc, w = self.take, self.pop, self.og, self.oc, self.cc, self.w
        self.start, self.end, self.out_end = (Signal(name=n) for n in ("start", "end", "out_end"))
        m.d.comb += [
            self.start.eq((p == 0) & (c == 0)),
            self.end.eq((p == axis.beats - 1) & (c == rows - 1)),
            self.out_end.eq(pop & (og == groups - 1) & (oc == rows - 1)),
        ]
        with m.If(pop):
            m.d.sync += oc.eq(Mux(oc == rows - 1, 0, oc + 1))
            with m.If(oc == rows - 1):
                m.d.sync += og.eq(Mux(og == groups - 1, 0, og + 1))
        m.d.sync += self.begun.eq(self.begun + (take & self.start) - self.out_end)

        # the columns of the window's taps, one by one, whether they are the frame's or not
        taps = [one.taps(i) for i in range(one.outputs)]
        for i, each in enumerate(taps):
            places = range(i * one.stride - one.before, i * one.stride - one.before + one.span)
            assert list(each) == [x for x in places[:: one.dilation] if x in one.kept]
        reach = signed((one.length + one.span + abs(one.before) + columns).bit_length() + 2)
        self.column = [Signal(reach, name=f"column_{k}") for k in range(one.kernel)]
        self.real = [Signal(name=f"real_{k}") for k in range(one.kernel)]
        self.tap = [Signal(self.shape, name=f"tap_{k}") for k in range(one.kernel)]
        for k, (column, real) in enumerate(zip(self.column, self.real, strict=True)):
            m.d.comb += [
                column.eq(w * one.stride + (k * one.dilation - one.before)),
                real.eq((column >= one.kept.start) & (column < one.kept.stop)),
            ]
        self.last = Signal(range(one.length), name="last_tap")
        m.d.comb += self.last.eq(by_line([each[-1] for each in taps], w, one.stride))

        # the window of a frame that the solver chooses, from its row's first beat on
        self.busy, self.inside_frame, self.complete = (
            Signal(name=name) for name in ("busy", "inside", "complete")
        )
        self.ahead = Signal(bits, name="ahead")  # rows of groups that leave before its own
        self.pick = Signal(name="pick")
        m.d.comb += self.pick.eq(
            AnySeq(1) & ~self.busy & take & (p == 0) & (c == cc) & (self.at == self.row)
        )
        hit, final = Signal(name="hit"), Signal(name="final_tap")
        m.d.comb += [
            hit.eq(self.busy & (self.ahead == 0) & (og == self.g) & (oc == cc)),
            final.eq((c == cc) & (self.last < (p + 1) * columns)),
        ]
        come = [[(p * columns + u == column) & real for u in range(columns)]
                for column, real in zip(self.column, self.real, strict=True)]  # fmt: skip
        with m.If(self.pick):
            m.d.sync += [
                self.busy.eq(1),
                self.inside_frame.eq(~self.end),
                self.ahead.eq(self.begun + self.start - 1 - self.out_end),
                self.complete.eq(final),
            ]
            for tap, comes in zip(self.tap, come, strict=True):
                m.d.sync += tap.eq(0)
                for here, x in zip(comes, self.x, strict=True):
                    with m.If(here):
                        m.d.sync += tap.eq(x)
        with m.Elif(self.busy):
            with m.If(self.inside_frame & take & (c == cc)):
                m.d.sync += self.complete.eq(self.complete | final)
                for tap, comes in zip(self.tap, come, strict=True):
                    for here, x in zip(comes, self.x, strict=True):
                        with m.If(here):
                            m.d.sync += tap.eq(x)
            with m.If(take & self.end):
                m.d.sync += self.inside_frame.eq(0)
            with m.If(self.out_end):
                m.d.sync += self.ahead.eq(self.ahead - 1)
            with m.If(self.pieces.drop | (pop & hit)):
                m.d.sync += self.busy.eq(0)

        o = self.stage.o
        self.total = self._reduced()
        for q in range(axis.windows):
            out = value_of(o.payload.as_value(), self.stage._o_shape, self.lanes, q, self.lane)
            self.claim(out == self.total, f"value_{q}", hit & o.valid & (self.q == q))
        self.claim(self.complete, "all_taps", hit & o.valid)
        self.claim(self.begun != 0, "nothing_extra", o.valid)
        self.past = (p + (c > cc)) * columns > self.last
        now = (og == self.g) & (oc == cc) & (self.begun == 1) & ~self.start
        self.claim(self.past, "causal", o.valid & now)
        held, was = Signal(name="held"), Signal(len(o.payload.as_value()), name="was")
        m.d.sync += [held.eq(o.valid & ~self.ready), was.eq(o.payload.as_value())]
        self.claim(o.valid, "stays", held)
        row = self.pieces.rows[-1]
        (read,) = row.memory.read_ports
        self.claim(o.payload.as_value() == was, "unchanged", held & (read.addr == row.chosen))
        self.claim((og < groups) & (oc < rows), "counters_out")
        m.d.comb += Cover(pop & hit & self.complete)

    def _reduced(self) -> Value:
        """Return the reduction of the window's taps, in the order of the columns."""
        m, stage = self.top, self.stage
        found: Value = self.tap[0]
        for number, tap in enumerate(self.tap[1:], 2):
            value = Signal(stage._shape(number), name=f"reduced_{number}")
            m.d.comb += value.eq(self.join(found, tap))
            found = value
        return found

    # ---- the invariants

    def _follow_program(self) -> None:
        """Say where both sequencers stand, and what the drain's counters hold."""
        m, plan, rows, inside = self.top, self.plan, self.m, self.inside
        self.played = Played(
            *(m, self.claim, inside, plan.program, rows, self.take),
            prefix="sequencer.",
            endless=not plan.drain,
        )
        assert plan.program.length == self.axis.beats
        drain = plan.drain
        self.to_drain = Signal(range(drain * rows + 1), name="to_drain")
        if not drain:
            return
        p, c = self.played.p, self.played.c
        end = self.take & (p == self.axis.beats - 1) & (c == rows - 1)
        start = (p == 0) & (c == 0)
        some = self.to_drain != 0
        with m.If(end):
            m.d.sync += self.to_drain.eq(drain * rows)
        with m.Elif(self.step & some):
            m.d.sync += self.to_drain.eq(self.to_drain - 1)
        self.claim(self.draining == some, "draining")
        self.claim(inside("between") == (start & some), "between")
        self.drained = Played(
            *(m, self.claim, inside, plan.drain_program, rows, self.step & some),
            prefix="drain_words.",
            named="drain_",
        )
        assert plan.drain_program.length == drain
        gone = self.drained.p * rows + self.drained.c
        self.claim(gone == Mux(some, drain * rows - self.to_drain, 0), "to_drain")
        if drain * rows > 1:
            left = inside("drain.left")
            counted = left == Mux(some, self.to_drain - 1, drain * rows - 1)
            self.claim(counted & (inside("drain.more") == (left != 0)), "drain")
        # a step that takes an input drains too, so no more are taken than have drained
        taken = any_of(
            (p == k) & (self.to_drain + c <= (plan.overlap - k) * rows) for k in range(plan.overlap)
        )
        self.claim(taken | (start & (self.to_drain > plan.overlap * rows)), "overlap", some)
        if plan.waits:
            more = (drain - plan.overlap) * rows
            waiting = self.to_drain > plan.overlap * rows
            self.claim(inside("blocked") == waiting, "blocked")
            self.claim(start, "waits", waiting)
            if more > 1:
                left = inside("wait.left")
                counted = left == Mux(waiting, self.to_drain - plan.overlap * rows - 1, more - 1)
                self.claim(counted & (inside("wait.more") == (left != 0)), "wait")

    def _count_leaving(self) -> None:
        """Say which beat starts in the pipeline next: `lc` of group `lg`, `lf` rows behind."""
        m, plan, axis, rows = self.top, self.plan, self.axis, self.m
        groups, leave = axis.groups, set(plan.leave)
        before = [0]
        for slot in range(axis.beats + plan.drain):
            before.append(before[-1] + (slot in leave))
        assert before[-1] == groups
        some = self.to_drain != 0
        self.lg = Signal(range(groups + 1), name="lg")
        self.lc = Signal(range(rows), name="lc")
        self.lf = Signal(signed(self.bits + 1), name="lf")
        m.d.comb += [
            self.lg.eq(self.played.by_slot(before[: axis.beats])),
            self.lc.eq(Mux(self.own, self.played.c, 0)),
            self.lf.eq(self.begun - ~self.start),
        ]
        if plan.drain:
            with m.If(some):
                m.d.comb += [
                    self.lg.eq(self.drained.by_slot(before[axis.beats : -1])),
                    self.lc.eq(Mux(self.own, self.drained.c, 0)),
                    self.lf.eq(self.begun - 1 - ~self.start),
                ]
        nothing = (self.lg == groups) & ~some
        self.claim(self.start | (self.begun != 0) | nothing, "frames")
        apart = self._apart(self.lf, self.lg, self.lc, self.pieces.gap)
        self.claim(apart, "leaving")
        nothing_left = self.start & (self.pieces.gap == 0) & ~some
        none_out = (self.og == 0) & (self.oc == 0) & (self.begun == 0)
        self.claim(none_out, "nothing_lost", nothing_left)

    def _apart(self, frame: Value, group: Value, beat: Value, beats: Value) -> Value:
        """Return whether a beat is so many after the one that leaves next."""
        groups, rows = self.axis.groups, self.m
        return any_of(
            (group + frame * groups - self.og == k) & (beat + k * rows - self.oc == beats)
            for k in range((self.pieces.most - 1) // rows + 2)
        )

    def _follow_window(self) -> None:
        """Say where the followed window is: in the history, on its way, or in a FIFO."""
        m, plan, axis, rows = self.top, self.plan, self.axis, self.m
        p, c, cc = self.played.p, self.played.c, self.cc
        queued = Signal(name="queued")
        mine = (queued & (self.ahead == self.lf)) | (self.pick & (self.to_drain == 0))
        m.d.comb += self.follow.eq(self.leaves & (self.lc == cc) & (self.lg == self.g) & mine)
        with m.If(self.pick):
            m.d.sync += queued.eq(~self.follow)
        with m.Elif(self.follow):
            m.d.sync += queued.eq(0)
        places = self.pieces.places
        where = queued + sum(place.here for place in places)
        self.claim(where == self.busy, "where")

        # how many slots of the frame the row has seen
        seen = Signal(range(axis.beats + plan.drain + 2), name="seen")
        m.d.comb += seen.eq(p + (c > cc))
        inner: Value = c
        if plan.drain:
            inner = Mux(self.inside_frame, c, self.drained.c)
            with m.If(~self.inside_frame):
                m.d.comb += seen.eq(axis.beats + self.drained.p + (self.drained.c > cc))
        leave = axis.stride * self.g + plan.distance
        queues = queued & self.inside_frame
        of_frame = (self.ahead + 1 == self.begun) & ~self.start
        self.claim((seen != 0) & (seen <= leave), "queued_alive", queued)
        self.claim(of_frame, "of_frame", self.busy & self.inside_frame)
        self.claim((p != 0) | (c > cc), "inside", self.busy & self.inside_frame)
        drains = (self.to_drain != 0) & (self.ahead == self.lf)
        self.claim(drains, "queued_drains", queued & ~queues)
        aligned = any_of(self.row + inner + k == self.at + cc for k in (-rows, 0, rows))
        self.claim(aligned, "queued_row", queued)
        done = (seen * axis.columns > self.last) | ~self.inside_frame
        self.claim(self.complete == done, "queued_complete", queued)
        self.claim(self.complete, "left_complete", self.busy & ~queued)
        past = self.busy & self.inside_frame & self.complete
        self.claim(self.past, "past", past)

        for k, (column, real, tap) in enumerate(zip(self.column, self.real, self.tap, strict=True)):
            to_come = self.inside_frame & (column >= seen * axis.columns)
            self.claim(tap == 0, f"empty_{k}", self.busy & (~real | (queues & to_come)))
            for number, ((age, u), kept) in enumerate(self.history.items()):
                here = ((seen - age) * axis.columns + u == column) & (seen >= age)
                here &= column < axis.beats * axis.columns
                same = (kept == tap) & self.known[age]
                self.claim(same, f"kept_{k}_{number}", queued & here)
        going = self.busy & ~queued
        before = Signal.like(self.pieces.gap, name="going_before")  # beats that leave earlier
        m.d.sync += before.eq(Mux(going, before, self.pieces.gap) - self.pop)
        self.claim(self._apart(self.ahead, self.g, cc, before), "going_apart", going)
        for place in places:
            self.claim(before == place.behind, f"{place.name}_before", place.here)
        for q, result in enumerate(self.levels.graph.results):
            tree = self._tree(q, self.levels.cone(result))
            self.claim(tree[result] == self.total, f"tree_{q}", self.q == q)
            for place in places:
                self._claim_value(place, q, tree)

    def _tree(self, q: int, cone: set[Run]) -> dict[Run, Value]:
        """Return what the window's taps give by the graph, if it is number q of a group."""
        one, columns = self.axis.axis, self.axis.columns
        first = q * one.stride - one.before  # of tap 0 among a group's own beats
        leaves: dict[Run, Value] = {}
        for run in sorted(cone):
            if run[1] == 1:
                place = run[0] + self.plan.distance * columns
                tap, left = divmod(place - first, one.dilation)
                assert not left and 0 <= tap < one.kernel
                leaves[run] = self.tap[tap]
        levels = len(self.levels.graph.levels)
        found = self.levels.then(self.top, leaves, 0, levels, f"tree_{q}")
        return {run: found[run] for run in cone}

    def _claim_value(self, place: Place, q: int, tree: dict[Run, Value]) -> None:
        """Claim that what is at a place is the followed window's, as far as it has got."""
        same = self.words.same(place, tree)
        if not place.piece and place.clock:
            knew = self.knew[place.clock - 1]
            same += [knew[k] for k, run in enumerate(self.operands) if run in tree]
            same.append(self.visited[place.clock - 1])
        self.claim(Cat(same).all(), f"{place.name}_value_{q}", place.here & (self.q == q))


class Rate(Granted, Rule):
    """A stage whose output is always ready: with all of `Rule` taken for granted.

    An input is refused only where the schedule has the next row wait for the drain, and each beat
    takes as long as any other.
    """

    def _lemma(self) -> None:
        super()._lemma()
        self.granted = False
        assume(self.top, self.ready)
        waits = self.inside("blocked") if self.plan.waits else Const(0, 1)
        self.claim(self.stage.i.ready | waits, "never_refused")
        self.pieces.constant(self.claim)
