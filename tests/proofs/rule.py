"""Lemma "rule": with a pipeline that does what lemma "path" says, a stage pools its axis.

The specification is at the ports alone. Beats are counted in and out: beat `c` of position `p`
comes next, and beat `oc` of window `ow` leaves next. One window `w` and one beat `cc` of it are
free and never change; the solver also chooses the frame. Their *reduction* is worked out from what
comes in, tap by tap, and has to be what leaves at their place. However long `ready` was low, once
it is high the stage goes on within `latency` clocks.

The invariants come from the plan. Each of its words has a count of windows that have left and the
window at each place of the queue, and in the loop both grow by the same in each turn; that is
checked in Python for every turn. So the number of positions is never enumerated.
"""

from bisect import bisect_left
from collections.abc import Iterable

from amaranth.hdl import Const, Mux, Signal, Value, signed
from streampool_hw.datapath.fifo import PipelineFifo
from streampool_hw.schedule.plans import words_of
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.uneven import Rounds

from .formal import AnySeq, Cover
from .harness import assume, constant
from .linear import Line, by_line
from .sequencer import Played
from .stage import ProvedStage, ago

DEPTH = 1
FRAMES = 5
"""Bits that count the frames begun and not yet out; the FIFO holds no more."""


def any_of(conditions: Iterable[Value | bool]) -> Value:
    """Return whether one of several holds."""
    found: Value = Const(0, 1)
    for condition in conditions:
        found = found | condition
    return found


class Rule(ProvedStage):
    """The axis pooled, claimed."""

    def _lemma(self) -> None:
        for what, when in self.owed.values():
            assume(self.top, what, when)
        words = words_of(self.plan)
        accumulates = isinstance(words, Rounds)
        self.slots = self.plan.program
        if accumulates:  # each word of a round stands for itself
            unfolded = tuple(words)
            self.slots = Program(unfolded, 0, len(unfolded), words.rounds)
        self.played = Played(
            *(self.top, self.claim, self.inside, self.slots, self.m, self.take),
            prefix="sequencer.",
            endless=self.endless,
            rounds=words if accumulates else None,
        )
        self._specify()
        self._follow_drain()
        self._count_leaving()
        self._follow_fifo()
        self._go_on()
        self._follow_window()

    # ---- what is claimed at the ports

    def _specify(self) -> None:
        m, axis, rows = self.top, self.axis, self.m
        inputs, windows = axis.length, axis.outputs
        self.p, self.c = self.played.p, self.played.c
        assert self.slots.length == inputs
        self.ow, self.oc = self._signal("ow", range(windows)), self._signal("oc", range(rows))
        self.begun = self._signal("begun", FRAMES)  # frames begun less those that are out
        self.w, self.cc = constant(m, range(windows), "w"), constant(m, range(rows), "cc")
        assume(m, (self.w < windows) & (self.cc < rows))
        p, c, ow, oc, w, cc = self.p, self.c, self.ow, self.oc, self.w, self.cc
        take, pop = self.take, self.pop

        self.start, self.end, self.out_end = (
            self._signal(name, 1) for name in ("start", "end", "out_end")
        )
        m.d.comb += [
            self.start.eq((p == 0) & (c == 0)),
            self.end.eq((p == inputs - 1) & (c == rows - 1)),
            self.out_end.eq(pop & (ow == windows - 1) & (oc == rows - 1)),
        ]
        with m.If(pop):
            m.d.sync += oc.eq(Mux(oc == rows - 1, 0, oc + 1))
            with m.If(oc == rows - 1):
                m.d.sync += ow.eq(Mux(ow == windows - 1, 0, ow + 1))
        self.claim((ow < windows) & (oc < rows), "counters_out")
        m.d.sync += self.begun.eq(self.begun + (take & self.start) - self.out_end)

        taps = [axis.taps(i) for i in range(windows)]
        self.first = self._signal("first_tap", range(inputs))
        self.last = self._signal("last_tap", range(inputs))
        m.d.comb += [
            self.first.eq(by_line([each[0] for each in taps], w, axis.stride)),
            self.last.eq(by_line([each[-1] for each in taps], w, axis.stride)),
        ]
        between = any_of(p == self.first + k * axis.dilation for k in range(axis.kernel))
        self.tap = self._signal("tap", 1)
        m.d.comb += self.tap.eq(between & (p <= self.last) & (c == cc))

        # the window w of a frame that the solver chooses, from its first tap on
        self.busy, self.inside_frame, self.complete, self.pick, self.drop = (
            self._signal(name, 1) for name in ("busy", "inside", "complete", "pick", "drop")
        )
        self.ahead = self._signal("ahead", FRAMES)  # frames that leave before its own
        self.value = self._signal("value", self.o_shape)
        final = self._signal("final", 1)
        m.d.comb += [
            final.eq(self.tap & (p == self.last)),
            self.pick.eq(
                AnySeq(1) & ~self.busy & take & self.tap & (p == self.first) & (self.at == self.row)
            ),
        ]
        hit = self._signal("hit", 1)
        m.d.comb += hit.eq(self.busy & (self.ahead == 0) & (ow == w) & (oc == cc))
        with m.If(self.pick):
            m.d.sync += [
                self.busy.eq(1),
                self.inside_frame.eq(~self.end),
                self.value.eq(self.x),
                self.ahead.eq(self.begun + self.start - 1 - self.out_end),
                self.complete.eq(final),
            ]
        with m.Elif(self.busy):
            with m.If(self.inside_frame & take & self.tap):
                m.d.sync += self.value.eq(self.join(self.value, self.x))
                m.d.sync += self.complete.eq(self.complete | final)
            with m.If(take & self.end):
                m.d.sync += self.inside_frame.eq(0)
            with m.If(self.out_end):
                m.d.sync += self.ahead.eq(self.ahead - 1)
            with m.If(self.drop | (pop & hit)):
                m.d.sync += self.busy.eq(0)

        out, valid = self.stage.o, self.stage.o.valid
        self.claim(self.complete & (self.out == self.value), "value", hit & valid)
        self.is_last = (w == windows - 1) & (cc == rows - 1)
        if self.holds_last:
            self.claim(self.stage.last == self.is_last, "last", hit & valid)
        self.claim(self.begun != 0, "nothing_extra", valid)
        self.past = (p > self.last) | ((p == self.last) & (c > cc))
        now = (ow == w) & (oc == cc) & (self.begun == 1) & ~self.start
        self.claim(self.past, "causal", valid & now)
        self.held = self._signal("held", 1)
        self.was = self._signal("was", len(self.beat))
        m.d.sync += [self.held.eq(out.valid & ~self.ready), self.was.eq(self.beat)]
        self.claim(out.valid, "stays", self.held)
        m.d.comb += Cover(pop & hit & self.complete)

    # ---- the invariants

    def _follow_drain(self) -> None:
        """Say what the drain's counters hold: `to_drain` beats of the frame before are to leave."""
        m, plan, rows, inside = self.top, self.plan, self.m, self.inside
        drain = plan.drain
        self.to_drain = self._signal("to_drain", range(drain * rows + 1))
        if not drain:
            return
        with m.If(self.take & self.end):
            m.d.sync += self.to_drain.eq(drain * rows)
        with m.Elif(self.step & (self.to_drain != 0)):
            m.d.sync += self.to_drain.eq(self.to_drain - 1)
        self.claim(self.to_drain <= drain * rows, "to_drain")
        some = self.to_drain != 0
        self.claim(self.draining == some, "draining")
        self.claim(inside("between") == (self.start & some), "between")
        if drain * rows > 1:
            left = inside("drain.left")
            counted = left == Mux(some, self.to_drain - 1, drain * rows - 1)
            self.claim(counted & (inside("drain.more") == (left != 0)), "drain")
        # a step that takes an input drains too, so no more are taken than have drained
        taken = any_of(
            (self.p == q) & (self.to_drain + self.c <= (plan.overlap - q) * rows)
            for q in range(plan.overlap)
        )
        self.claim(taken | (self.start & (self.to_drain > plan.overlap * rows)), "overlap", some)
        if plan.waits:
            more = (drain - plan.overlap) * rows
            waiting = self.to_drain > plan.overlap * rows
            self.claim(inside("blocked") == waiting, "blocked")
            self.claim(self.start, "waits", waiting)
            if more > 1:
                left = inside("wait.left")
                counted = left == Mux(waiting, self.to_drain - plan.overlap * rows - 1, more - 1)
                self.claim(counted & (inside("wait.more") == (left != 0)), "wait")

    def _count_leaving(self) -> None:
        """Say which beat leaves the queue next: `lc` of window `lw`, `lf` frames behind."""
        m, plan, rows = self.top, self.plan, self.m
        windows = self.axis.outputs
        before = [0]
        gone = iter([*plan.leave, -1])
        leaves = next(gone)
        for slot in range(self.axis.length - 1):
            before.append(before[-1] + (leaves == slot))
            if leaves == slot:
                leaves = next(gone)
        self.lw = self._signal("lw", range(windows + 1))
        self.lc = self._signal("lc", range(rows))
        self.lf = self._signal("lf", signed(FRAMES + 1))
        m.d.comb += [
            self.lw.eq(self.played.by_slot(before)),
            self.lc.eq(Mux(self.own, self.c, 0)),
            self.lf.eq(self.begun - ~self.start),
        ]
        for q in range(plan.drain):
            with m.If((self.to_drain > q * rows) & (self.to_drain <= (q + 1) * rows)):
                m.d.comb += [
                    self.lw.eq(windows - 1 - q),
                    self.lc.eq((q + 1) * rows - self.to_drain),
                    self.lf.eq(self.begun - 1 - ~self.start),
                ]
        nothing = (self.lw == windows) & (self.to_drain == 0)
        self.claim(self.start | (self.begun != 0) | nothing, "frames")

    def _apart(self, frame: Value, window: Value, beat: Value, beats: Value) -> Value:
        """Return whether a beat is so many after the one that leaves next."""
        windows, rows = self.axis.outputs, self.m
        return any_of(
            (window + frame * windows - self.ow == k) & (beat + k * rows - self.oc == beats)
            for k in range((PipelineFifo.CAPACITY - 1) // rows + 2)
        )

    def _follow_fifo(self) -> None:
        m, stage, clocks = self.top, self.stage, self.stage.latency - 1
        (write,), (read,) = self.fifo_row.memory.write_ports, self.fifo_row.memory.read_ports
        self.to, self.from_ = write.addr, read.addr
        self.level = self.inside("fifo.level")
        going = sum(self.left[:clocks])
        gap = self._signal("gap", FRAMES + 1)
        m.d.comb += gap.eq(self.level + going)
        self.gap = gap
        self.claim(self._apart(self.lf, self.lw, self.lc, gap), "leaving")
        self.claim(stage.o.valid == (self.level != 0), "valid")
        room = PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT
        self.claim(self.level + sum(self.stepped[:clocks]) <= room + clocks, "credit")
        for i in range(clocks):
            self.claim(self.stepped[i], f"left_{i}", self.left[i])
        self.claim((self.to - self.from_)[: len(self.to)] == self.level, "fifo")
        at_row = self.held & (self.from_ == self.fifo_row.chosen)
        self.claim(self.beat == self.was, "unchanged", at_row)

    def _go_on(self) -> None:
        """Claim that once `ready` is high, credit is back within `stage.latency` clocks.

        In each clock without credit a beat leaves, and nothing new starts.
        """
        m, clocks = self.top, self.stage.latency - 1
        held_up = self._signal("held_up", range(clocks + 3))
        m.d.sync += held_up.eq(Mux(self.ready & ~self.inside("fifo.credit"), held_up + 1, 0))
        room = PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT + clocks
        going = sum(self.stepped[:clocks])
        self.claim((held_up == 0) | (self.level + going + held_up <= room), "sinking")
        self.claim(held_up <= clocks + 1, "goes_on")

    def _places(self) -> list[list[Line | None]]:
        """Return, per word and place of the queue, the window there by the loop's turn."""
        plan, axis = self.plan, self.axis
        program = self.slots
        start, stop, repeats = program.start, program.stop, program.repeats
        length = stop - start
        pops = sorted([*range(plan.overlap), *plan.leave])
        held: list[list[int | None]] = [[None] * plan.partials for _ in range(axis.length)]
        for i, leave in enumerate(plan.leave):
            for slot in range(axis.taps(i)[0] + 1, min(leave, axis.length - 1) + 1):
                place = bisect_left(pops, leave) - bisect_left(pops, slot)
                if plan.always_shifts:
                    place = leave - slot
                assert held[slot][place] is None
                held[slot][place] = i
        found: list[list[Line | None]] = []
        for i in range(len(program.words)):
            slots = {0: i if i < stop else i + (repeats - 1) * length}
            if start <= i < stop:
                slots = {turn: i + turn * length for turn in range(repeats)}
            found.append([])
            for place in range(plan.partials):
                windows = {
                    turn: window
                    for turn, slot in slots.items()
                    if (window := held[slot][place]) is not None
                }
                found[-1].append(Line.through(windows))
        return found

    def _follow_window(self) -> None:
        """Say where the followed partial is: in the queue, on its way, or in the FIFO."""
        m, plan, rows, clocks = self.top, self.plan, self.m, self.stage.latency - 1
        played, program = self.played, self.slots
        start, stop, repeats = program.start, program.stop, program.repeats
        windows, inputs = self.axis.outputs, self.axis.length
        w, cc, c, row = self.w, self.cc, self.c, self.row
        queued, leaving, arrives = (
            self._signal(name, 1) for name in ("queued", "leaving", "arrives")
        )
        on_its_way = ago(m, leaving, clocks, "on_its_way")

        # where row's next step stands in the program
        later = self._signal("later", 1)
        m.d.comb += later.eq(c > cc)
        ri = Signal.like(played.wi, name="row_wi")
        rt = Signal.like(played.turns, name="row_turns")
        rp = self._signal("row_p", range(inputs + 1))
        m.d.comb += [
            ri.eq(Mux(later, played.next_wi, played.wi)),
            rt.eq(Mux(later, played.next_turns, played.turns)),
            rp.eq(self.p + later),
        ]
        turn = repeats - 1 - rt
        until = self._signal("until", range(rows))  # steps until row's
        m.d.comb += until.eq(Mux(row < self.at, row + rows - self.at, row - self.at))
        by_word = self._places()
        matches: list[Signal] = []
        for place in range(plan.partials):
            match = self._signal(f"match_{place}", 1)
            here = any_of(
                (ri == i) & (held.holds(turn, w) if start <= i < stop else w == held.begin)
                for i, places in enumerate(by_word)
                if (held := places[place]) is not None
            )
            m.d.comb += match.eq(here)
            with m.If(self.inside_frame & (rp == inputs)):
                m.d.comb += match.eq(w == windows - plan.drain + place)
            with m.If(~self.inside_frame):
                m.d.comb += match.eq((w - self.lw) * rows + cc - self.lc == until + place * rows)
            matches.append(match)

        self.claim(self.busy, "queued_busy", queued)
        drains = (self.to_drain != 0) & (self.ahead == self.lf) & (w >= self.lw)
        self.claim(
            drains if plan.drain else Const(0, 1), "queued_drains", queued & ~self.inside_frame
        )
        aligned = any_of(row + c + k == self.at + cc for k in (-rows, 0, rows))
        self.claim(aligned, "queued_row", queued & self.inside_frame)
        self.claim(sum(matches) == 1, "queued_place", queued)
        alive = (rp > self.first) & ((rp <= self.last) | (w >= self._first_waiting()))
        alive &= (self.ahead + 1 == self.begun) & ~self.start
        self.claim(alive, "queued_alive", queued & self.inside_frame)
        done = (rp > self.last) | ~self.inside_frame
        self.claim(self.complete == done, "queued_complete", queued)
        for place, match in enumerate(matches):
            same = self.known[place] & (self.queue[place] == self.value)
            self.claim(same, f"queued_value_{place}", queued & match)

        mine = (queued & (self.ahead == self.lf)) | (self.pick & (self.to_drain == 0))
        m.d.comb += [
            leaving.eq(self.leaves & (self.lc == cc) & (self.lw == w) & mine),
            arrives.eq(on_its_way[-1]),
            self.drop.eq(arrives & (self.to != self.fifo_row.chosen)),
        ]
        with m.If(self.pick):
            m.d.sync += queued.eq(~leaving)
        with m.Elif(leaving):
            m.d.sync += queued.eq(0)

        in_fifo, before = self._signal("in_fifo", 1), self._signal("before", FRAMES)
        with m.If(arrives & ~self.drop):
            m.d.sync += [in_fifo.eq(1), before.eq(self.level - self.pop)]
        with m.Elif(in_fifo & self.pop):
            m.d.sync += [before.eq(before - 1), in_fifo.eq(before != 0)]
        self.claim(queued + in_fifo + sum(on_its_way) == self.busy, "where")
        self.claim(self.complete, "left_complete", self.busy & ~queued)
        self.claim(self.past, "left_past", self.busy & self.inside_frame & self.complete)
        of_frame = (self.ahead + 1 == self.begun) & ~self.start
        self.claim(of_frame, "of_frame", self.busy & self.inside_frame)
        for i in range(clocks):
            same = self.left[i] & self.visited[i] & self.knew[i] & (self.given[i] == self.value)
            behind = self.level + sum(self.left[i + 1 : clocks])
            same &= self._apart(self.ahead, w, cc, behind)
            self.claim(same, f"flies_{i}", on_its_way[i])
            if self.holds_last:
                self.claim(self.ended[i] == self.is_last, f"flies_last_{i}", on_its_way[i])
        place_in_fifo = (self.from_ + before)[: len(self.from_)] == self.fifo_row.chosen
        apart = self._apart(self.ahead, w, cc, before)
        self.claim(apart & (before < self.level) & place_in_fifo, "fifo_place", in_fifo)
        kept = self.fifo_row.kept
        self.claim(self.of_lane(kept, self.o_shape) == self.value, "fifo_value", in_fifo)
        if self.holds_last:
            self.claim(kept[-1] == self.is_last, "fifo_last", in_fifo)
        nothing_left = self.start & (self.gap == 0) & (self.to_drain == 0)
        none_out = (self.ow == 0) & (self.oc == 0) & (self.begun == 0)
        self.claim(none_out, "nothing_lost", nothing_left)

    def _first_waiting(self) -> int:
        """Return the first window that has to wait, all its taps in, for its turn to leave."""
        waiting = (i for i, leave in enumerate(self.plan.leave) if leave > self.axis.taps(i)[-1])
        return next(waiting, self.axis.outputs)
