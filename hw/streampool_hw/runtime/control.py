"""What a host reads and writes of a run-time core beside its jobs, and the map of all of it."""

import re
from dataclasses import asdict, dataclass

from streampool_golden import __version__

from ..resync import COUNT_BITS
from .maxima import KNOWN, Maxima
from .registers import (
    ADDRESS_BITS,
    BLOCK,
    STAGES,
    WORDS,
    Field,
    Register,
    RegisterMap,
    word_fields,
)

CONTROL = "control"
CONTROL_BASE = (1 << ADDRESS_BITS) - BLOCK
"""The last block of the addresses: blocks of jobs are counted from 0."""

BYTE_BITS = 2
"""Bits of a byte's place in a word: how far a word's address is shifted for a bus of bytes."""

ID = int.from_bytes(b"SPRT", "big")
MAP_VERSION = 2
"""Goes up when a host's program that was right is right no more."""

_FLAGS = (
    ("busy", "a job is armed that has not been taken over everywhere, or the core is being reset"),
    ("out_of_step", "the stages do not count the same frames; until reset"),
    ("bad", "a job was armed with a wrong checksum"),
    ("refused", "a word was written that is not on the map, or while busy"),
    ("frame_error", "an input frame's tlast was missing or out of place"),
    ("turned", "a job has been taken over"),
    ("left", "a frame's last beat has left"),
)
"""The bits of the status, lowest first."""
STICKY = ("bad", "refused", "frame_error", "turned", "left")
"""Those that stay until 1 is written there, or the core is reset."""


def _bits(names: tuple[tuple[str, str], ...]) -> tuple[Field, ...]:
    return tuple(Field(name, bit, 1, about) for bit, (name, about) in enumerate(names))


def _whole(name: str, about: str) -> tuple[Field, ...]:
    return (Field(name, 0, 32, about),)


_CALLS = tuple((f"{name}_calls", f"whether {name} asks for an interrupt") for name, _ in _FLAGS)

CONTROLS: tuple[Register, ...] = (
    Register("id", 0, _whole("id", "SPRT in ASCII, the S highest"), "what this is", access="r"),
    Register(
        "version",
        1,
        (
            Field("patch", 0, 8, "of streampool's version, the last number"),
            Field("minor", 8, 8, "the second"),
            Field("major", 16, 8, "the first"),
            Field("map", 24, 8, "version of this map"),
        ),
        "who made it",
        access="r",
    ),
    Register(
        "values",
        2,
        (
            Field("lanes", 0, 16, "channels side by side in a beat"),
            Field("bits", 16, 8, "bits of a value"),
            Field("operations", 24, len(KNOWN), f"a bit for each of {', '.join(KNOWN)}"),
        ),
        "what beats hold, and what is done to them",
        access="r",
    ),
    Register(
        "beats",
        3,
        (
            Field("max_fold", 0, 16, "the most beats of a position"),
            Field("max_row", 16, 16, "the most beats of a row of outputs"),
        ),
        "how much a stage keeps",
        access="r",
    ),
    Register(
        "programs",
        4,
        (
            Field("max_partials", 0, 8, "the most partials of a position"),
            Field("max_words", 8, 16, "words of a program"),
            Field("max_kinds", 24, 4, "the most kinds of windows along an axis"),
            Field("max_drain", 28, 4, "the most windows that leave after the last input"),
        ),
        "what a program may have",
        access="r",
    ),
    Register(
        "length", 5, _whole("max_length", "the most positions of an axis"), "how long one may be",
        access="r",
    ),
    Register(
        "sums",
        6,
        (
            Field("max_taps", 0, 16, "the most inputs of a window that is summed"),
            Field("out_bits", 16, 8, "bits of a value that leaves"),
        ),
        "how wide a sum is",
        access="r",
    ),
    Register("status", 7, _bits(_FLAGS), "what is, and what has been since it was cleared",
             access="r1"),
    Register("interrupt", 8, _bits(_CALLS), "which bits of the status raise irq", access="rw"),
    Register("begun", 9, _whole("begun", "frames whose first beat was taken"), "since reset",
             access="r"),
    Register("done", 10, _whole("done", "frames whose last beat has left"), "since reset",
             access="r"),
    Register("tag", 11, _whole("tag", "any number, of the job that is written"), "a job's name",
             access="rw"),
    Register("at_work", 12, _whole("at_work", "the tag of the job that was taken over last"),
             "the name of the job at work", access="r"),
    Register("broken", 13, (Field("broken", 0, COUNT_BITS, "frames that were out of step, where"
             " the core follows their marks; else 0"),), "since reset", access="r"),
)  # fmt: skip
"""The registers of the last block, in the order of addresses."""


def constants(maxima: Maxima) -> dict[str, int]:
    """Return the fields that never change, by name: what the core is."""
    major, minor, patch = map(int, re.findall(r"\d+", __version__)[:3])
    return {
        "id": ID,
        **{"patch": patch, "minor": minor, "major": major, "map": MAP_VERSION},
        **{"lanes": maxima.lanes, "bits": maxima.bits},
        "operations": sum(1 << k for k, op in enumerate(KNOWN) if op in maxima.operations),
        **{name: value for name, value in asdict(maxima).items() if name.startswith("max_")},
        "out_bits": maxima.out_bits,
    }


@dataclass(frozen=True)
class Place:
    """A register of a core's map, and where its first word is."""

    block: str
    register: Register
    address: int

    @property
    def name(self) -> str:
        """Its name among all: its block's, then its own."""
        return f"{self.block}_{self.register.name}"

    @property
    def byte(self) -> int:
        """Its first byte's address."""
        return self.address << BYTE_BITS

    @property
    def end(self) -> int:
        """The address behind the last of them."""
        return self.address + self.register.many


def places(maxima: Maxima) -> tuple[Place, ...]:
    """Return the map of a core: its registers for jobs, then those of control, by address."""
    registers = RegisterMap(maxima)
    found = []
    for block, each in registers.blocks.items():
        found += [
            Place(block, one, registers.address(block, one.address)) for one in each if one.bits
        ]
        if block in STAGES:
            most = getattr(maxima, block)
            word = word_fields(most)
            program = Register("word", WORDS, word, "what happens in a slot", most.words)
            found.append(Place(block, program, registers.address(block, WORDS)))
    found += [Place(CONTROL, one, CONTROL_BASE + one.address) for one in CONTROLS]
    return tuple(found)
