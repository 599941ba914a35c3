"""The schedule of one axis, worked out in plain Python before any gate.

An axis of ``N`` inputs and ``No`` windows is pooled in a period of ``max(N, No)`` slots: one
slot a position, one window at most leaving in each. A window's *partial* is the reduction of
the taps seen so far; the partials of a position stand in a shift queue, oldest first, so that
the window that leaves is always at position 0. A window sits at position "pops between now and
its own", which is known from the schedule alone, and so the whole control of a stage is one
word a slot: which queue positions start anew, which take the input in, and whether the queue
shifts.

Padding is no slot and no beat: the partials at a border just have fewer taps. Windows that
leave after the frame's last input (the *drain*) do so during the next frame's first slots, or
by themselves when no next frame comes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from streampool_golden import Axis

__all__ = ["AxisPlan", "Program", "Slot", "Word"]


@dataclass(frozen=True)
class Word:
    """A control word some of whose bits nobody looks at.

    Parameters
    ----------
    value : int
        The bits that matter; 0 where none does.
    care : int
        A bit mask: 1 where the bit of `value` matters.
    """

    value: int
    care: int

    def merge(self, other: "Word") -> "Word | None":
        """Return a word that serves for both, or None where they contradict each other."""
        if (self.value ^ other.value) & self.care & other.care:
            return None
        return Word(self.value | other.value, self.care | other.care)


@dataclass(frozen=True)
class Program:
    """A sequence of words folded into a prologue, a repeated loop and an epilogue.

    Parameters
    ----------
    words : tuple of int
        Prologue, loop and epilogue, one after the other.
    start, stop : int
        The loop is ``words[start:stop]``; never empty.
    repeats : int
        How often the loop runs, at least once.
    """

    words: tuple[int, ...]
    start: int
    stop: int
    repeats: int

    @classmethod
    def fold(cls, words: Sequence[Word], body: int = 1) -> "Program":
        """Find the shortest program found for `words`, whose loop has a divisor of `body` words.

        Parameters
        ----------
        words : sequence of Word
            What the program has to give, in order; at least one.
        body : int
            The period of the interior: an axis' stride.
        """
        total = len(words)
        best = cls(_settled(words), 0, total, 1)
        # the interior's own period first: what it gives bounds what the others have to try
        shorter = (n for n in range(1, min(body - 1, total) + 1) if body % n == 0)
        for length in (min(body, total), *shorter):
            for start in range(total - length + 1):
                if start + length >= len(best.words):
                    break  # no shorter than what there is
                loop, turns = _longest_loop(words, start, length)
                size = total - (turns - 1) * length
                if turns > 1 and size < len(best.words):
                    tail = words[start + turns * length :]
                    parts = (*words[:start], *loop, *tail)
                    best = cls(_settled(parts), start, start + length, turns)
        return best

    @classmethod
    def of(cls, values: Iterable[int]) -> "Program":
        """Fold plain values, all of whose bits matter."""
        return cls.fold([Word(value, -1) for value in values])

    @property
    def length(self) -> int:
        """Number of slots the program runs for."""
        return len(self.words) + (self.repeats - 1) * (self.stop - self.start)

    def next_state(self, index: int, turns: int) -> tuple[int, int]:
        """Return what follows word `index` with `turns` further turns of the loop to go."""
        if index == self.stop - 1:
            if turns:
                return self.start, turns - 1
            turns = self.repeats - 1
        return (index + 1) % len(self.words), turns

    def constant(self, bit: int) -> int | None:
        """Return what a bit is in every word, or None where it changes."""
        values = {word >> bit & 1 for word in self.words}
        return values.pop() if len(values) == 1 else None

    def endless(self) -> "Program":
        """Return the shortest program that gives the same words over and over."""
        whole = self.stop - self.start == len(self.words)
        return replace(self, repeats=1) if whole else self

    def __iter__(self) -> Iterator[int]:
        """Unfold: the word of each slot."""
        loop = self.words[self.start : self.stop]
        yield from self.words[: self.start]
        for _ in range(self.repeats):
            yield from loop
        yield from self.words[self.stop :]


def _settled(words: Sequence[Word]) -> tuple[int, ...]:
    """Choose the bits that nobody looks at: constants first, then what another bit is anyway.

    A bit that never changes, or is another one, needs no register and no logic.
    """
    if any(word.care < 0 for word in words):
        return tuple(word.value for word in words)
    whole, words = words, list(dict.fromkeys(words))  # of a long axis most are the same
    every = (1 << len(words)) - 1
    known = [0, every]  # bits over all words: word k in bit k
    values = [0] * len(words)
    for bit in range(max(word.care for word in words).bit_length()):
        ones, care = (
            sum((number >> bit & 1) << k for k, number in enumerate(numbers))
            for numbers in ([w.value for w in words], [w.care for w in words])
        )
        column = next((c for c in known if not (c ^ ones) & care), ones)
        known.append(column)
        for k in range(len(words)):
            values[k] |= (column >> k & 1) << bit
    settled = dict(zip(words, values, strict=True))
    return tuple(settled[word] for word in whole)


def _longest_loop(words: Sequence[Word], start: int, length: int) -> tuple[list[Word], int]:
    """Merge turn after turn of a loop while they agree; return the loop and its whole turns."""
    loop = list(words[start : start + length])
    turns = 1
    for begin in range(start + length, len(words) - length + 1, length):
        merged = [a.merge(b) for a, b in zip(loop, words[begin : begin + length], strict=True)]
        if None in merged:
            break
        loop = [word for word in merged if word is not None]
        turns += 1
    return loop, turns


@dataclass(frozen=True)
class Slot:
    """What happens while one position of the axis passes.

    Parameters
    ----------
    load : int
        Bit mask over queue positions 0..R: partials that start anew here.
    add : int
        Bit mask: partials that take the input in.
    live : int
        Bit mask: positions that hold a window at all; elsewhere `load` and `add` say nothing.
    shift : bool
        Whether the queue shifts.
    window : int or None
        The window of this frame that leaves, if one does.
    drained : int or None
        The window of the frame before that leaves, if that frame has not drained by itself.
    """

    load: int
    add: int
    live: int
    shift: bool
    window: int | None
    drained: int | None


class AxisPlan:
    """When the windows of one axis start, take their taps in, and leave.

    Windows leave in order, at most one a slot, as early as they can:
    ``leave[i] = max(leave[i - 1] + 1, last real tap of window i)``, repeated until it is steady
    with the period. Where paddings together exceed the dilated kernel's reach and the stride is
    above 1, the queue would at times have to be longer than ``ceil((K - 1) * d / S)``; idle
    slots, counted in `idle`, keep it to that.

    Parameters
    ----------
    axis : Axis
        The axis, resolved for its length.

    Attributes
    ----------
    leave : tuple of int
        The slot in which each window leaves; ``N`` and above is the drain.
    period : int
        Slots from a frame's start to the next one's: ``max(N, No) + idle``.
    idle : int
        Slots beyond ``max(N, No)``.
    partials : int
        ``R``, words that the store needs a position.
    drain : int
        Windows that leave after the frame's last input.
    overlap : int
        How many of them may leave during the next frame's first slots.
    always_shifts : bool
        Whether the queue shifts in every slot, so that nothing is ever written back in place.
    """

    def __init__(self, axis: Axis):
        self.axis = axis
        self._taps = [axis.taps(i) for i in range(axis.outputs)]
        shortest = max(axis.length, axis.outputs)
        self.period = shortest
        self.leave = self._leave()
        self.partials = self._queue_length()
        while self.partials > axis.limit_partials:
            self.period += 1
            self.leave = self._leave()
            self.partials = self._queue_length()
        self.idle = self.period - shortest
        self.drain = max(0, self.leave[-1] - (axis.length - 1))
        self.overlap = max(0, self.drain - (self.period - axis.length))
        # where the queue has a place for every slot of a window's life, it need not stand still
        lives = (leave - first for first, leave in zip(self._first, self.leave, strict=True))
        self.always_shifts = max(lives) <= self.partials

    @property
    def waits(self) -> bool:
        """Whether the next frame has to wait for what is left to leave."""
        return self.drain > self.overlap

    @property
    def ends_with_window(self) -> bool:
        """Whether the last window leaves in the frame's last step, or in its drain's."""
        return self.leave[-1] >= self.axis.length - 1

    def _leave(self) -> tuple[int, ...]:
        last = [taps[-1] for taps in self._taps]
        steady: list[int] = []
        before = -1
        while True:
            leave = []
            for tap in last:
                before = max(before + 1, tap)
                leave.append(before)
            if leave == steady:
                return tuple(leave)
            steady, before = leave, leave[-1] - self.period

    @cached_property
    def _first(self) -> list[int]:
        return [taps[0] for taps in self._taps]

    def _pops(self) -> list[int]:
        """Slots of all pops of the frame before and of this one, counted from this one's start."""
        return sorted([slot - self.period for slot in self.leave] + list(self.leave))

    def _queue_length(self) -> int:
        pops = self._pops()
        return max(
            (
                bisect_left(pops, leave) - bisect_left(pops, first + 1) + 1
                for first, leave in zip(self._first, self.leave, strict=True)
                if leave > first
            ),
            default=0,
        )

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that take an input in, one a position of the frame."""
        length, period = self.axis.length, self.period
        load, add, live = [0] * length, [0] * length, [0] * length
        window: list[int | None] = [None] * length
        drained: list[int | None] = [None] * length
        shifts = range(-period, 2 * period) if self.always_shifts else self._pops()
        # shifts before each slot, so that a window's position is a difference of two
        before = [bisect_left(shifts, slot) for slot in range(max(2 * period, self.leave[-1] + 1))]
        for i, (taps, leave) in enumerate(zip(self._taps, self.leave, strict=True)):
            rank = before[leave]
            for slot in range(taps[0], leave + 1):
                if slot < length:
                    live[slot] |= 1 << (rank - before[slot])
                elif slot >= period:  # still there when the next frame has begun
                    # the queue shifts in every slot of a drain
                    live[slot - period] |= 1 << (leave - slot)
            for slot in taps:
                add[slot] |= 1 << (rank - before[slot])
            load[taps[0]] |= 1 << (rank - before[taps[0]])
            if leave < length:
                window[leave] = i
            if leave >= period:
                drained[leave - period] = i
        shift = [
            self.always_shifts or own is not None or old is not None
            for own, old in zip(window, drained, strict=True)
        ]
        return tuple(map(Slot, load, add, live, shift, window, drained))

    @property
    def word_bits(self) -> int:
        """Bits of a control word: `load` and `add` (R + 1 each), shift, own."""
        return 2 * (self.partials + 1) + 2

    def word(self, slot: Slot) -> Word:
        """Encode a slot: load, add, shift and own, from the lowest bit up."""
        width = self.partials + 1
        own = slot.window is not None
        kept = slot.live & ~(1 << self.partials)  # the virtual position has nothing to clear
        return Word(
            slot.load & kept
            | slot.add << width
            | slot.shift << (2 * width)
            | own << (2 * width + 1),
            kept | slot.live << width | 0b11 << (2 * width),
        )

    @cached_property
    def program(self) -> Program:
        """The control words of all slots, folded."""
        return Program.fold([self.word(slot) for slot in self.slots], self.axis.stride)
