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
from streampool_golden import BeatLayout, Numbering, PoolJob

from ..datapath.pipeline import Bundle, Step
from ..schedule.counters import ModuloCounter
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

    def follow(self, m: Module, step: Value, layout: BeatLayout, settings: Settings) -> list[Value]:
        """Count the positions of frames; return what stands below the keys of the beat to come.

        In a clock with `step` that beat goes by. There is a place for each column of a beat.
        """
        m.submodules.group = group = ModuloCounter(layout.fold, settings=settings.part("group"))
        m.d.comb += group.step.eq(step)
        step, columns = step & group.last, layout.columns
        row_beats = layout.row_beats // layout.fold
        places: list[list[Value]] = [[] for _ in range(columns)]
        for k, field in enumerate(reversed(self.fields)):
            here, count, many = settings.part(f"field_{k}"), field.count, 1
            by: Value = here.number("step", field.step, range(field.step + 1))
            if k == 0 and columns > 1:  # the columns are of this one, and go on together
                count, many = count // layout.row * row_beats, columns
                by = self._row_step(m, step, layout, here)
            m.submodules += (turn := ModuloCounter(count, settings=here))
            m.d.comb += turn.step.eq(step)
            for u in range(many):
                start = u * field.step & (1 << field.bits) - 1  # beyond the row it may be any
                number = Signal(field.bits, name="number", init=start)
                with m.If(step):
                    m.d.sync += number.eq(Mux(turn.last, start, number + by))
                for place in places[u::many]:
                    place.append(number)
            step = step & turn.last
        return [~Cat(place) for place in places]

    def _row_step(self, m: Module, step: Value, layout: BeatLayout, settings: Settings) -> Value:
        """Return what a beat of several columns adds: the last one of a row may have fewer."""
        each = self.fields[-1].step
        most, last = layout.columns * each, (layout.columns - layout.spare_columns) * each
        whole, rest = (
            settings.number(name, value, range(most + 1))
            for name, value in (("beat", most), ("row", last))
        )
        part = settings.part("row")
        m.submodules += (row := ModuloCounter(layout.row_beats // layout.fold, settings=part))
        m.d.comb += row.step.eq(step)
        return Mux(row.last, rest, whole)


def place_of(job: PoolJob) -> Place | None:
    """Return what travels with the values of a job; None where nothing has to.

    That is where indices leave, and where equal floats differ, as zeros do, and axes are not
    pooled innermost first: then the one that came first is not the first in row-major order.
    """
    numbering = job.numbering
    if numbering is None:
        order = [stage.axis for stage in job.stages]
        if not job.equals_differ or order == sorted(order, reverse=True):
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
        lane %= job.lanes  # the same in all columns
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
