"""What a run-time core is made for: the most that a job may ask of it."""

from dataclasses import dataclass, fields
from functools import cached_property

from streampool_golden import Operation, SpecError
from streampool_golden.errors import shown
from streampool_golden.fields import integer
from streampool_golden.operations import OPERATIONS

from ..reduce.stage import AxisStage

SLOT = AxisStage.DEPTH
"""Clocks that a slot takes at least: what it writes is there to be read after so many."""

KNOWN = ("max", "min", "avg", "sum")
"""The operations that a run-time core may be made for."""


@dataclass(frozen=True)
class StageMaxima:
    """What sizes one stage.

    Attributes
    ----------
    partials : int
        R, places of the queue.
    m : int
        The most beats from a position to its neighbour.
    words : int
        Words of a program: a power of two.
    length : int
        The most positions, and so the most turns of a loop.
    runs : int
        How often the axis may pass in a frame.
    """

    partials: int
    m: int
    words: int
    length: int
    runs: int

    @property
    def m_bits(self) -> int:
        """Bits of ``m - 1``."""
        return (self.m - 1).bit_length()

    @property
    def place_bits(self) -> int:
        """Bits of a word's place in the program."""
        return (self.words - 1).bit_length()

    @property
    def turn_bits(self) -> int:
        """Bits of a loop's turns less 1."""
        return (self.length - 1).bit_length()

    @property
    def run_bits(self) -> int:
        """Bits of the passes less 1."""
        return (self.runs - 1).bit_length()

    @property
    def own_bit(self) -> int:
        """Where in a word the bits behind `load`, `add` and `shift` begin: own, last, loop, end."""
        return 2 * (self.partials + 1) + 1

    @property
    def word_bits(self) -> int:
        """Bits of a program's word: `load` and `add` (R + 1 each), shift, own, last, loop, end."""
        return self.own_bit + 4


@dataclass(frozen=True)
class Maxima:
    """What a `RuntimePoolCore` is made for.

    Parameters
    ----------
    lanes : int
        Channels side by side in a beat.
    bits : int
        Bits of a value. Whether it is signed or not is the job's.
    operations : tuple of str
        The operations that a job may ask for, of max, min, avg and sum.
    max_partials : int
        R, partials kept per position: ceil((K - 1) d / S) is always enough.
    max_fold : int
        Beats per position.
    max_row : int
        Beats of a row of outputs.
    max_words : int
        Words of an axis' program: a power of two. 16 hold every kernel up to 3, and most others.
    max_length : int
        Positions of an axis, in or out.
    """

    lanes: int = 8
    bits: int = 8
    operations: tuple[str, ...] = ("max",)
    max_partials: int = 2
    max_fold: int = 256
    max_row: int = 2048
    max_words: int = 16
    max_length: int = 4096

    def __post_init__(self) -> None:
        most = {"bits": 32, "max_partials": 12, "max_fold": 1 << 14, "max_row": 1 << 14}
        most |= {"lanes": 1 << 12, "max_words": 256, "max_length": 1 << 16}
        least = {"max_fold": SLOT, "max_row": SLOT, "max_words": 2, "max_length": 2}
        for field in fields(self):
            if field.name in most:
                low, high = least.get(field.name, 1), most[field.name]
                integer(field.name, getattr(self, field.name), low, high)
        if self.max_words & (self.max_words - 1):
            raise SpecError(
                "max_words", f"max_words {self.max_words} is no power of two; use one, as 16."
            )
        object.__setattr__(self, "operations", tuple(self.operations))
        unknown = [op for op in self.operations if op not in KNOWN]
        if unknown or not self.operations:
            raise SpecError(
                "operations",
                f"operations {shown(self.operations)} are not what a run-time core has;"
                f" use some of {', '.join(KNOWN)}.",
            )

    @cached_property
    def columns(self) -> StageMaxima:
        """What sizes the columns' stage, which passes once per row."""
        return StageMaxima(
            *(self.max_partials, self.max_fold, self.max_words), self.max_length, self.max_length
        )

    @cached_property
    def rows(self) -> StageMaxima:
        """What sizes the rows' stage."""
        return StageMaxima(self.max_partials, self.max_row, self.max_words, self.max_length, 1)

    @property
    def reduces(self) -> tuple[Operation, ...]:
        """The operations as golden's table has them."""
        return tuple(OPERATIONS[op] for op in self.operations)
