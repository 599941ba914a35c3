"""Frames out of step: a core that follows its frames' marks, and drops what is no whole frame."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import Job, PoolJob, SpecError

from .base import Core
from .core import PoolCore
from .datapath.fifo import PipelineFifo
from .families import GENERIC
from .schedule.counters import ModuloCounter
from .schedule.settings import CONSTANTS, Settings

MARKS = ("first", "last")
"""The marks that a beat may bear."""

COUNT_BITS = 16
"""Bits of the count of broken frames, which starts again at 0 behind the highest."""


def check_resync(job: Job) -> None:
    """Refuse a job whose core cannot follow marks: one that takes indices, which fillers are not.

    This is before there is a component, which warns of being unused.
    """
    if len(job.fields_in) > 1:
        raise SpecError(
            "resync",
            f"resync has no meaning with {job.kind}, whose core takes indices; leave it out.",
        )


def check_beat_marks(marks: Sequence[str]) -> tuple[str, ...]:
    """Return some marks of a beat in their order, or refuse what are none."""
    found = tuple(mark for mark in MARKS if mark in marks)
    if not marks or len(found) != len(marks):
        raise SpecError("marks", f"marks {tuple(marks)} are none that a beat bears; use {MARKS}.")
    return found


def check_unmarked(core: Core) -> None:
    """Refuse a core that follows its marks by itself, where one is to be made to."""
    if core.marks:
        raise SpecError("core", "core follows its frames' marks already; use the core inside.")


class Resync(wiring.Component):
    """Compare the marks of a core's beats with its own count, and restart it between two frames.

    The core counts beats. A beat that bears a mark too early breaks its frame, whose rest is then
    made up of fillers, one per clock, until the frames before it have left whole: their last
    windows may leave only in the steps of this one. Then a soft reset of one clock makes the core
    ready for the next frame. No beat of the broken frame comes to the output behind t+1, when no
    filler can have got there.

    ::

        t    the beat that breaks the frame is taken; an early first one is kept aside
        t+1  nothing is taken any more; fillers, if a frame before is still leaving
        w    the last beat of the frames before leaves; no later than t+1 if none was left
        w+1  restart: nothing is shown, and the core is reset
        w+2  the core takes the next frame's first beat, the kept one if there is one

    Where a beat waits at the output, w is the clock in which it is taken.

    What is behind a whole frame and bears no `first`, or without that mark what follows a missing
    `last` up to the next one, is dropped, beat by beat.

    Members
    -------
    valid : In(1)
        Whether there is a beat at the port.
    ready : Out(1)
        Whether one is taken there; from registers alone.
    kept : Out(1)
        Whether the beat at hand is the one that was kept, and not the port's.
    keep : Out(1)
        Whether the port's beat is to be kept.
    first, last : In(1)
        The marks of the beat at hand.
    core_i_valid : Out(1)
    core_i_ready : In(1)
        The core's input.
    core_i_last : In(1)
        Whether the beat to come is its frame's last, where no number of `beats` says that.
    core_o_valid, core_o_last : In(1)
        The core's output.
    o_valid : Out(1)
    o_ready : In(1)
        The port of the output.
    restart : Out(1)
        The soft reset of the core and of all that counts with it; a register.
    broken : Out(1)
        Whether a frame is found broken in this clock.
    count : Out(COUNT_BITS)
        How many were, since the reset; it has changed two clocks later.
    """

    valid: Signal
    ready: Signal
    kept: Signal
    keep: Signal
    first: Signal
    last: Signal
    core_i_valid: Signal
    core_i_ready: Signal
    core_i_last: Signal
    core_o_valid: Signal
    core_o_last: Signal
    o_valid: Signal
    o_ready: Signal
    restart: Signal
    broken: Signal
    count: Signal

    def __init__(
        self,
        latency: int,
        beats: int | None,
        marks: Sequence[str] = MARKS,
        *,
        line_beats: int | None = None,
        settings: Settings = CONSTANTS,
    ):
        self._beats, self._line_beats = beats, line_beats
        self._first, self._last = (mark in marks for mark in MARKS)
        self._settings = settings.part("resync")
        # each frame in the core but the last has a beat in a FIFO, or is what a stage drains; a
        # FIFO is a clock of the latency, and a stage has more than its own
        self._most_inside = PipelineFifo.CAPACITY * latency + 1
        ins = ("valid", "first", "last", "core_i_ready", "core_i_last")
        ins += ("core_o_valid", "core_o_last", "o_ready")
        outs = ("ready", "kept", "keep", "core_i_valid", "o_valid", "restart", "broken")
        super().__init__(
            {
                **dict.fromkeys(ins, In(1)),
                **dict.fromkeys(outs, Out(1)),
                "count": Out(COUNT_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        flushing = Signal()  # from a break to the restart
        lost = Signal()  # what comes is dropped, and was counted
        step, here, into = Signal(), Signal(), Signal()
        starts, ends = Signal(init=1), self.core_i_last  # the beat to come is a frame's first, last
        if self._beats is not None:
            m.submodules.frame = frame = self._counter("frame", self._beats)
            m.d.comb += frame.step.eq(step)
            ends = frame.last
        marked: Value = ends
        if self._line_beats is not None:
            m.submodules.line = line = self._counter("line", self._line_beats)
            m.d.comb += line.step.eq(step)
            marked = line.last

        early = self.first & ~starts if self._first else Const(0, 1)
        stray = starts & ~self.first if self._first else lost
        wrong = self.last != marked if self._last else Const(0, 1)
        breaks, late, strays = (Signal(name=name) for name in ("breaks", "late", "strays"))
        m.d.comb += [
            self.ready.eq(self.core_i_ready & ~(flushing | self.restart | self.kept)),
            here.eq(self.kept | (self.valid & ~(flushing | self.restart))),
            self.core_i_valid.eq((here & ~early & ~stray) | (flushing & ~starts)),
            step.eq(self.core_i_valid & self.core_i_ready),
            into.eq(step & here),
            self.keep.eq(here & early & self.core_i_ready),
            breaks.eq(self.keep | (into & wrong & ~ends)),
            late.eq(into & wrong & ends),
            strays.eq(here & stray & self.core_i_ready),
            self.broken.eq(breaks | late | (strays & ~lost)),
        ]
        counts = Signal()  # a clock later, as what is broken is known late
        m.d.sync += [counts.eq(self.broken), self.count.eq(self.count + counts)]
        if self._first:
            with m.If(self.broken):
                m.d.sync += lost.eq(1)
            with m.Elif(into):
                m.d.sync += lost.eq(0)
        else:
            with m.If(late):
                m.d.sync += lost.eq(1)
            with m.Elif(strays & self.last):
                m.d.sync += lost.eq(0)

        with m.If(step):
            m.d.sync += starts.eq(ends)
        with m.If(self.restart):
            m.d.sync += starts.eq(1)
        self._restart(m, flushing, breaks, into & ends)
        return m

    def at_hand(self, m: Module, port: Value) -> Value:
        """Build what keeps a beat of the port, in the module around; return the beat at hand."""
        if not self._first:  # none is ever kept
            return port
        beat = Signal(len(port), name="beat", reset_less=True)
        with m.If(self.keep):
            m.d.sync += beat.eq(port)
        return Mux(self.kept, beat, port)

    def _counter(self, name: str, period: int) -> ModuloCounter:
        counter = ModuloCounter(period, settings=self._settings.part(name))
        return ResetInserter(self.restart)(counter)

    def _restart(self, m: Module, flushing: Signal, breaks: Value, whole: Value) -> None:
        """Decide when everything before a broken frame has left, and restart the core then.

        `whole` says that a frame's last beat goes in.
        """
        # frames that have not left whole, the one that goes in, or will next, among them
        inside = Signal(range(self._most_inside + 1), init=1)
        next_one = Signal()  # a frame breaks two clocks after the last beat of the one before
        shown, ended, goes = Signal(), Signal(), Signal()
        held = Signal()  # a beat is kept for after the restart
        m.d.comb += [
            self.o_valid.eq(self.core_o_valid & ~self.restart),
            shown.eq(self.o_valid & ~self.o_ready),
            ended.eq(self.o_valid & self.o_ready & self.core_o_last),
            # the broken frame is the last of them, unless it has left whole already
            goes.eq(flushing & Mux(inside <= 1, ~shown, (inside == 2) & ended)),
        ]
        m.d.sync += [
            next_one.eq(whole),
            inside.eq(Mux(self.restart, 1, inside + next_one - ended)),
            self.restart.eq(goes),
        ]
        with m.If(breaks):
            m.d.sync += [flushing.eq(1), held.eq(self.keep)]
        with m.Elif(goes):
            m.d.sync += flushing.eq(0)
        with m.If(self.restart):
            m.d.sync += self.kept.eq(held)
        with m.Elif(self.core_i_ready):
            m.d.sync += self.kept.eq(0)


class ResyncCore(wiring.Component):
    """A pooling core that follows the marks of its frames, and drops what is no whole frame.

    It is the core inside with marks in its streams, and as fast: latency and cycles are the same
    while frames are whole. `Resync` says when a frame is broken, and what that costs: the next
    frame's first beat goes into the core three clocks after an early first beat was taken, which is
    that beat, or after an early last one. It waits longer for frames before that have not
    left whole, and for a beat that waits at the output.

    - A beat with `first` before its frame's end is a new frame's first: the frame before is broken.
    - A beat with `last` before its frame's end breaks its frame.
    - A frame's last beat without `last` ends it all the same: its output is whole.
    - Then beats are dropped up to one with `first`, or where there is no such mark up to one with
      `last`, both ends as their names say.

    Each of these counts as one broken frame, and so does a run of beats without `first` behind a
    whole frame. The output of a frame that breaks ends anywhere, without `last`, and what left of
    it is right. It is whole where its last window had left already, since no window reads
    the beats that are missing.

    Parameters
    ----------
    core : PoolCore
        What pools.
    marks : sequence of {"first", "last"}, optional
        The marks in the input's payload: both, by default.

    Attributes
    ----------
    core : PoolCore
        The core inside. The others are those of `Core`.

    Members
    -------
    i : In(stream)
        Beats in: the fields of the core inside, `data` alone where there is but one, and the marks.
    o : Out(stream)
        Beats out: those of the core inside, `last` included, and `first`, high on a frame's first.
    broken_frames : Out(16)
        Frames that were broken since the reset; behind the highest number comes 0.

    Raises
    ------
    SpecError
        If the core takes indices, as an `UnpoolCore` does, or there is no such mark.
    """

    i: stream.Interface
    o: stream.Interface
    broken_frames: Signal

    def __init__(self, core: PoolCore, marks: Sequence[str] = MARKS):
        check_resync(core.job)
        check_unmarked(core)
        self.marks = check_beat_marks(marks)
        self.core, self.job = core, core.job
        self.family, self.settings = core.family, core.settings
        self.latency, self.cycles_bound = core.latency, core.cycles_bound
        self.flags, self.clear_cycles, self.notes = core.flags, core.clear_cycles, core.notes
        taken, given = core.i.payload.shape(), core.o.payload.shape()
        fields = {"data": taken} if isinstance(taken, data.ArrayLayout) else taken.members
        beat_in = data.StructLayout({**fields, **dict.fromkeys(self.marks, 1)})
        beat_out = data.StructLayout({**given.members, "first": 1})
        super().__init__(
            {
                "i": In(stream.Signature(beat_in)),
                "o": Out(stream.Signature(beat_out)),
                "broken_frames": Out(COUNT_BITS),
            }
        )

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says of its memory."""
        return self.core.facts()

    def resources(self) -> dict[str, int]:
        """Return what the statistics of a run say of its memory."""
        return self.core.resources()

    def memory(self) -> str:
        """Say in a line what its memory has, and may have."""
        return self.core.memory()

    def elaborate(self, platform):
        m = Module()
        core = self.core
        m.submodules.resync = resync = Resync(
            core.latency, core.job.beats_in, self.marks, settings=core.settings
        )
        m.submodules.pool = ResetInserter(resync.restart)(core)
        beat = data.View(self.i.payload.shape(), resync.at_hand(m, self.i.payload.as_value()))
        first = Signal(init=1)
        with m.If(resync.o_valid & self.o.ready):
            m.d.sync += first.eq(core.o.payload.last)
        with m.If(resync.restart):
            m.d.sync += first.eq(1)
        m.d.comb += [
            *(getattr(resync, mark).eq(beat[mark]) for mark in self.marks),
            core.i.payload.as_value().eq(beat.as_value()),  # the marks are above the fields
            resync.valid.eq(self.i.valid),
            self.i.ready.eq(resync.ready),
            core.i.valid.eq(resync.core_i_valid),
            resync.core_i_ready.eq(core.i.ready),
            resync.core_o_valid.eq(core.o.valid),
            resync.core_o_last.eq(core.o.payload.last),
            core.o.ready.eq(self.o.ready),
            resync.o_ready.eq(self.o.ready),
            self.o.valid.eq(resync.o_valid),
            self.o.payload.as_value().eq(Cat(core.o.payload.as_value(), first)),
            self.broken_frames.eq(resync.count),
        ]
        return m


def pool_core(
    job: PoolJob, *, family: str = GENERIC, resync: bool = False
) -> PoolCore | ResyncCore:
    """Return a job's core, which follows its frames' marks with `resync`."""
    core = PoolCore(job, family=family)
    return ResyncCore(core) if resync else core
