"""The registers of a run-time core's write port, described once: gates, jobs and docs follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .maxima import Maxima, StageMaxima

ADDRESS_BITS = 12
BLOCK = 1 << 9
"""Addresses of a block: one for the whole core, one for each stage, one for what is behind them."""
WORDS = 1 << 8
"""Where in a stage's block its program begins, a word an address, and in the last one its table."""
KINDS = 1 << 6
"""Addresses of one register of the table, which there is for each kind of window."""

CHECKSUM_BITS = 16
SHIFT_BITS = 2
"""Bits that say which of the shifts turns a product into a quotient."""


@dataclass(frozen=True)
class Field:
    """Some bits of a register.

    Attributes
    ----------
    name : str
        What it is called, within its block.
    low : int
        Its lowest bit.
    bits : int
        How many it has; 0 where the maxima leave nothing to say.
    about : str
        What it says, in words.
    """

    name: str
    low: int
    bits: int
    about: str

    def put(self, value: int) -> int:
        """Return a register's bits with this field at `value`."""
        assert 0 <= value < 1 << self.bits or value == 0
        return value << self.low


@dataclass(frozen=True)
class Register:
    """32 bits that are read or written at once: a place in a block, and what is there.

    Attributes
    ----------
    name : str
        What it is called, within its block.
    address : int
        Its place in the block.
    fields : tuple of Field
        Its bits.
    about : str
        What they are together.
    many : int
        How many there are of it, one behind the other.
    access : {"w", "r", "rw", "r1"}
        Whether it is written, read or both; in ``"r1"`` writing 1 clears a bit.
    """

    name: str
    address: int
    fields: tuple[Field, ...]
    about: str
    many: int = 1
    access: str = "w"

    @property
    def bits(self) -> int:
        """Bits that are written."""
        return max((each.low + each.bits for each in self.fields if each.bits), default=0)


def stage_registers(most: StageMaxima) -> tuple[Register, ...]:
    """Return the registers of a stage's block, but for its program."""
    return (
        Register(
            "slot",
            0,
            (
                Field("m1", 0, most.m_bits, "beats from a position to its neighbour, less 1"),
                Field(
                    "rest",
                    16,
                    most.rest_bits,
                    "clocks before a slot's beats in which nothing is taken",
                ),
            ),
            "how long a slot is",
        ),
        Register(
            "loop",
            1,
            (
                Field("repeats1", 0, most.turn_bits, "turns of the program's loop, less 1"),
                Field("start", 16, most.place_bits, "the place of the loop's first word"),
            ),
            "how the program repeats",
        ),
        Register(
            "run",
            2,
            (
                Field("runs1", 0, most.run_bits, "passes along the axis in a frame, less 1"),
                Field("drain", 16, most.drains, "1 << D - 1, or 0 where nothing drains"),
            ),
            "how often the axis passes, and what leaves after its last input",
        ),
        Register(
            "left",
            3,
            (
                Field(
                    "kinds",
                    0,
                    most.drains * most.kind_bits,
                    "the kinds of the windows that drain, the first lowest",
                ),
            ),
            "what is divided alike of what leaves after the last input",
        ),
    )


def word_fields(most: StageMaxima) -> tuple[Field, ...]:
    """Return the fields of a word of a program."""
    places = most.partials + 1
    return (
        Field("load", 0, places, "which places of the queue start anew"),
        Field("add", places, places, "which take the input in"),
        Field("shift", most.own_bit - 1, 1, "whether the queue shifts"),
        Field("own", most.own_bit, 1, "whether a window of the frame leaves"),
        Field("last", most.own_bit + 1, 1, "whether that is the frame's last one"),
        Field("kind", most.own_bit + 2, most.kind_bits, "what that one is divided by"),
        Field("loop", most.loop_bit, 1, "whether the loop ends with it"),
        Field("end", most.loop_bit + 1, 1, "whether the program ends with it"),
    )


def finish_registers(maxima: Maxima) -> tuple[Register, ...]:
    """Return the registers of what is behind the stages: limits, then a table of all kinds."""
    bits, offset, many = maxima.quotient_bits, maxima.dividend_bits, 1 << 2 * maxima.kind_bits
    return (
        Register("low", 0, (Field("low", 0, bits, "the lowest quotient that stays"),), "a limit"),
        Register(
            "high", 1, (Field("high", 0, bits, "the highest quotient that stays"),), "a limit"
        ),
        Register(
            "lift",
            2,
            (Field("lift", 0, maxima.out_bits, "added to the quotient, modulo its bits"),),
            "what a quotient is too small by",
        ),
        Register(
            "divide",
            WORDS,
            (
                Field("factor", 0, offset, "the reciprocal that a dividend is multiplied by"),
                Field("shift", 28, SHIFT_BITS, "which shift turns the product into a quotient"),
                Field("even", 30, 1, "whether a tie goes to the even quotient"),
                Field("negative", 31, 1, "whether the sum is turned round"),
            ),
            "how a window of a kind is divided",
            many,
        ),
        Register(
            "plus",
            WORDS + KINDS,
            (Field("plus", 0, offset, "added to a sum from `zero` on"),),
            "how it is rounded",
            many,
        ),
        Register(
            "less",
            WORDS + 2 * KINDS,
            (Field("less", 0, offset, "added to a sum below `zero`"),),
            "how it is rounded",
            many,
        ),
        Register(
            "zero",
            WORDS + 3 * KINDS,
            (Field("zero", 0, offset, "the sum whose quotient is 0, signed"),),
            "how it is rounded",
            many,
        ),
    )


ARM = Register(
    "arm",
    0,
    (Field("checksum", 0, CHECKSUM_BITS, "of all that was written since the last arming"),),
    "takes what was written for a job, if its checksum is right",
)
RESET = Register(
    "reset", 1, (Field("reset", 0, 1, "1 to reset the core"),), "forgets job and frames, as a reset"
)


def format_register(maxima: Maxima) -> Register:
    """Return the register of what values are, and of what is done to them."""
    both = int(maxima.selects and maxima.sums)
    return Register(
        "format",
        2,
        (
            Field("signed", 0, 1, "whether values are signed"),
            Field("smallest", 1, 1, "whether the smallest is selected, in place of the largest"),
            Field("sums", 2, both, "whether values are summed, and none is selected"),
        ),
        "what values are, and what is done to them",
    )


STAGES: tuple[str, ...] = ("columns", "rows")
"""The stages' blocks, in stream order, behind the core's own."""
FINISH = "finish"
"""The block of what is behind the stages, in a core of sums or averages."""


@dataclass(frozen=True)
class RegisterMap:
    """All registers of a core of given maxima, by block."""

    maxima: Maxima

    @property
    def blocks(self) -> Mapping[str, Sequence[Register]]:
        """The registers of each block, in the order of addresses."""
        stages = (self.maxima.columns, self.maxima.rows)
        found = {"core": (ARM, RESET, format_register(self.maxima))}
        found |= {name: stage_registers(m) for name, m in zip(STAGES, stages, strict=True)}
        return found | ({FINISH: finish_registers(self.maxima)} if self.maxima.sums else {})

    def address(self, block: str, place: int) -> int:
        """Return the address of a place in a block."""
        return [*self.blocks].index(block) * BLOCK + place

    def writes(self, block: str, values: Mapping[str, int], at: int = 0) -> list[tuple[int, int]]:
        """Return the writes of those of a block's registers that have any of the fields given.

        Of a table's registers they are those of kind `at`.
        """
        found = []
        for register in self.blocks[block]:
            some = [field for field in register.fields if field.name in values]
            if any(field.bits for field in some):
                value = sum(field.put(values[field.name]) for field in some)
                found.append((self.address(block, register.address + at), value))
        return found


def checksum(values: Iterable[int]) -> int:
    """Return the checksum of words written one after the other, as the core keeps it."""
    total, mask = 0, (1 << CHECKSUM_BITS) - 1
    for value in values:
        turned = total << 1 & mask | total >> CHECKSUM_BITS - 1
        total = turned ^ value & mask ^ value >> CHECKSUM_BITS
    return total
