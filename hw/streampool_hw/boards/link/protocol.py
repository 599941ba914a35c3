"""Packets between a host and a board, as docs/link.md has them: what both ends have in common."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from streampool_golden import PoolJob, PoolSpec, SpecError, __version__

VERSION = 1
"""Of the protocol."""
BAUD = 1_000_000
"""Bits per second on the line, where it is a UART."""
MOST = 1024
"""Bytes of a payload, at most."""

FLAG, ESCAPE, TOGGLED = 0x7E, 0x7D, 0x20
"""What is around a packet, what is before a byte that is sent as another, and what changes it."""

HEADER, CHECK = 6, 4
"""Bytes before a payload and behind it."""


class Kind(IntEnum):
    """The type of a packet."""

    INFO = 0x01
    RESET = 0x02
    DATA = 0x03
    # responses
    INFO_IS = 0x81
    WAS_RESET = 0x82
    TAKEN = 0x83
    WAITING = 0x93
    REFUSED = 0xC0


class Reason(IntEnum):
    """Why a packet was refused."""

    DAMAGED = 1
    SEQUENCE = 2


@dataclass(frozen=True)
class Packet:
    """What crosses the line as a whole."""

    kind: int
    sequence: int
    session: int
    payload: bytes = b""

    def encoded(self) -> bytes:
        """Return its bytes on the line, flags and escapes among them."""
        body = bytes((self.kind, self.sequence)) + self.session.to_bytes(2, "little")
        body += len(self.payload).to_bytes(2, "little") + self.payload
        body += zlib.crc32(body).to_bytes(CHECK, "little")
        escaped = bytearray()
        for byte in body:
            escaped += bytes((ESCAPE, byte ^ TOGGLED)) if byte in (FLAG, ESCAPE) else bytes((byte,))
        return bytes((FLAG, *escaped, FLAG))

    @classmethod
    def of(cls, body: bytes) -> "Packet | None":
        """Return what stood between two flags, its escapes undone; None where it is damaged."""
        length = int.from_bytes(body[4:HEADER], "little")
        if len(body) != HEADER + length + CHECK or length > MOST:
            return None
        if zlib.crc32(body[:-CHECK]) != int.from_bytes(body[-CHECK:], "little"):
            return None
        return cls(body[0], body[1], int.from_bytes(body[2:4], "little"), body[HEADER:-CHECK])


class Decoder:
    """Find packets in bytes, however they are cut; a damaged one is None."""

    def __init__(self) -> None:
        self._body, self._escaped = bytearray(), False

    def __call__(self, data: bytes) -> Iterator[Packet | None]:
        """Take bytes in, and yield the packets that end in them."""
        for byte in data:
            if byte == FLAG:
                found, cut = bytes(self._body), self._escaped
                self._body, self._escaped = bytearray(), False
                if found or cut:
                    yield None if cut else Packet.of(found)
            elif byte == ESCAPE:
                self._escaped = True
            elif len(self._body) <= HEADER + MOST + CHECK:  # and what is longer is damaged anyway
                self._body.append(byte ^ TOGGLED if self._escaped else byte)
                self._escaped = False


def about(job: PoolJob, board: str, clock_hz: float, cycles: int) -> bytes:
    """Return what a board says of itself, or refuse what is too long to be said."""
    facts = {
        "protocol": VERSION,
        "streampool": __version__,
        "board": board,
        "clock_hz": round(clock_hz),
        "cycles": cycles,
        "spec": job.spec.to_json(),
        "shape": job.shape,
        "lanes": job.lanes,
    }
    text = json.dumps(facts, separators=(",", ":")).encode()
    if len(text) > MOST:
        raise SpecError(
            "spec", f"spec takes {len(text)} bytes to say, and a board says {MOST} at most."
        )
    return text


@dataclass(frozen=True)
class Info:
    """What a board says of itself."""

    protocol: int
    streampool: str
    board: str
    clock_hz: int
    cycles: int
    spec: dict[str, Any]
    shape: list[int]
    lanes: int

    @classmethod
    def of(cls, payload: bytes) -> "Info | int":
        """Return it; where the protocol has another version, that is all that can be read.

        A `ValueError`, `KeyError` or `TypeError` says that it is none.
        """
        try:
            said = json.loads(payload)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        version = said["protocol"]
        if type(version) is not int:
            raise TypeError("protocol")
        if version != VERSION:
            return version
        info = cls(**{field.name: said[field.name] for field in fields(cls)})
        for text in (info.streampool, info.board):  # they are printed
            if not (isinstance(text, str) and text.isprintable()):
                raise TypeError("streampool or board")
        for number in (info.clock_hz, info.cycles):
            if type(number) is not int or number < 1:
                raise TypeError("clock_hz or cycles")
        if not isinstance(info.spec, dict) or not isinstance(info.shape, list):
            raise TypeError("spec or shape")
        return info

    @property
    def job(self) -> PoolJob:
        """What its core does."""
        return PoolJob(PoolSpec.from_json(self.spec), tuple(self.shape), self.lanes)
