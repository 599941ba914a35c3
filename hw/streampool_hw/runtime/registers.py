"""The registers of a run-time core's write port, described once: gates, jobs and docs follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .maxima import Maxima, StageMaxima

ADDRESS_BITS = 12
BLOCK = 1 << 9
"""Addresses of a block: one for the whole core, one for each stage."""
WORDS = 1 << 8
"""Where in a stage's block its program begins, a word an address."""

CHECKSUM_BITS = 16


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
    """32 bits that are written at once: a place in a block, and what is there."""

    name: str
    address: int
    fields: tuple[Field, ...]
    about: str


def stage_registers(most: StageMaxima) -> tuple[Register, ...]:
    """Return the registers of a stage's block, but for its program."""
    return (
        Register(
            "slot",
            0,
            (
                Field("m1", 0, most.m_bits, "beats from a position to its neighbour, less 1"),
                Field("rest", 16, 3, "clocks before a slot's beats in which nothing is taken"),
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
                Field("drain", 16, most.partials, "1 << D - 1, or 0 where nothing drains"),
            ),
            "how often the axis passes, and what leaves after its last input",
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
FORMAT = Register(
    "format",
    2,
    (
        Field("signed", 0, 1, "whether values are signed"),
        Field("smallest", 1, 1, "whether the smallest is selected, in place of the largest"),
    ),
    "what values are, and what is done to them",
)

STAGES: tuple[str, ...] = ("columns", "rows")
"""The stages' blocks, in stream order, behind the core's own."""


@dataclass(frozen=True)
class RegisterMap:
    """All registers of a core of given maxima, by block."""

    maxima: Maxima

    @property
    def blocks(self) -> Mapping[str, Sequence[Register]]:
        """The registers of each block, in the order of addresses."""
        stages = (self.maxima.columns, self.maxima.rows)
        own = {"core": (ARM, RESET, FORMAT)}
        return own | {name: stage_registers(m) for name, m in zip(STAGES, stages, strict=True)}

    def address(self, block: str, place: int) -> int:
        """Return the address of a place in a block."""
        return [*self.blocks].index(block) * BLOCK + place

    def writes(self, block: str, values: Mapping[str, int]) -> list[tuple[int, int]]:
        """Return the writes of those of a block's registers that have any of the fields given."""
        found = []
        for register in self.blocks[block]:
            some = [field for field in register.fields if field.name in values]
            if some:
                value = sum(field.put(values[field.name]) for field in some)
                found.append((self.address(block, register.address), value))
        return found


def checksum(values: Iterable[int]) -> int:
    """Return the checksum of words written one after the other, as the core keeps it."""
    total, mask = 0, (1 << CHECKSUM_BITS) - 1
    for value in values:
        turned = total << 1 & mask | total >> CHECKSUM_BITS - 1
        total = turned ^ value & mask ^ value >> CHECKSUM_BITS
    return total
