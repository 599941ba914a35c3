"""What is done once, before the first stage: values into what the stages reduce."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Shape, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import DType, PoolJob

from ..datapath.pipeline import Nothing, Pipeline
from ..datapath.shapes import lane_shape
from .block import Block, Number
from .indices import Places, place_of


class Preprocess(wiring.Component):
    """Turn what comes in into partials of one input each.

    A free-running pipeline, one beat a clock, as `Postprocess` is; wires where nothing is done.

    Parameters
    ----------
    job : PoolJob
        Says what comes in.
    blocks : sequence of Block
        What is done, in order.
    encode : callable
        ``(value, dtype)`` -> the value as the stages take it.
    shape : Shape
        A partial of one input.

    Attributes
    ----------
    latency : int
        Clocks from a beat at `i` to its beat at `o`.

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
        blocks: Sequence[Block],
        encode: Callable[[Value, DType], Value],
        shape: Shape,
    ):
        self._job, self._encode, self._place = job, encode, place_of(job)
        self._pipeline = Pipeline([step for block in blocks for step in block.steps], seamless=True)
        self.latency = self._pipeline.latency
        lane = lane_shape(job.input)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(lane, job.lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(shape, job.lanes))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes = [Number(value) for value in self.i.payload]
        valid, ready, lanes, _ = self._pipeline.build(
            m, self.i.valid, self.i.ready, lanes, Nothing()
        )
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        below = Const(0, 0)
        if self._place is not None:
            m.submodules.places = places = Places(self._job, self._place)
            m.d.comb += places.step.eq(valid & ready)
            below = places.below
        for target, lane in zip(self.o.payload, lanes, strict=True):
            key = self._encode(lane.value, self._job.input)
            m.d.comb += target.eq(Cat(below, key) if self._place else key)
        return m
