"""Which kind of window a beat is of: by what it is divided, and how many real inputs it has."""

import itertools
from collections.abc import Iterable, Sequence
from math import prod
from typing import TypeAlias

from amaranth.hdl import Array, Cat, Const, Module, Value
from streampool_golden import Axis, PoolJob, UnevenAxis

from ..families import GENERIC
from ..schedule.plans import player_of
from ..schedule.program import Program, Word
from ..schedule.settings import Settings
from ..schedule.uneven import Rounds

Kind: TypeAlias = tuple[int, int]
"""What a window is divided by, and its real inputs where they matter, else 1."""


class Windows:
    """Follow the beats of a frame; say which kind of window each is of.

    A window's divisor and its real inputs are products of one count per axis. So a small program
    of counts per axis and a tiny table give the kind. `kinds` are all, in ascending order.
    """

    def __init__(self, job: PoolJob, settings: Settings, family: str = GENERIC):
        self._fold, self._along, self._settings = job.fold, job.axes, settings
        self._family = family
        self._columns = job.columns_out
        taps = job.axis_taps if job.requantisation else tuple((1,) * n for n in job.out_size)
        self._axes = tuple(
            tuple(zip(*both, strict=True)) for both in zip(job.axis_divisors, taps, strict=True)
        )
        self.kinds = tuple(sorted(set(map(_product, itertools.product(*map(set, self._axes))))))

    def follow(self, m: Module, step: Value) -> list[Value]:
        """Build the gates into a module; return the number of the kind of the beat to come.

        In a clock with `step` that beat goes by. There is a number for each window of a beat.
        """
        if len(self.kinds) == 1:
            return [Const(0, 0)] * self._columns
        words: list[list[Value]] = [[] for _ in range(self._columns)]
        products: list[Kind] = [(1, 1)]  # a tiny table: the innermost axis in the lowest bits
        inside, side_by_side = self._fold, self._columns
        for axis, windows in reversed(list(enumerate(self._axes))):
            kinds = sorted(set(windows))
            bits = (len(kinds) - 1).bit_length()
            if bits:
                numbers = [kinds.index(kind) for kind in windows]
                found = _numbers(self._along[axis], numbers, bits, side_by_side)
                sequencer = player_of(
                    *(found, bits * side_by_side, inside),
                    self._settings.part(f"count_{axis}"),
                    self._family,
                )
                m.submodules[f"count_{axis}"] = sequencer
                m.d.comb += sequencer.step.eq(step)
                for number, word in enumerate(words):
                    word.append(sequencer.word.word_select(number % side_by_side, bits))
            kinds += kinds[-1:] * ((1 << bits) - len(kinds))
            products = [_product((product, kind)) for kind in kinds for product in products]
            inside, side_by_side = inside * -(-len(windows) // side_by_side), 1
        known = {window: number for number, window in enumerate(self.kinds)}
        table = [known.get(product, 0) for product in products]
        rows = Array(self._settings.table("kinds", table, range(len(known))))
        return [rows[Cat(word)] for word in words]


def _numbers(axis: Axis, numbers: Sequence[int], bits: int, columns: int) -> Program | Rounds:
    """Return the windows' numbers, so many to a word, as what plays them has them."""
    if isinstance(axis, UnevenAxis):
        # of its two lengths the longer one is number 1: where what N has beyond multiples of No
        # adds up
        rounds = Rounds(axis.length % axis.outputs, axis.outputs, 0, 0, 1, 0)
        return rounds if rounds.accumulates else rounds.program
    words = []
    for first in range(0, len(numbers), columns):
        some = numbers[first : first + columns]
        value = sum(number << bits * k for k, number in enumerate(some))
        # beyond the last window they may be anything
        words.append(Word(value, (1 << bits * len(some)) - 1 if len(some) < columns else -1))
    return Program.fold(words)


def _product(parts: Iterable[Kind]) -> Kind:
    """Return the kind that windows of single axes make up."""
    divisors, taps = zip(*parts, strict=True)
    return prod(divisors), prod(taps)
