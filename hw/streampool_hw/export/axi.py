"""A core between AXI4-Stream ports."""

import functools
import math
import operator
from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import BeatLayout, Field, SpecError
from streampool_golden.fields import choice

from ..base import Core
from ..resync import COUNT_BITS, MARKS, Resync, check_resync, check_unmarked
from ..schedule.counters import ModuloCounter
from ..schedule.settings import Settings

TLAST = ("frame", "line")
"""What ``tlast`` may mark the end of."""


def lane_width(bits: int) -> int:
    """Return the bits that a lane of `bits` takes in ``tdata``: whole bytes."""
    return 8 * -(-bits // 8)


def record_width(fields: Sequence[Field]) -> int:
    """Return the bits that a lane's fields take in ``tdata`` together."""
    return sum(lane_width(field.dtype.bits) for field in fields)


class AxiCore(wiring.Component):
    """A core between AXI4-Stream ports, named as ARM names them.

    The frames, their order of beats, the throughput and the latency are those of the core:
    nothing here takes a clock. Every lane is padded to whole bytes, lane 0
    in the lowest. What the padding of an input lane holds is ignored; an output lane is extended
    to its whole bytes, by its sign where the output is signed. Where indices come in or leave,
    a lane is a record: its value's bytes, and above them its index, in whole bytes of its own. So a
    DMA engine makes an array of records out of a frame, whatever the lanes, and a pooling core with
    the index base ``"plane"`` can be joined port to port with one that unpools. An index that comes
    in is out of range where its padding is not 0, too. ``s_axis_tready`` never depends
    combinationally on ``m_axis_tready``, and no ``valid`` waits for a ``ready``.

    Reset is synchronous, and one edge of the clock in it is enough; without one the core starts
    as the initial values of its registers say, which are those of a reset. From the first edge
    in reset on, ``m_axis_tvalid`` and the flags are low, and ``s_axis_tready`` is as it is after
    the reset: high, or low in a core that clears its memory first. It takes no beat all the same:
    a source has to keep ``s_axis_tvalid`` low in reset, as ARM asks of it, or its beat is lost.
    So are the beats in the core, those of whole frames that have not left among them. The next
    beat taken is the first of a frame.

    The core counts the beats of a frame, and its marks at the input change no data: one that is
    not where the core counts it sets `frame_error` in the clock after its beat, which stays set
    until reset. Where the marks alone are wrong the data are right. After a frame of too few or
    too many beats the core goes on counting, so that they are wrong from there on until reset.
    The marks are ``tlast``, high on a frame's last beat or, by option, on each line's, and by
    option ``tuser``, high on a frame's first, and ``tkeep``. A byte of a lane that has a channel
    is always kept. The bytes of lanes beyond the last channel, and of columns beyond a row's end,
    are null bytes at the output, which ARM lets anyone drop: what is left of a frame is the array
    of positions by channels. At the input they may be null or not. Without the option every byte
    is kept, and what is spare holds anything.

    With `resync` it follows ``tlast``, and ``tuser`` where it has that, as a `ResyncCore` does,
    and `broken_frames` counts. A frame of too few or too many beats then harms no other frame; the
    clocks that it costs stand there, too. So that whoever takes the beats sees where a broken frame
    ends, which is without ``tlast``, have ``tuser``.

    There is no ``tstrb``: without it a byte that is kept is data, and there are no position
    bytes. Nor are there ``tid`` and ``tdest``: one core pools one stream, and an output beat
    belongs to no single input beat whose routing it could carry on.

    Parameters
    ----------
    core : Core
        What stands between the ports, such as a `PoolCore` or an `UnpoolCore`.
    tkeep : bool, optional
        Have ``s_axis_tkeep`` and ``m_axis_tkeep``, a bit per byte.
    tuser : bool, optional
        Have ``s_axis_tuser`` and ``m_axis_tuser``, a bit: start of frame.
    tlast : {"frame", "line"}, optional
        What ``tlast`` marks the end of. Video has it at the end of each line, and start of frame
        in ``tuser``.
    resync : bool, optional
        Drop a frame whose marks are out of place, and go on with the next one's first beat.

    Members
    -------
    s_axis_tdata : In(columns * lanes * whole bytes)
    m_axis_tdata : Out(columns_out * lanes * whole bytes)
        A beat: of each position a value per lane, or a value and its index.
    s_axis_tkeep : In(bytes of tdata)
    m_axis_tkeep : Out(bytes of tdata)
        Only with `tkeep`.
    s_axis_tvalid, m_axis_tready : In(1)
    m_axis_tvalid, s_axis_tready : Out(1)
    s_axis_tlast : In(1)
    m_axis_tlast : Out(1)
        High on a frame's last beat, or a line's.
    s_axis_tuser : In(1)
    m_axis_tuser : Out(1)
        Only with `tuser`: high on a frame's first beat.
    frame_error : Out(1)
        An input frame had a mark at another place than the core counts; sticky.
    broken_frames : Out(16)
        Only with `resync`: how many frames had, since the reset; behind the highest number comes 0.
    others : Out(1)
        The flags of the core, sticky: ``index_error`` of an `UnpoolCore`.

    Attributes
    ----------
    core, job, latency
        The core inside, what it does on which frames, and its latency in clocks.
    marks_lines : bool
        Whether ``tlast`` marks the end of each line.
    resync : bool
        Whether it follows its marks.
    sides : tuple of pairs of str
        What the ports begin with, of each pair of streams.

    Raises
    ------
    SpecError
        If ``tlast`` can mark nothing else, or there is no `resync` of the core with these marks.
    """

    sides = (("s_axis", "m_axis"),)

    s_axis_tdata: Signal
    s_axis_tkeep: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    s_axis_tuser: Signal
    m_axis_tdata: Signal
    m_axis_tkeep: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    m_axis_tuser: Signal
    frame_error: Signal
    broken_frames: Signal
    # the flags that a core may have
    index_error: Signal

    def __init__(
        self,
        core: Core,
        *,
        tkeep: bool = False,
        tuser: bool = False,
        tlast: str = "frame",
        resync: bool = False,
    ):
        check_marks(tuser=tuser, tlast=tlast, resync=resync)
        check_unmarked(core)
        if resync:
            check_resync(core.job)
        self.core, self.resync = core, resync
        self.job = job = core.job
        self.latency = core.latency
        self._tkeep, self._tuser = tkeep, tuser
        self._tlast, self.marks_lines = tlast, tlast == "line"
        ports = {}
        for side, fields, layout, forth, back in (
            ("s_axis", job.fields_in, job.layout_in, In, Out),
            ("m_axis", job.fields_out, job.layout_out, Out, In),
        ):
            width = layout.values * record_width(fields)
            ports[f"{side}_tdata"] = forth(width)
            if tkeep:
                ports[f"{side}_tkeep"] = forth(width // 8)
            ports[f"{side}_tvalid"] = forth(1)
            ports[f"{side}_tready"] = back(1)
            ports[f"{side}_tlast"] = forth(1)
            if tuser:
                ports[f"{side}_tuser"] = forth(1)
        ports |= {flag: Out(1) for flag in ("frame_error", *core.flags)}
        super().__init__({**ports, **({"broken_frames": Out(COUNT_BITS)} if resync else {})})

    def elaborate(self, platform) -> Module:
        return self._resynced() if self.resync else self._counting()

    def _resynced(self) -> Module:
        """Put the same ports without `resync` behind what restarts them."""
        m, job = Module(), self.job
        inner = AxiCore(self.core, tkeep=self._tkeep, tuser=self._tuser, tlast=self._tlast)
        marks = MARKS[not self._tuser :]
        line = _line_beats(job.beats_in, job.size) if self.marks_lines else None
        m.submodules.resync = resync = Resync(
            *(self.core.latency, job.beats_in, marks),
            line_beats=line,
            settings=self.core.settings,
        )
        m.submodules.ports = ResetInserter(resync.restart)(inner)
        parts = ["tdata", "tlast", *["tkeep"] * self._tkeep, *["tuser"] * self._tuser]

        def beat(core: AxiCore, side: str) -> Value:
            return Cat(getattr(core, f"{side}_{part}") for part in parts)

        m.d.comb += [
            beat(inner, "s_axis").eq(resync.at_hand(m, beat(self, "s_axis"))),
            beat(self, "m_axis").eq(beat(inner, "m_axis")),
            resync.last.eq(inner.s_axis_tlast),
            resync.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(resync.ready),
            inner.s_axis_tvalid.eq(resync.core_i_valid),
            resync.core_i_ready.eq(inner.s_axis_tready),
            resync.core_o_valid.eq(inner.m_axis_tvalid),
            resync.core_o_last.eq(self.core.o.payload.last),  # a frame's, not a line's
            inner.m_axis_tready.eq(self.m_axis_tready),
            resync.o_ready.eq(self.m_axis_tready),
            self.m_axis_tvalid.eq(resync.o_valid),
            self.broken_frames.eq(resync.count),
        ]
        if self._tuser:
            m.d.comb += resync.first.eq(inner.s_axis_tuser)
        error = Signal()
        m.d.sync += error.eq(self.frame_error | resync.broken)
        m.d.comb += self.frame_error.eq(error | inner.frame_error)
        return m

    def _counting(self) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        job = self.job

        taken, given = core.i.payload, core.o.payload
        if len(job.fields_in) == 1:  # bare, where there is nothing beside it
            taken = {job.fields_in[0].name: taken}
        for field, lane, raw in _lanes(self.s_axis_tdata, job.fields_in, job.layout_in.values):
            m.d.comb += _take(field, taken[field.name][lane], raw)
        for field, lane, raw in _lanes(self.m_axis_tdata, job.fields_out, job.layout_out.values):
            # as wide as the lane's bytes, by the sign of the value
            m.d.comb += raw.eq(given[field.name][lane])
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
        ]
        m.d.comb += [getattr(self, flag).eq(getattr(core, flag)) for flag in core.flags]

        settings = core.settings.part("axi")
        m.submodules.frame = frame = ModuloCounter(job.beats_in, settings=settings.part("frame"))
        m.d.comb += frame.step.eq(self.s_axis_tvalid & self.s_axis_tready)
        leaves = self.m_axis_tvalid & self.m_axis_tready
        last_in, last_out = frame.last, core.o.payload.last
        if self.marks_lines:
            line_in, line_out = (
                ModuloCounter(_line_beats(beats, size), settings=settings.part(name))
                for name, beats, size in (
                    ("line_in", job.beats_in, job.size),
                    ("line_out", job.beats_out, job.out_size),
                )
            )
            m.submodules += [line_in, line_out]
            m.d.comb += [line_in.step.eq(frame.step), line_out.step.eq(leaves)]
            last_in, last_out = line_in.last, line_out.last
        m.d.comb += self.m_axis_tlast.eq(last_out)
        wrong: list[Value] = [self.s_axis_tlast != last_in]
        if self._tuser:
            wrong.append(self.s_axis_tuser != _first(m, frame.step, frame.last))
            m.d.comb += self.m_axis_tuser.eq(_first(m, leaves, core.o.payload.last))
        if self._tkeep:
            width, part = record_width(job.fields_in), settings.part("group_in")
            kept = _keep(m, frame.step, job.layout_in, width, part)
            wrong.append((kept & ~self.s_axis_tkeep).any())
            width, part = record_width(job.fields_out), settings.part("group_out")
            kept = _keep(m, leaves, job.layout_out, width, part)
            m.d.comb += self.m_axis_tkeep.eq(kept)
        with m.If(frame.step & functools.reduce(operator.or_, wrong)):
            m.d.sync += self.frame_error.eq(1)
        return m


def check_marks(*, tuser: bool, tlast: str, resync: bool) -> None:
    """Refuse marks that cannot be, or that say too little for what is asked for."""
    if choice("tlast", tlast, TLAST) == "line" and resync and not tuser:
        raise SpecError(
            "resync", "resync finds no frame where tlast marks lines alone; use tuser, too."
        )


def _line_beats(beats: int, size: Sequence[int]) -> int:
    """Return the beats of a line, of those of a frame."""
    return beats // math.prod(size[:-1])


def _lanes(tdata: Signal, fields: Sequence[Field], lanes: int):
    """Yield each field of each lane, the lane's number, and its bytes."""
    at = 0
    for lane in range(lanes):
        for field in fields:
            width = lane_width(field.dtype.bits)
            yield field, lane, tdata[at : at + width]
            at += width


def _take(field: Field, value: Value, raw: Value):
    """Take a value from its bytes; an index that is too large for the core stays too large."""
    if field.name != "index":
        return value.eq(raw[: field.dtype.bits])
    beyond = raw[len(value) :]
    return value.eq(Mux(beyond.any(), -1, raw) if len(beyond) else raw)


def _keep(m: Module, step: Value, layout: BeatLayout, width: int, settings: Settings) -> Value:
    """Return the bytes that hold channels, of the beat to come or taken now."""
    spare = layout.spare_lanes
    if not spare and not layout.spare_columns:
        return Const(-1, layout.values * width // 8)
    kept: Value = Const(-1, layout.lanes * width // 8)
    m.submodules += (group := ModuloCounter(layout.fold, settings=settings))
    m.d.comb += group.step.eq(step)
    if spare:
        used = (layout.lanes - spare) * width // 8
        kept = Cat(Const(-1, used), (~group.last).replicate(spare * width // 8))
    columns = [kept] * (layout.columns - layout.spare_columns)
    if layout.spare_columns:
        beats = layout.row_beats // layout.fold
        m.submodules += (row := ModuloCounter(beats, settings=settings.part("row")))
        m.d.comb += row.step.eq(step & group.last)
        columns += [Mux(row.last, 0, kept)] * layout.spare_columns
    return Cat(columns)


def _first(m: Module, step: Value, last: Value) -> Signal:
    """Return whether the beat to come, or taken now, is its frame's first."""
    first = Signal(init=1)
    with m.If(step):
        m.d.sync += first.eq(last)
    return first
