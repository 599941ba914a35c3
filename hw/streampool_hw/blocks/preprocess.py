"""What is done once, before the first stage: values into what the stages reduce."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob

from ..datapath.pipeline import Pipeline, State, Step
from ..reduce.operations import Operation, lane_shape
from ..vendor.families import GENERIC
from .floats import to_fixed, to_key
from .indices import Places, place_of
from .multiplier import Multiplier

__all__ = ["Preprocess", "preprocess_steps"]


def preprocess_steps(job: PoolJob, family: str = GENERIC) -> list[Step]:
    """Return what takes clocks before the first stage; nothing where wires do it.

    They find `value` in a lane's state and leave there what the operation encodes.
    """
    op, dtype = job.spec.op, job.spec.in_dtype
    if dtype.is_float:
        return (to_key if op in ("max", "min") else to_fixed)(job.spec)
    steps = []
    if op in ("l2", "lp1", "lp2") and dtype.signed:
        steps.append(Step(_magnitude))
    if op in ("l2", "lp2"):
        steps.append(_square(job, family))
    return steps


def _magnitude(m: Module, lane: State, beat: State) -> State:
    value = lane["value"]
    return {"value": Mux(value < 0, -value, value).as_unsigned()[: len(value)]}


def _square(job: PoolJob, family: str) -> Step:
    bits = job.partial(1).bits

    def square(m: Module, lane: State, beat: State) -> State:
        value = Value.cast(lane["value"])
        m.submodules += (multiplier := Multiplier(len(value), len(value), family))
        m.d.comb += [multiplier.a.eq(value), multiplier.b.eq(value)]
        return {"value": multiplier.product[:bits]}

    return Step(square, clocks=Multiplier.LATENCY)


class Preprocess(wiring.Component):
    """Turn what comes in into partials of one input each.

    A pipeline that runs free, one beat a clock, as `Postprocess` is. A core in which
    `preprocess_steps` has nothing to do has wires in its place.

    Parameters
    ----------
    job : PoolJob
        Says what comes in.
    operation : Operation
        How partials are encoded.
    shape : Shape
        A partial of one input.
    steps : sequence of Step
        What is done.

    Attributes
    ----------
    latency : int
        Clocks from a beat at `i` to its beat at `o`.

    Members
    -------
    i : In(stream)
        Values of ``job.spec.dtype``, an array of ``job.lanes``.
    o : Out(stream)
        Partials.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, job: PoolJob, operation: Operation, shape: Shape, steps: Sequence[Step]):
        self._job, self._operation = job, operation
        self._place = place_of(job)
        self._pipeline = Pipeline(steps, seamless=True)
        self.latency = self._pipeline.latency
        lane = lane_shape(job.spec.in_dtype)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(lane, job.lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(shape, job.lanes))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes: list[State] = [{"value": value} for value in self.i.payload]
        valid, ready, lanes, _ = self._pipeline.build(m, self.i.valid, self.i.ready, lanes, {})
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        below = Const(0, 0)
        if self._place is not None:
            m.submodules.places = places = Places(self._job, self._place)
            m.d.comb += places.step.eq(valid & ready)
            below = places.below
        for target, lane in zip(self.o.payload, lanes, strict=True):
            key = self._operation.encode(lane["value"], self._job.spec.in_dtype)
            m.d.comb += target.eq(Cat(below, key) if self._place else key)
        return m
