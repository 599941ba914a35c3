"""What is done once, before the first stage: values into what the stages reduce."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Shape, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import DType, PoolJob

from ..datapath.pipeline import Nothing, Pipeline, Step
from ..datapath.shapes import lane_shape
from ..schedule.settings import Settings
from .block import Number
from .indices import place_of


class Preprocess(wiring.Component):
    """Turn what comes in into partials of one input each.

    A free-running pipeline, one beat per clock, as `Postprocess` is; wires where nothing is done.
    Latency: `latency` clocks.

    Parameters
    ----------
    job : PoolJob
        Says what comes in.
    steps : sequence of Step
        What is done, in order.
    encode : callable
        ``(value, dtype)`` -> the value as the stages take it.
    shape : Shape
        A partial of one input.
    settings : Settings
        Gives what counts the places of indices, as the part `places`.

    Members
    -------
    i : In(stream)
        Values of ``job.input``, an array of ``job.lanes``.
    o : Out(stream)
        Partials.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        job: PoolJob,
        steps: Sequence[Step],
        encode: Callable[[Value, DType], Value],
        shape: Shape,
        settings: Settings,
    ):
        self._job, self._encode, self._settings = job, encode, settings
        self._pipeline = Pipeline(steps, seamless=True)
        self.latency = self._pipeline.latency
        taken, given = (
            data.ArrayLayout(lane, job.lanes) for lane in (lane_shape(job.input), shape)
        )
        super().__init__({"i": In(stream.Signature(taken)), "o": Out(stream.Signature(given))})

    def elaborate(self, platform):
        m = Module()
        lanes = [Number(value) for value in self.i.payload]
        valid, ready, lanes, _ = self._pipeline.build(
            m, self.i.valid, self.i.ready, lanes, Nothing()
        )
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        place, below = place_of(self._job), Const(0, 0)
        if place is not None:
            settings = self._settings.part("places")
            below = place.follow(m, valid & ready, self._job.fold, settings)
        for target, lane in zip(self.o.payload, lanes, strict=True):
            key = self._encode(lane.value, self._job.input)
            m.d.comb += target.eq(Cat(below, key) if place else key)
        return m
