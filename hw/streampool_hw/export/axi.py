"""A pooling core between AXI4-Stream ports."""

import functools
import operator
from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out
from streampool_golden import DType, PoolSpec, UnpoolJob

from ..core import PoolCore
from ..schedule.sequencer import ModuloCounter
from ..unpool import UnpoolCore
from ..vendor.families import GENERIC


def lane_width(bits: int) -> int:
    """Return the bits that a lane of `bits` takes in ``tdata``: whole bytes."""
    return 8 * -(-bits // 8)


def record_width(fields: Sequence[DType]) -> int:
    """Return the bits that a lane's fields take in ``tdata`` together."""
    return sum(lane_width(field.bits) for field in fields)


class AxiCore(wiring.Component):
    """A core between AXI4-Stream ports; its subclasses say what the ports mean."""

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

    def __init__(
        self,
        core: PoolCore | UnpoolCore,
        tkeep: bool,
        tuser: bool,
        *,
        more: Mapping[str, Member] | None = None,
    ):
        self._core, self._job = core, core.job
        job = core.job
        self.latency = core.latency
        self._tkeep = tkeep
        self._tuser = tuser
        # what takes whole bytes of a lane, the value first
        index = job.index if isinstance(job, UnpoolJob) else None
        self.fields_in = [field for field in (job.input, index) if field is not None]
        self.fields_out = [field for field in (job.output, job.index_out) if field is not None]
        ports = {}
        for side, fields, forth, back in (
            ("s_axis", self.fields_in, In, Out),
            ("m_axis", self.fields_out, Out, In),
        ):
            width = job.lanes * record_width(fields)
            ports[f"{side}_tdata"] = forth(width)
            if tkeep:
                ports[f"{side}_tkeep"] = forth(width // 8)
            ports[f"{side}_tvalid"] = forth(1)
            ports[f"{side}_tready"] = back(1)
            ports[f"{side}_tlast"] = forth(1)
            if tuser:
                ports[f"{side}_tuser"] = forth(1)
        super().__init__({**ports, "frame_error": Out(1), **(more or {})})

    def elaborate(self, platform) -> Module:
        """Build the gates."""
        m = Module()
        m.submodules.core = core = self._core

        width_in, width_out = record_width(self.fields_in), record_width(self.fields_out)
        value_in, value_out = (
            lane_width(dtype.bits) for dtype in (self._job.input, self._job.output)
        )
        for lane in range(self._job.lanes):
            record_in = self.s_axis_tdata[lane * width_in :][:width_in]
            record_out = self.m_axis_tdata[lane * width_out :][:width_out]
            values = core.i.payload.data if len(self.fields_in) > 1 else core.i.payload
            m.d.comb += [
                values[lane].eq(record_in[: self._job.input.bits]),
                # as wide as the lane's bytes, by the sign of the value
                record_out[:value_out].eq(core.o.payload.data[lane]),
            ]
            if len(self.fields_in) > 1:
                m.d.comb += _take_index(core.i.payload.index[lane], record_in[value_in:])
            if len(self.fields_out) > 1:
                m.d.comb += record_out[value_out:].eq(core.o.payload.index[lane])
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tlast.eq(core.o.payload.last),
            core.o.ready.eq(self.m_axis_tready),
        ]

        m.submodules.frame = frame = ModuloCounter(self._job.beats_in)
        m.d.comb += frame.step.eq(self.s_axis_tvalid & self.s_axis_tready)
        wrong: list[Value] = [self.s_axis_tlast != frame.last]
        taken = self.m_axis_tvalid & self.m_axis_tready
        if self._tuser:
            wrong.append(self.s_axis_tuser != _first(m, frame.step, frame.last))
            m.d.comb += self.m_axis_tuser.eq(_first(m, taken, self.m_axis_tlast))
        if self._tkeep:
            wrong.append((self._keep(m, frame.step, width_in) & ~self.s_axis_tkeep).any())
            m.d.comb += self.m_axis_tkeep.eq(self._keep(m, taken, width_out))
        with m.If(frame.step & functools.reduce(operator.or_, wrong)):
            m.d.sync += self.frame_error.eq(1)
        return m

    def _keep(self, m: Module, step: Value, width: int) -> Value:
        """Return the bytes that hold channels, of the beat to come or taken now."""
        job = self._job
        rest = (job.fold - 1) * job.lanes  # channels of the other groups of a position
        used, spare = job.shape[0] - rest, job.fold * job.lanes - job.shape[0]
        if not spare:
            return Const(-1, job.lanes * width // 8)
        m.submodules += (group := ModuloCounter(job.fold))
        m.d.comb += group.step.eq(step)
        return Cat(Const(-1, used * width // 8), (~group.last).replicate(spare * width // 8))


def _take_index(index: Value, raw: Value):
    """Take an index from its bytes; one that is too large for the core stays too large."""
    beyond = raw[len(index) :]
    return index.eq(Mux(beyond.any(), -1, raw) if len(beyond) else raw)


class AxiPoolCore(AxiCore):
    """Pool a stream of frames between AXI4-Stream ports, named as ARM names them.

    The frames, their order of beats, the throughput and the latency are those of
    :class:`PoolCore`: nothing here takes a clock. Every lane is padded to whole bytes, lane 0
    in the lowest. What the padding of an input lane holds is ignored; an output lane is extended
    to its whole bytes, by its sign where the output is signed. Where indices leave, a lane is a
    record: its value's bytes, and above them its index, in whole bytes of its own. So a DMA engine
    makes an array of records out of a frame, whatever the lanes. ``s_axis_tready`` never depends
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
    The marks are ``tlast``, high on a frame's last beat, and by option ``tuser``,
    high on its first, and ``tkeep``. A byte of a lane that has a channel is always kept. The
    bytes of lanes beyond the last channel are null bytes at the output, which ARM lets anyone
    drop: what is left of a frame is the array of positions by channels. At the input they may
    be null or not. Without the option every byte is kept, and spare lanes hold anything.

    There is no ``tstrb``: without it a byte that is kept is data, and there are no position
    bytes. Nor are there ``tid`` and ``tdest``: one core pools one stream, and an output beat
    belongs to no single input beat whose routing it could carry on.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : tuple of int
        A frame: channels, then the spatial sizes, rows first.
    lanes : int, optional
        Channels of a beat; by default all of them, 8 at most.
    family : str, optional
        As :class:`PoolCore` takes it.
    tkeep : bool, optional
        Have ``s_axis_tkeep`` and ``m_axis_tkeep``, a bit a byte.
    tuser : bool, optional
        Have ``s_axis_tuser`` and ``m_axis_tuser``, a bit: start of frame.

    Members
    -------
    s_axis_tdata : In(lanes * whole bytes)
        A beat in: one position, one value a lane.
    s_axis_tkeep : In(bytes of tdata)
        Only with `tkeep`.
    s_axis_tvalid : In(1)
    s_axis_tready : Out(1)
    s_axis_tlast : In(1)
        High on a frame's last beat.
    s_axis_tuser : In(1)
        Only with `tuser`: high on a frame's first beat.
    m_axis_tdata : Out(lanes * whole bytes)
        A beat out, one value a lane, or one value and its index.
    m_axis_tkeep : Out(bytes of tdata)
        Only with `tkeep`.
    m_axis_tvalid : Out(1)
    m_axis_tready : In(1)
    m_axis_tlast : Out(1)
        High on a frame's last beat.
    m_axis_tuser : Out(1)
        Only with `tuser`: high on a frame's first beat.
    frame_error : Out(1)
        An input frame had a mark at another place than the core counts; sticky.

    Attributes
    ----------
    core : PoolCore
        The core inside.
    job : Job
        The specification and the shape, with all that follows from them.
    latency : int
        Clocks, as :attr:`PoolCore.latency`.

    Raises
    ------
    SpecError
        If the specification does not fit the shape, or the lanes do not.
    """

    def __init__(
        self,
        spec: PoolSpec,
        shape: tuple[int, ...],
        lanes: int | None = None,
        *,
        family: str = GENERIC,
        tkeep: bool = False,
        tuser: bool = False,
    ):
        self.core = PoolCore(spec, shape, lanes, family=family)
        self.job = self.core.job
        super().__init__(self.core, tkeep, tuser)


class AxiUnpoolCore(AxiCore):
    """Put pooled values back where they were, between AXI4-Stream ports.

    The frames, their order of beats, the throughput and the latency are those of
    :class:`UnpoolCore`, and the ports and marks those of :class:`AxiPoolCore`. A lane of
    ``s_axis_tdata`` is a record of a value and its index, each in whole bytes, as a pooling core
    with the index base ``"plane"`` gives it: the two can be joined port to port. An index that is
    out of range, its padding included, sets `index_error`.

    Parameters
    ----------
    job : UnpoolJob
        What to do.
    frames : {2, 1}
        Frames that are kept, as :class:`UnpoolCore` takes it.
    tkeep, tuser : bool, optional
        As :class:`AxiPoolCore` takes them.

    Members
    -------
    index_error : Out(1)
        An index was out of range; sticky until reset. The others are those of
        :class:`AxiPoolCore`.

    Attributes
    ----------
    core : UnpoolCore
        The core inside.
    job : UnpoolJob
        As above.
    latency : int
        Clocks, as :attr:`UnpoolCore.latency`.
    """

    index_error: Signal

    def __init__(
        self, job: UnpoolJob, *, frames: int = 2, tkeep: bool = False, tuser: bool = False
    ):
        self.core = UnpoolCore(job, frames=frames)
        self.job = job
        super().__init__(self.core, tkeep, tuser, more={"index_error": Out(1)})

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.index_error.eq(self.core.index_error)
        return m


def _first(m: Module, step: Value, last: Value) -> Signal:
    """Return whether the beat to come, or taken now, is its frame's first."""
    first = Signal(init=1)
    with m.If(step):
        m.d.sync += first.eq(last)
    return first
