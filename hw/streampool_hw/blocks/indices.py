"""Where a maximum was: what travels below its key from the start, and is an index at the end.

The stages compare keys as one number. Below the order key stands the place, inverted, so of equal
values the first in row-major order wins, whichever axis is pooled first. The identity, 0, stays
one: no key is below it, every window has a real tap, and keys of two places are never equal; where
the largest is 0 itself, it is the key of the tap at the last of all places.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import Numbering, PoolJob

from ..datapath.pipeline import Bundle, Step
from ..schedule.sequencer import ModuloCounter


@dataclass(frozen=True)
class _Field:
    """Axes whose positions are counted as one: ``number * step << shift`` is added to an index."""

    count: int
    step: int
    shift: int

    @property
    def bits(self) -> int:
        return ((self.count - 1) * self.step).bit_length()


@dataclass(frozen=True)
class Place:
    """What of a position travels with its value.

    Numbers from which an index is made by adding alone, outermost first: compared one after the
    other they are in row-major order. A base that counts in that order has one of them; one that
    counts columns first has one an axis.

    Parameters
    ----------
    fields : tuple of _Field
        The numbers.
    """

    fields: tuple[_Field, ...]

    @property
    def bits(self) -> int:
        """Bits of all of them."""
        return sum(field.bits for field in self.fields)

    def split(self, key: Value) -> list[Value]:
        """Return the numbers, as parts of an index, from the lowest bits of a key."""
        parts: list[Value] = []
        low = 0
        for field in reversed(self.fields):
            parts.append(Cat(Const(0, field.shift), ~key[low : low + field.bits]))
            low += field.bits
        return parts


def place_of(job: PoolJob) -> Place | None:
    """Return what travels with the values of a job; None where nothing has to.

    That is where indices leave, and where equal floats differ, as zeros do, and axes are not
    pooled innermost first: then the one that came first is not the first in row-major order.
    """
    numbering = job.numbering
    if numbering is None:
        order = [stage.axis for stage in job.stages]
        differ = job.input.is_float and job.operation.selects is not None
        if not differ or order == sorted(order, reverse=True):
            return None
        numbering = Numbering.of("plane", job.shape)
    fields: list[_Field] = []
    inner = 0  # what a step along the axes counted last would come to at their end
    for length, weight in reversed(list(zip(job.size, numbering.weights, strict=True))):
        if length == 1:
            continue
        if fields and weight == inner:
            fields[0] = replace(fields[0], count=fields[0].count * length)
        else:
            shift = (weight & -weight).bit_length() - 1
            fields.insert(0, _Field(length, weight >> shift, shift))
        inner = weight * length
    return Place(tuple(fields))


class Places(wiring.Component):
    """Count the positions of frames, as what stands below a key.

    Parameters
    ----------
    job : PoolJob
        Frames and lanes.
    place : Place
        What is counted.

    Members
    -------
    step : In(1)
        Whether a beat goes by in this clock.
    below : Out(place.bits)
        The place, inverted, of the beat to come, or going by now.
    """

    step: Signal
    below: Signal

    def __init__(self, job: PoolJob, place: Place):
        self._job, self._place = job, place
        super().__init__({"step": In(1), "below": Out(unsigned(place.bits))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.group = group = ModuloCounter(self._job.fold)
        m.d.comb += group.step.eq(self.step)
        step, numbers = self.step & group.last, []
        for field in reversed(self._place.fields):
            m.submodules += (turn := ModuloCounter(field.count))
            number = Signal(field.bits, name="number")
            m.d.comb += turn.step.eq(step)
            with m.If(step):
                m.d.sync += number.eq(Mux(turn.last, 0, number + field.step))
            numbers.append(number)
            step = step & turn.last
        m.d.comb += self.below.eq(~Cat(numbers))
        return m


class Channels(wiring.Component):
    """Count what the channel group of a beat adds to its indices.

    Parameters
    ----------
    job : PoolJob
        Frames and lanes.
    weight : int
        What a channel adds.

    Members
    -------
    step : In(1)
        Whether a beat goes by in this clock.
    offset : Out
        What lane 0 of the beat to come, or going by now, has to add.
    """

    step: Signal
    offset: Signal

    def __init__(self, job: PoolJob, weight: int):
        self._fold, self._by = job.fold, job.lanes * weight
        super().__init__({"step": In(1), "offset": Out(range((self._fold - 1) * self._by + 1))})

    def elaborate(self, platform):
        m = Module()
        if self._fold == 1:
            return m
        m.submodules.group = group = ModuloCounter(self._fold)
        m.d.comb += group.step.eq(self.step)
        offset = Signal.like(self.offset)
        m.d.comb += self.offset.eq(offset)
        with m.If(self.step):
            m.d.sync += offset.eq(Mux(group.last, 0, offset + self._by))
        return m


def channel_weight(job: PoolJob) -> int:
    """Return what a channel adds to an index; 0 where there is one alone."""
    return job.numbering.channel if job.numbering is not None and job.shape[0] > 1 else 0


@dataclass(frozen=True)
class Indexed(Bundle):
    """A value, and the parts of its index, which are added up beside it."""

    value: Bundle
    index: tuple[Value, ...]


def index_parts(job: PoolJob, place: Place, lane: int, key: Value, offset: Value) -> list[Value]:
    """Return the parts of a lane's index, to be added up by `with_indices`."""
    parts = place.split(key)
    weight = channel_weight(job)
    if weight and job.fold > 1:
        parts.append(offset)
    if weight:
        parts.append(Const(lane * weight, range(job.lanes * weight)))
    return parts or [Const(0, 1)]


def with_indices(steps: Sequence[Step], job: PoolJob, place: Place) -> list[Step]:
    """Return steps that do to an `Indexed` lane's value what `steps` do, and add up its index."""
    assert job.index_out is not None
    assert all(step.clocks == 1 for step in steps)
    bits = job.index_out.bits
    parts = len(index_parts(job, place, 0, Const(0, place.bits), Const(0)))
    adds = [partial(_add_pairs, bits)] * (parts - 1).bit_length()
    return [_beside(*both) for both in zip_longest(steps, adds)]


def _add_pairs(bits: int, parts: tuple[Value, ...]) -> tuple[Value, ...]:
    pairs = zip_longest(parts[::2], parts[1::2])
    return tuple(a if b is None else (a + b)[:bits] for a, b in pairs)


def _beside(step: Step | None, add: Callable[..., tuple[Value, ...]] | None) -> Step:
    def lane(m: Module, lane: Indexed, beat: Bundle) -> Indexed:
        value = lane.value if step is None else step.lane(m, lane.value, beat)
        return Indexed(value, lane.index if add is None else add(lane.index))

    return Step(lane) if step is None else replace(step, lane=lane)
