"""What is done once, after the last stage: division, rounding, saturation and clamp."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Const, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import DType, PoolJob

from ..datapath.pipeline import Bundle, Pipeline, Step
from ..datapath.shapes import lane_shape
from ..schedule.sequencer import ModuloCounter
from ..schedule.settings import Settings
from .block import Number, Window
from .indices import Indexed, index_parts, place_of, with_indices
from .windows import Windows


class Postprocess(wiring.Component):
    """Turn exact partials into what leaves: divide with one rounding, saturate, clamp.

    Where nothing of it is needed it is wires, or a FIFO in a core without stages. Otherwise a
    free-running pipeline, one beat per clock, cut by a FIFO every few clocks so that each piece
    can stop by itself. Latency: `latency` clocks.

    Parameters
    ----------
    job : PoolJob
        Says what leaves.
    windows : Windows
        Says which kind of window a beat is of.
    steps : sequence of Step
        What is done, in order.
    decode : callable
        ``(partial, dtype)`` -> the value it stands for.
    shape : Shape
        A partial.
    counts : bool
        Whether the beats of a frame are counted, for nobody knows which is the last at `i`.
    settings : Settings
        Gives what counts beats, and the channels of indices: the parts `frame` and `channels`.

    Members
    -------
    i : In(stream)
        Partials, an array of ``job.lanes``.
    i_last : In(1)
        Whether the beat at `i` is its frame's last, unless they are counted.
    o : Out(stream)
        Beats out, as of `PoolCore`.
    """

    i: stream.Interface
    i_last: Signal
    o: stream.Interface

    def __init__(
        self,
        job: PoolJob,
        windows: Windows,
        steps: Sequence[Step],
        decode: Callable[[Value, DType], Value],
        shape: Shape,
        counts: bool,
        settings: Settings,
    ):
        self._job, self._windows, self._decode = job, windows, decode
        self._counts, self._settings = counts, settings
        self._place = None if job.index_out is None else place_of(job)
        if self._place is not None:
            steps = with_indices(steps, job, self._place)
        # a core of nothing else still parts the two handshakes
        self._pipeline = Pipeline(steps, parts=not job.stages)
        self.latency = self._pipeline.latency
        beat = {
            field.name: data.ArrayLayout(lane_shape(field.dtype), job.lanes)
            for field in job.fields_out
        }
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(shape, job.lanes))),
                "i_last": In(1),
                "o": Out(stream.Signature(data.StructLayout({**beat, "last": 1}))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        job, valid, ready, o = self._job, self.i.valid, self.i.ready, self.o.payload
        lanes: list[Bundle] = [
            Number(self._decode(self.i.payload[lane], job.input)) for lane in range(job.lanes)
        ]
        if self._place is not None:
            settings = self._settings.part("channels")
            parts = index_parts(m, valid & ready, job, self._place, self.i.payload, settings)
            lanes = [Indexed(*both) for both in zip(lanes, parts, strict=True)]
        which = self._windows.follow(m, valid & ready) if self.latency else Const(0, 0)
        beat = Window(self.i_last, which)
        valid, ready, done, beat = self._pipeline.build(m, valid, ready, lanes, beat)
        last = beat.last
        if self._counts:
            settings = self._settings.part("frame")
            m.submodules.frame = frame = ModuloCounter(job.beats_out, settings=settings)
            m.d.comb += frame.step.eq(valid & ready)
            last = frame.last
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready), o.last.eq(last)]
        for number, lane in enumerate(done):
            if self._place is not None:
                m.d.comb += o.index[number].eq(lane.index[0])
                lane = lane.value
            m.d.comb += o.data[number].eq(lane.value)
        return m
