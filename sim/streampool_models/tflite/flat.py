"""Flatbuffers, read with every offset and length checked, as nobody vouches for a file."""

from dataclasses import dataclass, field

import numpy as np
from streampool_sim.refusals import printable


class Damaged(Exception):
    """What a file says does not fit into the file; the message is the end of a sentence."""


@dataclass
class Bytes:
    """The bytes of a file, and how many more of them may be read.

    Tables may share what they point to, so a small file could be read for ever. Nobody writes one
    in which everything is shared many times: `left` is a few times the file's length.
    """

    data: memoryview
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = 64 + 16 * len(self.data)

    def numbers(self, at: int, dtype: str, count: int = 1) -> np.ndarray:
        """Return so many numbers from a place."""
        size = np.dtype(dtype).itemsize * count
        if at < 0 or at + size > len(self.data):
            raise Damaged(f"it points to byte {at + size:,}, and has {len(self.data):,}")
        self.left -= size
        if self.left < 0:
            raise Damaged("its tables point to each other again and again")
        return np.frombuffer(self.data, dtype, count, at)

    def number(self, at: int, dtype: str) -> int:
        """Return the integer at a place."""
        return int(self.numbers(at, dtype)[0])


@dataclass(frozen=True)
class Table:
    """A table of a file at a place; its fields are known by their numbers in the schema."""

    file: Bytes
    at: int

    @classmethod
    def root(cls, data: bytes, identifier: bytes) -> "Table":
        """Return the table that a file begins with, if it is of the kind that is meant."""
        if data[4:8] != identifier:
            raise Damaged(f"it does not have {identifier.decode()} in bytes 4 to 7")
        file = Bytes(memoryview(data))
        return cls(file, file.number(0, "<u4"))

    def scalar(self, number: int, dtype: str, default: int = 0) -> int:
        """Return an integer field."""
        at = self._field(number)
        return default if at is None else self.file.number(at, dtype)

    def vector(self, number: int, dtype: str) -> np.ndarray:
        """Return a field of numbers; empty where it is left out."""
        at = self._pointed(number)
        if at is None:
            return np.zeros(0, dtype)
        return self.file.numbers(at + 4, dtype, self.file.number(at, "<u4"))

    def text(self, number: int) -> str:
        """Return a field of text, with a mark for whatever cannot be printed."""
        return printable(self.vector(number, "u1").tobytes().decode("utf-8", "replace"))

    def table(self, number: int) -> "Table | None":
        """Return a field that is a table itself."""
        at = self._pointed(number)
        return None if at is None else Table(self.file, at)

    def tables(self, number: int) -> "list[Table]":
        """Return a field of several tables."""
        offsets = self.vector(number, "<u4")
        start = (self._pointed(number) or 0) + 4
        return [
            Table(self.file, start + 4 * i + int(offset))
            for i, offset in enumerate(offsets.tolist())
        ]

    def _field(self, number: int) -> int | None:
        """Return where a field is; None where it is left out."""
        listing = self.at - self.file.number(self.at, "<i4")
        entry = 4 + 2 * number
        if entry + 2 > self.file.number(listing, "<u2"):
            return None
        offset = self.file.number(listing + entry, "<u2")
        return self.at + offset if offset else None

    def _pointed(self, number: int) -> int | None:
        """Return where a field points to."""
        at = self._field(number)
        return None if at is None else at + self.file.number(at, "<u4")
