"""A run-time core that follows the marks of its frames, and drops what is no whole frame."""

from collections.abc import Sequence
from typing import TypeAlias

from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..families import GENERIC
from ..resync import COUNT_BITS, MARKS, Resync, check_beat_marks
from .core import FLAGS, RuntimePoolCore
from .maxima import Maxima


class RuntimeResyncCore(wiring.Component):
    """A `RuntimePoolCore` that follows its frames' marks, as a `ResyncCore` does.

    What breaks a frame, what becomes of it and what is counted is said there. The job of the next
    frame is what it would be if the broken one were whole: jobs that are armed or written stay. The
    next frame's first beat goes into the core `RESTART` clocks later than there, or some more where
    its job is taken over then, since each stage begins its program anew. Whole frames take the
    clocks that they take without.

    Parameters
    ----------
    maxima : Maxima
        What it is made for.
    marks : sequence of {"first", "last"}, optional
        The marks in the input's payload: both, by default.
    family : str, optional
        The family of devices, one of `FAMILIES`.

    Attributes
    ----------
    core : RuntimePoolCore
        The core inside, for its jobs.

    Members
    -------
    i : In(stream)
        Beats in: `data`, an array of lanes, and the marks.
    o : Out(stream)
        Beats out: `data`, `last`, and `first`, high on a frame's first.
    write, address, data, busy, bad, refused, out_of_step, began
        As a `RuntimePoolCore` has them. Frames that break have begun, too.
    broken : Out(1)
        Whether a frame is found broken in this clock.
    broken_frames : Out(16)
        Frames that were broken since the reset; behind the highest number comes 0.

    Raises
    ------
    SpecError
        If `maxima` are none, or there is no such mark or family.
    """

    TAKE_OVER = RuntimePoolCore.TAKE_OVER

    i: stream.Interface
    o: stream.Interface
    write: Signal
    address: Signal
    data: Signal
    busy: Signal
    bad: Signal
    refused: Signal
    out_of_step: Signal
    began: Signal
    broken: Signal
    broken_frames: Signal

    def __init__(self, maxima: Maxima, marks: Sequence[str] = MARKS, *, family: str = GENERIC):
        self.marks = check_beat_marks(marks)
        self.core = core = RuntimePoolCore(maxima, family=family, restarts=True)
        self.maxima, self.family, self.latency = core.maxima, core.family, core.latency
        self.job = core.job
        given = core.o.payload.shape()
        beat_in = {"data": core.i.payload.shape(), **dict.fromkeys(self.marks, 1)}
        ports = ("write", "address", "data", *FLAGS)
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout(beat_in))),
                "o": Out(stream.Signature(data.StructLayout({**given.members, "first": 1}))),
                **{name: core.signature.members[name] for name in ports},
                **{"broken": Out(1), "broken_frames": Out(COUNT_BITS)},
            }
        )

    def elaborate(self, platform):
        m, core = Module(), self.core
        m.submodules.pool = core
        resync = Resync(self.latency, None, self.marks)
        m.submodules.resync = ResetInserter(core.resetting)(resync)
        beat = data.View(self.i.payload.shape(), resync.at_hand(m, self.i.payload.as_value()))
        first = Signal(init=1)
        with m.If(resync.o_valid & self.o.ready):
            m.d.sync += first.eq(core.o.payload.last)
        with m.If(resync.restart | core.resetting):
            m.d.sync += first.eq(1)
        m.d.comb += [
            *(getattr(resync, mark).eq(beat[mark]) for mark in self.marks),
            core.i.payload.as_value().eq(beat.as_value()),  # the marks are above the lanes
            *(resync.valid.eq(self.i.valid), self.i.ready.eq(resync.ready)),
            *(core.i.valid.eq(resync.core_i_valid), resync.core_i_ready.eq(core.i.ready)),
            resync.core_i_last.eq(core.frame_last),
            *(resync.core_o_valid.eq(core.o.valid), resync.core_o_last.eq(core.o.payload.last)),
            *(core.o.ready.eq(self.o.ready), resync.o_ready.eq(self.o.ready)),
            *(self.o.valid.eq(resync.o_valid), core.restart.eq(resync.restart)),
            self.o.payload.as_value().eq(Cat(core.o.payload.as_value(), first)),
            *(self.broken.eq(resync.broken), self.broken_frames.eq(resync.count)),
            *(core.write.eq(self.write), core.address.eq(self.address), core.data.eq(self.data)),
            *(getattr(self, name).eq(getattr(core, name)) for name in FLAGS),
        ]
        return m


RuntimeCore: TypeAlias = RuntimePoolCore | RuntimeResyncCore
"""A core whose job changes while it runs."""


def runtime_core(
    maxima: Maxima, *, family: str = GENERIC, resync: bool = False, marks: Sequence[str] = MARKS
) -> RuntimeCore:
    """Return a core of these maxima, which follows its frames' `marks` with `resync`."""
    if resync:
        return RuntimeResyncCore(maxima, marks, family=family)
    return RuntimePoolCore(maxima, family=family)
