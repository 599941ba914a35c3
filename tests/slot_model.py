"""The plan of an axis by its definition, slot by slot over its whole length.

Slow and plain, to check `AxisPlan` against, which works out the ends of an axis alone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from step_model import leave_slots
from streampool_golden import Axis
from streampool_hw.schedule.program import Word


class Plan(NamedTuple):
    """What `AxisPlan` says of an axis, and the words of all its slots."""

    leave: tuple[int, ...]
    period: int
    partials: int
    drain: int
    overlap: int
    always_shifts: bool
    words: list[Word]


class Folded(NamedTuple):
    """What `Program` is made of."""

    words: tuple[int, ...]
    start: int
    stop: int
    repeats: int


def slot_by_slot(axis: Axis) -> Plan:
    """Work an axis out by going through every window's every slot."""
    taps = [axis.taps(i) for i in range(axis.outputs)]
    idle = 0
    while True:
        leave, period = leave_slots(axis, idle)
        pops = sorted([slot - period for slot in leave] + leave)
        partials = max(
            bisect_left(pops, slot) - bisect_left(pops, each[0] + 1) + 1 if slot > each[0] else 0
            for each, slot in zip(taps, leave, strict=True)
        )
        if partials <= axis.limit_partials:
            break
        idle += 1
    always = max(slot - each[0] for each, slot in zip(taps, leave, strict=True)) <= partials
    drain = max(0, leave[-1] - (axis.length - 1))
    overlap = max(0, drain - (period - axis.length))

    if always:
        pops = list(range(-period, 2 * period))
    load, add, live = ([0] * axis.length for _ in range(3))
    for each, last in zip(taps, leave, strict=True):
        for slot in range(each[0], last + 1):
            bit = 1 << bisect_left(pops, last) - bisect_left(pops, slot)
            if slot < axis.length:
                live[slot] |= bit
                load[slot] |= bit * (slot == each[0])
                add[slot] |= bit * (slot in each)
            elif slot >= period:  # still there when the next frame has begun
                live[slot - period] |= 1 << last - slot
    own = {slot for slot in leave if slot < axis.length}
    old = {slot - period for slot in leave if slot >= period}
    words = []
    for slot in range(axis.length):
        # the virtual position has nothing to clear, and an empty one nothing at all
        kept, width = live[slot] & ~(1 << partials), partials + 1
        shifts = always or slot in own | old
        value = load[slot] & kept | add[slot] << width
        value |= shifts << 2 * width | (slot in own) << 2 * width + 1
        words.append(Word(value, kept | live[slot] << width | 0b11 << 2 * width))
    return Plan(tuple(leave), period, partials, drain, overlap, always, words)


def fold(words: Sequence[Word], body: int) -> Folded:
    """Try every loop of `body` words, then of its divisors; keep the first shortest program."""
    total = len(words)
    found = Folded(_settled(words), 0, total, 1)
    lengths = [min(body, total), *(n for n in range(1, min(body, total + 1)) if body % n == 0)]
    for length in lengths:
        for start in range(total - length + 1):
            loop, repeats = list(words[start : start + length]), 1
            for begin in range(start + length, total - length + 1, length):
                turn = words[begin : begin + length]
                merged = [a.merge(b) for a, b in zip(loop, turn, strict=True)]
                if None in merged:
                    break
                loop, repeats = [word for word in merged if word], repeats + 1
            if repeats > 1 and total - (repeats - 1) * length < len(found.words):
                parts = [*words[:start], *loop, *words[start + repeats * length :]]
                found = Folded(_settled(parts), start, start + length, repeats)
    return found


def _settled(words: Sequence[Word]) -> tuple[int, ...]:
    """Choose the bits that nobody looks at, bit by bit over the different words in order."""
    different = list(dict.fromkeys(words))
    known = [0, (1 << len(different)) - 1]
    values = [0] * len(different)
    for bit in range(max(word.care for word in words).bit_length()):
        ones = sum((word.value >> bit & 1) << k for k, word in enumerate(different))
        care = sum((word.care >> bit & 1) << k for k, word in enumerate(different))
        column = next((each for each in known if not (each ^ ones) & care), ones)
        known.append(column)
        for k in range(len(different)):
            values[k] |= (column >> k & 1) << bit
    settled = dict(zip(different, values, strict=True))
    return tuple(settled[word] for word in words)
