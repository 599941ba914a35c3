"""The schedule of an axis whose windows are of two lengths, as adaptive pooling has them.

Window i of No on N inputs has those from floor(i N / No) to below ceil((i + 1) N / No). Both ends
follow from an accumulator that goes round: it gains the smaller of N and No in every slot, modulo
the larger one, and where it stands says what happens in the slot (Bresenham, "Algorithm for
computer control of a digital plotter", 1965). So nothing has to be searched for, and an axis of
any length costs as much as a short one.

Where the axis shrinks, a slot is an input, and the one partial is of the window that is not full
yet; where a window ends within the input that begins the next, that one begins behind it. Where
the axis grows, a slot is a window, and the one partial is the input taken last: a slot takes the
next one where its window needs it, and otherwise goes by without an input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd

from streampool_golden import UnevenAxis

from .program import Program

MOST_WORDS = 32
"""Words up to which a program takes fewer gates than an accumulator."""

# the bits of a control word, as `AxisPlan.program` has them with one partial, and one bit more
_LOAD, _ADD, _ADD_BEHIND, _SHIFT, _OWN, _TAKE = 1, 4, 8, 16, 32, 64


@dataclass(frozen=True)
class Rounds:
    """A sequence of words by an accumulator that gains `step` per slot, modulo `whole`.

    Which word a slot has depends on where the accumulator stands before it: at 0 it is `start`;
    where it comes to `whole` exactly, `end`; where it goes beyond, `beyond`; else `inside`.
    `step` is below `whole` and divides it nowhere.
    """

    step: int
    whole: int
    start: int
    inside: int
    beyond: int
    end: int

    @property
    def rounds(self) -> int:
        """How often the same words come in `whole` slots."""
        return gcd(self.step, self.whole)

    @property
    def accumulates(self) -> bool:
        """Whether an accumulator gives the words, and no program."""
        return self.whole // self.rounds > MOST_WORDS

    def __iter__(self) -> Iterator[int]:
        """Yield the words of one round."""
        at = 0
        for _ in range(self.whole // self.rounds):
            to = at + self.step
            yield (
                self.start
                if not at
                else self.inside
                if to < self.whole
                else self.beyond
                if to > self.whole
                else self.end
            )
            at = to % self.whole

    @cached_property
    def program(self) -> Program:
        """The words of all slots as a program."""
        words = tuple(self)
        return Program.of(words) if self.rounds == 1 else Program(words, 0, len(words), self.rounds)

    def constant(self, bit: int) -> int | None:
        """Return what a bit is in every word, or None where it changes."""
        values = {w >> bit & 1 for w in (self.start, self.inside, self.beyond, self.end)}
        return values.pop() if len(values) == 1 else None


class UnevenPlan:
    """When the windows of an `UnevenAxis` start, take their taps in, and leave.

    It has one partial per position, no drain, and no slot beyond ``max(N, No)``; its attributes are
    those of an `AxisPlan`.

    Attributes
    ----------
    pauses : bool
        Whether there are slots that take no input: where the axis grows.
    """

    partials = 1
    idle = drain = overlap = 0
    ends_with_window = True

    def __init__(self, axis: UnevenAxis):
        self.axis = axis
        self.period = max(axis.length, axis.outputs)
        self.pauses = axis.growth > 0
        self.always_shifts = axis.kernel == 2 and not self.pauses

    @cached_property
    def leave(self) -> tuple[int, ...]:
        """The slot in which each window leaves."""
        axis = self.axis
        if self.pauses:
            return tuple(range(axis.outputs))
        return tuple(-(-i * axis.length // axis.outputs) - 1 for i in range(1, axis.outputs + 1))

    @property
    def waits(self) -> bool:
        """Whether an input has to wait for what is left to leave."""
        return self.pauses

    @property
    def word_bits(self) -> int:
        """Bits of a control word; where there are pauses the last is whether an input is taken."""
        return 2 * (self.partials + 1) + 2 + self.pauses

    @cached_property
    def words(self) -> Rounds:
        """The control words of all slots, as `AxisPlan.program` has them."""
        if self.pauses:
            both = _ADD_BEHIND | _OWN
            take = both | _ADD | _SHIFT | _TAKE
            return Rounds(self.axis.length, self.axis.outputs, take | _LOAD, both, take, both)
        both = _ADD | _ADD_BEHIND | (_SHIFT if self.always_shifts else 0)
        # with a place for every slot what begins anew is behind the last one
        start = both | (0 if self.always_shifts else _LOAD)
        leaves = both | _SHIFT | _OWN
        return Rounds(self.axis.outputs, self.axis.length, start, both, leaves, leaves)

    @property
    def program(self) -> Program:
        """The control words of all slots, folded, whatever gives them in gates."""
        return self.words.program

    @property
    def short(self) -> UnevenAxis:
        """The axis whose slots are worked out: all of it."""
        return self.axis

    def program_for(self, partials: int, marks: Sequence[int] = ()) -> Program:
        """Return the program of a longer queue, as `AxisPlan.program_for`; there are no pauses."""
        assert partials >= self.partials and not self.pauses
        width = partials + 1
        words = []
        for word in [*self.words] * self.words.rounds:
            # what begins behind the window to come is loaded where that is a place as any other
            load = word & _LOAD | (_LOAD << 1 if partials > 1 else 0)
            add, rest = word >> 2 & 0b11, word >> 4
            words.append(load | add << width | rest << 2 * width)
        for slot, mark in zip(self.leave, marks, strict=False):
            words[slot] |= mark << 2 * width + 2
        return Program.of(words)
