"""A pooling core between AXI4-Stream ports."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolSpec

from .core import PoolCore
from .families import GENERIC
from .sequencer import Countdown


def lane_width(bits: int) -> int:
    """Return the bits that a lane of `bits` takes in ``tdata``: whole bytes."""
    return 8 * -(-bits // 8)


class AxiPoolCore(wiring.Component):
    """Pool a stream of frames between AXI4-Stream ports, named as ARM names them.

    The frames, their order of beats, the throughput and the latency are those of
    :class:`PoolCore`: nothing here takes a clock. Every lane is padded to whole bytes, lane 0
    in the lowest. What the padding of an input lane holds is ignored; an output lane is extended
    to its whole bytes, by its sign where the output is signed. ``s_axis_tready`` never depends
    combinationally on ``m_axis_tready``, and no ``valid`` waits for a ``ready``. A source has to
    keep ``s_axis_tvalid`` low in reset, as ARM asks of it: a beat sent then is lost.

    The core counts the beats of a frame. An ``s_axis_tlast`` out of place, or one that is
    missing, changes no data: it sets `frame_error` in the clock after its beat, which stays set
    until reset.

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

    Members
    -------
    s_axis_tdata : In(lanes * whole bytes)
        A beat in: one position, one value a lane.
    s_axis_tvalid : In(1)
    s_axis_tready : Out(1)
    s_axis_tlast : In(1)
        High on a frame's last beat.
    m_axis_tdata : Out(lanes * whole bytes)
        A beat out.
    m_axis_tvalid : Out(1)
    m_axis_tready : In(1)
    m_axis_tlast : Out(1)
        High on a frame's last beat.
    frame_error : Out(1)
        An input frame's last beat was marked at another place than the core counts; sticky.

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

    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    frame_error: Signal

    def __init__(
        self,
        spec: PoolSpec,
        shape: tuple[int, ...],
        lanes: int | None = None,
        *,
        family: str = GENERIC,
    ):
        self.core = PoolCore(spec, shape, lanes, family=family)
        self.job = self.core.job
        self.latency = self.core.latency
        super().__init__(
            {
                "s_axis_tdata": In(self.job.lanes * lane_width(self.job.spec.in_dtype.bits)),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(self.job.lanes * lane_width(self.job.output.bits)),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
                "frame_error": Out(1),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        m.submodules.core = core = self.core

        bits = self.job.spec.in_dtype.bits
        width_in = lane_width(bits)
        width_out = lane_width(self.job.output.bits)
        for lane in range(self.job.lanes):
            m.d.comb += [
                core.i.payload[lane].eq(self.s_axis_tdata[lane * width_in :][:bits]),
                # as wide as the lane's bytes, by the sign of the value
                self.m_axis_tdata.word_select(lane, width_out).eq(core.o.payload.data[lane]),
            ]
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tlast.eq(core.o.payload.last),
            core.o.ready.eq(self.m_axis_tready),
        ]

        m.submodules.frame = frame = Countdown(self.job.beats_in)
        m.d.comb += frame.step.eq(self.s_axis_tvalid & self.s_axis_tready)
        with m.If(frame.step & (self.s_axis_tlast != frame.last)):
            m.d.sync += self.frame_error.eq(1)
        return m
