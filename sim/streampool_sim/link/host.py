"""A host that feeds a board's core: requests, retries, frames."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from streampool_golden import PoolJob, SpecError
from streampool_hw.boards.link.protocol import (
    BAUD,
    CHECK,
    HEADER,
    MOST,
    VERSION,
    Decoder,
    Info,
    Kind,
    Packet,
    Reason,
)

from ..frames import container, pack, unpack

TRIES = 10
"""How often a request is sent before the host gives up."""
FRAME_TRIES = 3
"""How often a frame is begun."""
QUIET_POLLS = 20
"""Requests in a row that move nothing, after which the core is taken to be stuck."""
PATIENCE = 0.5
"""Seconds for a response beyond the time that its bytes take."""
GAP = 0.02
"""Seconds without a byte, after which a line is taken to be quiet."""
DRIP = 4
"""How many times as long as for silence is waited where bytes come, and none that answers."""
BABBLE = 4 * 2 * (HEADER + MOST + CHECK)
"""Bytes without an answer, after which what talks there is taken to be no board of this link."""

_BITS = 10  # of a byte on the line
_ANSWERS = {
    Kind.INFO: (Kind.INFO_IS,),
    Kind.RESET: (Kind.WAS_RESET,),
    Kind.DATA: (Kind.TAKEN, Kind.WAITING),
}
_CAME = {
    "silent": "it did not answer in time",
    "damaged": "its answers were damaged",
    "refused": "it says that what it got was damaged",
}


class LinkError(RuntimeError):
    """A board did not do what it must; the message is one sentence."""


class BoardMissing(LinkError):
    """Nothing on a port ever answered."""


class _SessionLost(Exception):
    """The board knows nothing of this session, or of this place in it."""


class Line(Protocol):
    """Bytes to and from a board."""

    name: str

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def read(self, seconds: float) -> bytes:
        """Return the bytes that are there, at least one, or none if none comes in time."""
        ...


class Host:
    """Talk to a board on a line.

    Parameters
    ----------
    line : Line
        Where it is.
    patience : float, optional
        Seconds to wait for a response beyond the time that its bytes take.
    seed : int, optional
        Of the sessions; drawn by the system by default.

    Attributes
    ----------
    counts : Counter of str
        What was seen: ``requests``; ``repeated`` requests, and why: ``silent``, ``damaged``
        responses, ``refused`` (damaged requests); ``sessions_lost``, after each of which a frame
        was begun anew; ``bytes_sent`` and ``bytes_received`` on the line.
    """

    COUNTED = (
        "requests", "repeated", "silent", "damaged", "refused", "sessions_lost",
        "bytes_sent", "bytes_received",
    )  # fmt: skip

    def __init__(self, line: Line, *, patience: float | None = None, seed: int | None = None):
        self._line = line
        self._patience = PATIENCE if patience is None else patience
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()
        self._session = self._sequence = 0
        self._decoder = Decoder()
        self.counts: Counter[str] = Counter()

    def info(self, tries: int = TRIES) -> Info:
        """Ask what the board is; refuses one that this streampool cannot feed."""
        # a sequence number of its own: what answers is no answer to an earlier host
        self._session, self._sequence = self._random.getrandbits(16), self._random.getrandbits(8)
        try:
            info = Info.of(self._request(Kind.INFO, tries=tries).payload)
        except (ValueError, KeyError, TypeError, _SessionLost):
            raise LinkError(f"{self._line.name} answers, but not as a board of this link") from None
        if isinstance(info, int):
            raise LinkError(
                f"the board on {self._line.name} speaks version {info} of the link, and this is"
                f" version {VERSION}; use a bitstream of this streampool"
            )
        try:
            _ = info.job
        except SpecError as error:
            why, _, _ = str(error).partition(";")  # what to use is not for who feeds a board
            raise LinkError(
                f"the board on {self._line.name} has a core of streampool {info.streampool} that"
                f" this one does not know: {why.removesuffix('.')}; use a bitstream of this"
                " streampool"
            ) from None
        return info

    def pool(
        self, job: PoolJob, frames: np.ndarray, progress: Callable[[int, int], object] | None = None
    ) -> np.ndarray:
        """Send frames through the board's core, and return what comes back.

        Parameters
        ----------
        job : PoolJob
            What the board says that it does.
        frames : ndarray, shape (frames, C, *size)
            Frames in.
        progress : callable, optional
            Called with the bytes that have come back and those that are due.

        Returns
        -------
        ndarray, shape (frames, C, *out_size)

        Raises
        ------
        LinkError
            If the board stops answering, is reset over and over, or gives more or less than a
            frame.
        """
        sent = [_little(beats).tobytes() for beats in pack(job, frames)[0]]
        field = job.fields_out[0]
        raw = container(field).newbyteorder("<")
        each = job.beats_out * job.lanes * raw.itemsize
        done, tries = bytearray(), 0
        while len(done) < each * len(sent):
            first = len(done) // each
            before = each * first
            if tries == FRAME_TRIES:
                raise LinkError(
                    f"the board on {self._line.name} lost frame {first} {FRAME_TRIES} times: it"
                    " was reset in the middle; leave its button alone"
                )
            del done[before:]
            try:
                for part in self._stream(b"".join(sent[first:]), each * (len(sent) - first)):
                    done += part
                    if progress is not None:
                        progress(len(done), each * len(sent))
            except _SessionLost:
                self.counts["sessions_lost"] += 1
                tries = tries + 1 if len(done) // each == first else 1
        beats = np.frombuffer(bytes(done), raw).reshape(-1, job.lanes)
        return unpack(job, np.ascontiguousarray(beats, container(field)))

    def _stream(self, data: bytes, due: int) -> Iterator[bytes]:
        """Begin a session, send bytes, and yield what comes back until all is there."""
        self._session = self._random.getrandbits(16)
        self._sequence = self._random.getrandbits(8)
        self._request(Kind.RESET)
        at = came = quiet = 0
        waiting = False
        while came < due:
            part = b"" if waiting else data[at : at + MOST]
            self._sequence = (self._sequence + 1) % 256
            answer = self._request(Kind.DATA, part)
            at, came = at + len(part), came + len(answer.payload)
            waiting = answer.kind == Kind.WAITING
            quiet = 0 if part or answer.payload else quiet + 1
            if came > due:
                raise LinkError(
                    f"the board on {self._line.name} gave more than the {due:,} bytes of its frames"
                )
            if quiet == QUIET_POLLS:
                raise LinkError(
                    f"the core on {self._line.name} stopped after {came:,} of {due:,} bytes;"
                    " press the board's button, and check its bitstream"
                )
            if answer.payload:
                yield answer.payload

    def _request(self, kind: Kind, payload: bytes = b"", tries: int = TRIES) -> Packet:
        """Send a request until it is answered."""
        packet = Packet(kind, self._sequence, self._session, payload)
        encoded = packet.encoded()
        # with every byte escaped, there and back
        line = (len(encoded) + 2 * (HEADER + MOST + CHECK)) * _BITS / BAUD
        seen: Counter[str] = Counter()
        self.counts["requests"] += 1
        for tried in range(tries):
            self.counts["repeated"] += tried > 0
            self.counts["bytes_sent"] += len(encoded)
            self._line.write(encoded)
            answer = self._answer(packet, line + self._patience)
            if isinstance(answer, Packet):
                return answer
            seen[answer] += 1
            self.counts[answer] += 1
            if answer == "damaged":
                self._quiet()
        error = BoardMissing if set(seen) == {"silent"} else LinkError
        why = " and ".join(_CAME[each] for each in seen)
        raise error(
            f"no board answers on {self._line.name}: of {tries} tries, {why}; check the port, the"
            " bitstream and the cable"
        )

    def _answer(self, request: Packet, seconds: float) -> Packet | str:
        """Return what answers a request, or what came in its place."""
        # it is a pause that ends the wait: as long as bytes come, somebody is talking
        came, until = 0, time.monotonic() + DRIP * seconds
        while data := self._line.read(seconds):
            self.counts["bytes_received"] += len(data)
            came += len(data)
            for packet in self._decoder(data):
                if packet is None:
                    return "damaged"
                if packet.kind == Kind.REFUSED and packet.payload == bytes((Reason.DAMAGED,)):
                    return "refused"
                fits = (packet.session, packet.sequence) == (request.session, request.sequence)
                if fits and packet.kind in _ANSWERS[Kind(request.kind)]:
                    return packet
                if fits and packet.kind == Kind.REFUSED:
                    raise _SessionLost
            if came > BABBLE or time.monotonic() > until:
                return "damaged"
        return "silent"

    def _quiet(self) -> None:
        """Let what is still coming pass."""
        came, until = 0, time.monotonic() + DRIP * self._patience
        while came <= BABBLE and time.monotonic() < until and (data := self._line.read(GAP)):
            self.counts["bytes_received"] += len(data)
            came += len(data)
        self._decoder = Decoder()


def _little(beats: np.ndarray) -> np.ndarray:
    return beats.astype(beats.dtype.newbyteorder("<"), copy=False)
