"""The schedule of one axis, worked out in plain Python before any gate.

An axis of ``N`` inputs and ``No`` windows is pooled in a period of ``max(N, No)`` slots: one
slot per position, at most one window leaving in each. A window's *partial* is the reduction of
the taps seen so far; the partials of a position stand in a shift queue, oldest first, so that
the window that leaves is always at position 0. A window sits at position "pops between now and
its own", which is known from the schedule alone, and so the whole control of a stage is one
word per slot: which queue positions start anew, which take the input in, and whether the queue
shifts.

Padding is no slot and no beat: the partials at a border just have fewer taps. Windows that
leave after the frame's last input (the *drain*) do so during the next frame's first slots, or
by themselves when no next frame comes.

Between its ends an axis does the same every `S` slots, so its middle is never worked out: the
plan is made for a shorter axis with the same ends, and the program's loop runs for the rest.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from streampool_golden import Axis

from .program import Program, Word


class AxisPlan:
    """When the windows of one axis start, take their taps in, and leave.

    Windows leave in order, at most one per slot, as early as they can:
    ``leave[i] = max(leave[i - 1] + 1, last real tap of window i)``, repeated until it is steady
    with the period. Where paddings together exceed the dilated kernel's reach and the stride is
    above 1, the queue would at times have to be longer than ``ceil((K - 1) * d / S)``; idle
    slots, counted in `idle`, keep it to that.

    What making one costs depends on the axis' ends alone, about ``K * d`` slots, and not on its
    length.

    Attributes
    ----------
    short : Axis
        The axis whose slots are worked out; the others are as those a stride before.
    period : int
        Slots from a frame's start to the next one's: ``max(N, No) + idle``.
    idle : int
        Slots beyond ``max(N, No)``.
    partials : int
        ``R``, words that the store needs per position.
    drain : int
        Windows that leave after the frame's last input.
    overlap : int
        How many of them may leave during the next frame's first slots.
    always_shifts : bool
        Whether the queue shifts in every slot, so that nothing is ever written back in place.
    pauses : bool
        Whether there are slots that take no input: False.
    """

    pauses = False

    def __init__(self, axis: Axis):
        self.axis = axis
        self._cut = _Cut.of(axis)
        self.short = short = self._cut.short
        taps = [short.taps(i) for i in range(short.outputs)]
        self._first = [each[0] for each in taps]
        self._last = [each[-1] for each in taps]
        shortest = max(short.length, short.outputs)
        self._short_period = shortest
        self._leave = self._leave_slots()
        self.partials = self._queue_length()
        while self.partials > axis.limit_partials:
            self._short_period += 1
            self._leave = self._leave_slots()
            self.partials = self._queue_length()
        self.idle = self._short_period - shortest
        self.period = self._short_period + self._cut.slots
        self.drain = max(0, self._leave[-1] - (short.length - 1))
        self.overlap = max(0, self.drain - (self.period - axis.length))
        # where the queue has a place for every slot of a window's life, it need not stand still
        lives = (leave - first for first, leave in zip(self._first, self._leave, strict=True))
        self.always_shifts = max(lives) <= self.partials

    @cached_property
    def leave(self) -> tuple[int, ...]:
        """The slot in which each window leaves; ``N`` and above is the drain."""
        more, at, stride = self._cut.slots, self._cut.window, self.axis.stride
        head, tail = self._leave[:at], self._leave[at:]
        middle = range(tail[0], tail[0] + more, stride)
        return (*head, *middle, *(slot + more for slot in tail))

    @property
    def waits(self) -> bool:
        """Whether the next frame has to wait for what is left to leave."""
        return self.drain > self.overlap

    @property
    def ends_with_window(self) -> bool:
        """Whether the last window leaves in the frame's last step, or in its drain's."""
        return self._leave[-1] >= self.short.length - 1

    def _leave_slots(self) -> list[int]:
        steady: list[int] = []
        before = -1
        while True:
            leave = []
            for tap in self._last:
                before = max(before + 1, tap)
                leave.append(before)
            if leave == steady:
                return leave
            steady, before = leave, leave[-1] - self._short_period

    def _queue_length(self) -> int:
        """Return the most pops from after a window's first slot to its own, both counted."""
        pops = [slot - self._short_period for slot in self._leave] + self._leave
        return max(
            (
                len(self._leave) + i + 1 - bisect_left(pops, first + 1)
                for i, (first, leave) in enumerate(zip(self._first, self._leave, strict=True))
                if leave > first
            ),
            default=0,
        )

    @property
    def word_bits(self) -> int:
        """Bits of a control word: `load` and `add` (R + 1 each), shift, own."""
        return 2 * (self.partials + 1) + 2

    @cached_property
    def program(self) -> Program:
        """The control words of all slots, folded.

        From the lowest bit up: `load`, which queue positions 0..R start anew; `add`, which take
        the input in; `shift`, whether the queue shifts; `own`, whether a window of this frame
        leaves. Where no window stands, `load` and `add` may be anything.
        """
        return self.program_for(self.partials)

    def program_for(self, partials: int, marks: Sequence[int] = ()) -> Program:
        """Return the program of a queue of so many positions, at least ``R``.

        `marks` are bits of each of the `short` axis' windows. They stand above `own` in the word in
        whose slot it leaves; elsewhere they may be anything. Those of windows that leave in the
        drain are in no word.
        """
        words = [word for word, slots in self._runs(partials) for _ in range(slots)]
        low, every = 2 * (partials + 1) + 2, (1 << max(marks, default=0).bit_length()) - 1
        for slot, mark in zip(self._leave, marks, strict=False):
            if slot < len(words):
                word = words[slot]
                words[slot] = Word(word.value | mark << low, word.care | every << low)
        program = Program.fold(words, self.axis.stride)
        if self._cut.slots:
            self._cut.check(words, program)
        return program.lengthened(self._cut.slots)

    def _runs(self, partials: int) -> Iterator[tuple[Word, int]]:
        """Yield the words of the short axis, each with the slots that it is for."""
        dilation, width = self.short.dilation, partials + 1
        # which pop each window's is; those left of the frame before come first
        if self.always_shifts:
            order = self._leave
        else:
            order = range(self.overlap, self.overlap + len(self._leave))
        begin: defaultdict[int, list[int]] = defaultdict(list)
        done: defaultdict[int, list[int]] = defaultdict(list)  # all taps in, and not left yet
        for i, (first, last) in enumerate(zip(self._first, self._last, strict=True)):
            begin[first].append(i)
            if last < self._leave[i]:
                done[last + 1].append(i)
        # bit masks of queue positions: those with a window, and of each residue of slots those
        # that take inputs there, with the pops before which they stood so
        live, pops = (1 << self.overlap) - 1, 0
        takers: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
        leaves = set(self._leave)
        for slot, after in pairwise(self._changes()):
            before, pops = pops, slot
            if not self.always_shifts:
                pops = min(slot, self.overlap) + bisect_left(self._leave, slot)
            live >>= pops - before
            load = sum(1 << order[i] - pops for i in begin[slot])
            live |= load
            for i in done[slot]:
                mask, at = takers[self._first[i] % dilation]
                takers[self._first[i] % dilation] = mask & ~(1 << order[i] - at), at
            mask, at = takers[slot % dilation]
            add = mask >> pops - at | load
            takers[slot % dilation] = add, pops
            kept = live & ~(1 << partials)  # the virtual position has nothing to clear
            own = slot in leaves
            shift = self.always_shifts or own or slot < self.overlap
            value = load & kept | add << width | shift << 2 * width | own << 2 * width + 1
            yield Word(value, kept | live << width | 0b11 << 2 * width), after - slot

    def _changes(self) -> list[int]:
        """Return the slots whose words may differ from the one's before, and the end."""
        length = self.short.length
        slots = {0, length, *range(self.overlap + 1)}
        spans = list(zip(self._first, self._leave, strict=True))
        if self.always_shifts or self.short.dilation > 1:
            reached = 0
            for first, leave in sorted(spans):
                slots.update(range(max(first, reached), min(leave, length) + 1))
                reached = max(reached, leave + 1)
        for (first, leave), last in zip(spans, self._last, strict=True):
            slots.update((first, first + 1, last + 1, leave, leave + 1))
        return sorted(slot for slot in slots if slot <= length)


@dataclass(frozen=True)
class _Cut:
    """An axis without most of its middle, in which every slot is as the one a stride before."""

    short: Axis  # what is left; the axis itself where its middle is short
    slots: int = 0  # how many were taken out, a multiple of the stride
    window: int = 0  # the one in front of which they were
    start: int = 0  # from there to `stop` only windows of the middle live on the short axis
    stop: int = 0

    @classmethod
    def of(cls, axis: Axis) -> "_Cut":
        """Cut as much as leaves the program as it is."""
        stride, before, kept = axis.stride, axis.before, axis.kept
        reach = (axis.kernel - 1) * axis.dilation
        # windows at either end that have taps on padding, or on what is cropped
        head = max(0, -(-(kept.start + before) // stride))
        tail = axis.outputs - max(0, (kept.stop - 1 - reach + before) // stride + 1)
        # the frame before can hold up the first windows by as many slots as it has windows that
        # wait; with a stride above 1 each window makes up for some of it
        late = tail + 1
        settled = head + (late // (stride - 1) + 1 if stride > 1 else 0)
        alive = (reach + late) // stride + 2
        first, last = settled + alive, axis.outputs - tail - alive
        # of both ends the longer: a loop that is not the middle's then makes no shorter program
        start, stop = first * stride - before, last * stride - before
        middle = max(start, axis.length - stop) // stride + 5
        turns = last - first - middle
        if stride > 1:  # the period has to be that of inputs, or of outputs, in both
            turns = min(turns, (axis.length - axis.outputs) // (stride - 1))
        if turns <= 0:
            return cls(axis)
        slots = turns * stride
        short = replace(axis, length=axis.length - slots, outputs=axis.outputs - turns)
        return cls(short, slots, first, start, stop - slots)

    def check(self, words: Sequence[Word], program: Program) -> None:
        """Make sure that the middle is steady, and that the program's loop goes through it."""
        period = self.short.stride
        middle = range(self.start, self.stop - period)
        assert all(words[slot] == words[slot + period] for slot in middle)
        end = program.length - (len(program.words) - program.stop)
        assert program.start <= self.start + period and self.stop - period <= end
