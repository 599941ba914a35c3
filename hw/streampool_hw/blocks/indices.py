"""Where a maximum was: what travels below its key from the start, and is an index at the end.

The stages compare keys as one number. Below the order key stands the place, inverted, so of equal
values the first in row-major order wins, whichever axis is pooled first. The identity, 0, stays
one: no key is below it, every window has a real tap, and keys of two places are never equal; where
the largest is 0 itself, it is the key of the tap at the last of all places.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from streampool_golden import Numbering, PoolJob

from ..datapath.pipeline import Bundle, Step
from ..schedule.sequencer import ModuloCounter
from ..schedule.settings import Settings


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
    counts columns first has one per axis.
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

    def follow(self, m: Module, step: Value, fold: int, settings: Settings) -> Value:
        """Count the positions of frames; return what stands below the keys of the beat to come.

        In a clock with `step` that beat goes by.
        """
        m.submodules.group = group = ModuloCounter(fold, settings=settings.part("group"))
        m.d.comb += group.step.eq(step)
        step, numbers = step & group.last, []
        for k, field in enumerate(reversed(self.fields)):
            here = settings.part(f"field_{k}")
            m.submodules += (turn := ModuloCounter(field.count, settings=here))
            number = Signal(field.bits, name="number")
            by = here.number("step", field.step, range(field.step + 1))
            m.d.comb += turn.step.eq(step)
            with m.If(step):
                m.d.sync += number.eq(Mux(turn.last, 0, number + by))
            numbers.append(number)
            step = step & turn.last
        return ~Cat(numbers)


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


class Indexed(Bundle):
    """A value, and the parts of its index, which are added up beside it."""

    value: Bundle
    index: tuple[Value, ...]


def _channel_weight(job: PoolJob) -> int:
    """Return what a channel adds to an index; 0 where there is one alone."""
    return job.numbering.channel if job.numbering is not None and job.shape[0] > 1 else 0


def index_parts(
    m: Module, step: Value, job: PoolJob, place: Place, keys: Iterable[Value], settings: Settings
) -> list[tuple[Value, ...]]:
    """Return the parts of each lane's index, of the beat to come, for `with_indices` to add up.

    In a clock with `step` that beat goes by.
    """
    weight = _channel_weight(job)
    shared: list[Value] = []
    if job.fold > 1:
        by = job.lanes * weight
        m.submodules.group = group = ModuloCounter(job.fold, settings=settings.part("group"))
        offset = Signal(range((job.fold - 1) * by + 1))
        add = settings.number("offset", by, range(by + 1))
        m.d.comb += group.step.eq(step)
        with m.If(step):
            m.d.sync += offset.eq(Mux(group.last, 0, offset + add))
        shared = [offset] if weight else []
    own: Sequence[Value] = []
    if weight:
        row = [lane * weight for lane in range(job.lanes)]
        own = settings.table("lanes", row, range(job.lanes * weight))
    found = []
    for lane, key in enumerate(keys):
        parts = (*place.split(key), *shared, *own[lane : lane + 1])
        found.append(parts or (Const(0, 1),))
    return found


def with_indices(steps: Sequence[Step], job: PoolJob, place: Place) -> list[Step]:
    """Return steps that do to an `Indexed` lane's value what `steps` do, and add up its index."""
    assert job.index_out is not None
    assert all(step.clocks == 1 for step in steps)
    parts = len(place.fields) + (1 + (job.fold > 1) if _channel_weight(job) else 0)
    adds = [partial(_add_pairs, job.index_out.bits)] * (max(parts, 1) - 1).bit_length()
    return [_beside(*both) for both in zip_longest(steps, adds)]


def _add_pairs(bits: int, parts: tuple[Value, ...]) -> tuple[Value, ...]:
    pairs = zip_longest(parts[::2], parts[1::2])
    return tuple(a if b is None else (a + b)[:bits] for a, b in pairs)


def _beside(step: Step | None, add: Callable[..., tuple[Value, ...]] | None) -> Step:
    def lane(m: Module, lane: Indexed, beat: Bundle) -> Indexed:
        value = lane.value if step is None else step.lane(m, lane.value, beat)
        return Indexed(value, lane.index if add is None else add(lane.index))

    return Step(lane) if step is None else replace(step, lane=lane)
