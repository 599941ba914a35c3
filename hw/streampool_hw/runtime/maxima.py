"""What a run-time core is made for: the most that a job may ask of it."""

from dataclasses import dataclass, fields

from streampool_golden import Operation, SpecError
from streampool_golden.errors import shown, wrong
from streampool_golden.fields import integer
from streampool_golden.operations import OPERATIONS

from ..reduce.stage import AxisStage

NEAR = AxisStage.DEPTH
"""Clocks that a slot takes at least where a store is small: what it writes can be read after so
many."""
FAR = {"columns": 1, "rows": 2}
"""Registers half-way to a store's blocks, and so clocks more: behind it, and before it where it is
large."""

MOST_DIVIDEND = 28
"""The most bits of a dividend, so that its reciprocal fits into a write with all that is beside."""

KNOWN = ("max", "min", "avg", "sum")
"""The operations that a run-time core may be made for."""


@dataclass(frozen=True)
class StageMaxima:
    """What sizes one stage.

    Attributes
    ----------
    partials : int
        R, places of the queue.
    drains : int
        The most windows that leave after a run's last input.
    m : int
        The most beats from a position to its neighbour.
    words : int
        Words of a program: a power of two.
    length : int
        The most positions, and so the most turns of a loop.
    runs : int
        How often the axis may pass in a frame.
    kind_bits : int
        Bits of the number of a window's kind: of those that are divided alike.
    far : {0, 1, 2}
        Registers half-way to the store's blocks: the first is behind it, the second before it.
    """

    partials: int
    drains: int
    m: int
    words: int
    length: int
    runs: int
    kind_bits: int = 0
    far: int = 0

    @property
    def slot(self) -> int:
        """Clocks that a slot takes at least: what it writes can be read after so many."""
        return NEAR + self.far

    @property
    def m_bits(self) -> int:
        """Bits of ``m - 1``."""
        return (self.m - 1).bit_length()

    @property
    def rest_bits(self) -> int:
        """Bits of the clocks of a slot in which nothing is taken."""
        return (self.slot - 1).bit_length()

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
        """Where in a word `own` is, above `load` and `add` (R + 1 each) and `shift`."""
        return 2 * (self.partials + 1) + 1

    @property
    def loop_bit(self) -> int:
        """Where in a word `loop` is, above `own`, `last` and the kind of the window; then `end`."""
        return self.own_bit + 2 + self.kind_bits

    @property
    def word_bits(self) -> int:
        """Bits of a program's word."""
        return self.loop_bit + 2


MOST = {
    **{"lanes": 1 << 12, "bits": 32, "max_partials": 12, "max_drain": 12},
    **{"max_fold": 1 << 14, "max_row": 1 << 14},
    **{"max_words": 256, "max_length": 1 << 16, "max_taps": 1 << 12, "max_kinds": 8},
}
"""The largest of each that a core may be made for."""
LEAST = {
    **{"max_fold": NEAR + FAR["columns"], "max_row": NEAR + FAR["rows"]},
    **{"max_words": 2, "max_length": 2, "max_taps": 2, "max_drain": 0},
}
"""The least, where it is not 1."""


def check_maxima(maxima: object) -> "Maxima":
    """Return maxima, or refuse what is nothing of the kind."""
    if not isinstance(maxima, Maxima):
        raise wrong("maxima", "Maxima, such as Maxima(lanes=8)", maxima)
    return maxima


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
    max_taps : int
        Real inputs of a window that is summed, and the most that an average is divided by. Sums are
        as wide as that asks for.
    max_kinds : int
        How many kinds of windows an axis of averages may have, as those at a border that are
        divided by less: 1, 2, 4 or 8.
    max_drain : int
        D, windows that leave after the last input of their axis. 0, as it is by default, stands for
        half of the partials, rounded up: enough where the padding behind is half a kernel at most.
        What is left of a frame is kept in memories of its own, of D values a position.

    Raises
    ------
    SpecError
        If a value cannot be, or if together they take wider words than a write has.
    """

    lanes: int = 8
    bits: int = 8
    operations: tuple[str, ...] = ("max",)
    max_partials: int = 2
    max_fold: int = 256
    max_row: int = 2048
    max_words: int = 16
    max_length: int = 4096
    max_taps: int = 256
    max_kinds: int = 4
    max_drain: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in MOST:
                low, high = LEAST.get(field.name, 1), MOST[field.name]
                integer(field.name, getattr(self, field.name), low, high)
        for name, some in (("max_words", 16), ("max_kinds", 4)):
            value = getattr(self, name)
            if value & (value - 1):
                raise SpecError(name, f"{name} {value} is no power of two; use one, as {some}.")
        if not self.max_drain:
            object.__setattr__(self, "max_drain", -(-self.max_partials // 2))
        if self.max_drain > self.max_partials:
            raise SpecError(
                "max_drain",
                f"max_drain {self.max_drain} is more than max_partials {self.max_partials}, which"
                f" what drains is among; use {self.max_partials} or fewer.",
            )
        named = (self.operations,) if isinstance(self.operations, str) else self.operations
        object.__setattr__(self, "operations", tuple(dict.fromkeys(named or ())))
        unknown = [op for op in self.operations if op not in KNOWN]
        if unknown or not self.operations:
            raise SpecError(
                "operations",
                f"operations {shown(self.operations)} are not what a run-time core has;"
                f" use some of {', '.join(KNOWN)}.",
            )
        if self.sums and self.dividend_bits > MOST_DIVIDEND:
            raise SpecError(
                "max_taps",
                f"max_taps {self.max_taps} of {self.bits} bits make sums of {self.sum_bits}, and"
                f" {MOST_DIVIDEND - 2} are the most; use fewer, or narrower values.",
            )
        if max(self.columns.word_bits, self.max_drain * self.kind_bits) > 32:
            raise SpecError(
                "max_partials",
                f"max_partials {self.max_partials} with max_kinds {self.max_kinds} take a word of"
                " more than the 32 bits of a write; use fewer of either.",
            )

    @property
    def columns(self) -> StageMaxima:
        """What sizes the columns' stage, which passes once per row."""
        turns = self.max_length, self.max_length
        each = (self.max_partials, self.max_drain, self.max_fold, self.max_words)
        return StageMaxima(*each, *turns, self.kind_bits, FAR["columns"])

    @property
    def rows(self) -> StageMaxima:
        """What sizes the rows' stage."""
        each = (self.max_partials, self.max_drain, self.max_row, self.max_words)
        return StageMaxima(*each, self.max_length, 1, self.kind_bits, FAR["rows"])

    @property
    def reduces(self) -> tuple[Operation, ...]:
        """The operations as golden's table has them."""
        return tuple(OPERATIONS[op] for op in self.operations)

    @property
    def selects(self) -> bool:
        """Whether there are maxima or minima."""
        return any(operation.selects for operation in self.reduces)

    @property
    def sums(self) -> bool:
        """Whether there are sums or averages: these alone are divided and clamped behind."""
        return not all(operation.selects for operation in self.reduces)

    @property
    def kind_bits(self) -> int:
        """Bits of the number of a window's kind along an axis."""
        return (self.max_kinds - 1).bit_length() if self.sums else 0

    @property
    def sum_bits(self) -> int:
        """Bits of a sum, signed or not as the job says."""
        return self.bits + (self.max_taps - 1).bit_length()

    @property
    def out_bits(self) -> int:
        """Bits of a value that leaves: of a sum where there are sums, else of one that comes in."""
        widens = any(operation.widens for operation in self.reduces)
        return self.sum_bits if widens else self.bits

    @property
    def quotient_bits(self) -> int:
        """Bits of a quotient, made positive."""
        return self.sum_bits + 1

    @property
    def dividend_bits(self) -> int:
        """Bits of a sum with all that is added before it is divided, and of a reciprocal."""
        return self.sum_bits + 2
