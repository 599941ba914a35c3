"""Control words folded into a program: a prologue, a loop and an epilogue."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True)
class Word:
    """A control word some of whose bits nobody looks at: 0 in the mask `care`, and in `value`."""

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

    `words` has these one after the other. The loop, ``words[start:stop]``, is never empty, and runs
    `repeats` times, at least once.
    """

    words: tuple[int, ...]
    start: int
    stop: int
    repeats: int

    @classmethod
    def fold(cls, words: Sequence[Word], body: int = 1) -> "Program":
        """Return the shortest program found for `words`, at least one.

        Its loop has a divisor of `body` words: the period of the interior, an axis' stride.
        """
        total = len(words)
        search = _Search(words)
        best, size = ([], 0, total, 1), total
        # the interior's own period first: what it gives bounds what the others have to try
        for length in (min(body, total), *_shorter_divisors(body, total)):
            start = 0
            while start <= total - length and start + length < size:
                loop, turns, clash = search.longest(start, length)
                if turns > 1 and total - (turns - 1) * length < size:
                    best, size = (loop, start, length, turns), total - (turns - 1) * length
                # until then every start meets the same two words that contradict each other,
                # after no more turns
                start = clash + 1
        loop, start, length, turns = best
        if turns == 1:
            return cls(_settled(words), 0, total, 1)
        parts = (*words[:start], *loop, *words[start + turns * length :])
        return cls(_settled(parts), start, start + length, turns)

    @classmethod
    def of(cls, values: Iterable[int]) -> "Program":
        """Fold plain values, all of whose bits matter."""
        values = list(values)
        words = {value: Word(value, -1) for value in set(values)}
        return cls.fold([words[value] for value in values])

    @property
    def length(self) -> int:
        """Number of slots the program runs for."""
        return len(self.words) + (self.repeats - 1) * (self.stop - self.start)

    def lengthened(self, slots: int) -> "Program":
        """Return the program whose loop runs for so many slots more: a multiple of its words."""
        turns, left = divmod(slots, self.stop - self.start)
        assert not left
        return replace(self, repeats=self.repeats + turns)

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


def _shorter_divisors(body: int, total: int) -> list[int]:
    """Return the divisors of `body` below it that are at most `total`, ascending."""
    small = [n for n in range(1, int(body**0.5) + 1) if body % n == 0]
    both = sorted({*small, *(body // n for n in small)})
    return [n for n in both if n < body and n <= total]


def _settled(words: Sequence[Word]) -> tuple[int, ...]:
    """Choose the bits that nobody looks at: constants first, then what another bit is anyway.

    A bit that never changes, or is another one, needs no register and no logic.
    """
    if any(word.care < 0 for word in words):
        return tuple(word.value for word in words)
    whole, words = words, list(dict.fromkeys(words))  # of a long axis most are the same
    every = (1 << len(words)) - 1
    known = {0: None, every: None}  # bits over all words: word k in bit k; kept in order
    columns = []
    width = max(word.care for word in words).bit_length()
    for ones, care in zip(
        _columns([word.value for word in words], width),
        _columns([word.care for word in words], width),
        strict=True,
    ):
        column = next((c for c in known if not (c ^ ones) & care), ones)
        known[column] = None
        columns.append(column)
    values = _columns(columns, len(words))
    settled = dict(zip(words, values, strict=True))
    return tuple(settled[word] for word in whole)


def _columns(rows: Sequence[int], width: int) -> list[int]:
    """Transpose a matrix of bits: bit j of result k is bit k of row j."""
    digits = [f"{row:0{width}b}" for row in reversed(rows)]  # the highest bit first
    return [int("".join(column), 2) for column in zip(*digits, strict=True)][::-1]


class _Search:
    """Loops in a sequence of words."""

    def __init__(self, words: Sequence[Word]):
        self.words = words
        # where the run of equal words ends that a word is in
        self._run_end: list[int] = []
        for _, run in groupby(words):
            count = sum(1 for _ in run)
            self._run_end += [len(self._run_end) + count] * count

    def longest(self, start: int, length: int) -> tuple[list[Word], int, int]:
        """Merge turn after turn of a loop while they agree; return it, and its whole turns.

        Beside them the last word before the next turn that contradicts it; where that turn is
        none, or not a whole one, the last of all words.
        """
        words, total = self.words, len(self.words)
        loop = list(words[start : start + length])
        begin = start + length
        while begin + length <= total:
            equal = self._run_end[begin - length]  # words that the loop has in it already
            if equal >= begin + length:
                begin += (equal - begin) // length * length
                continue
            for k in range(length):
                merged = loop[k].merge(words[begin + k])
                if merged is None:
                    return loop, (begin - start) // length, self._clash(begin + k, length)
                loop[k] = merged
            begin += length
        return loop, (begin - start) // length, total - 1

    def _clash(self, at: int, length: int) -> int:
        """Return the last word, whole turns before `at`, that contradicts the one there."""
        word = self.words[at]
        before = at - length
        while word.merge(self.words[before]) is not None:
            before -= length
        return before
