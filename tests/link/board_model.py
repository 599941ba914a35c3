"""A board's end of the link in plain Python, from docs/link.md; bytes in, bytes out."""

from collections import deque
from collections.abc import Callable

import numpy as np
from streampool_golden import PoolJob, pool
from streampool_hw.boards.link.protocol import MOST, Decoder, Kind, Packet, Reason, about
from streampool_sim.frames import container


class ModelCore:
    """A core, by the golden model: bytes of beats in, bytes of beats out, and room for a few."""

    def __init__(self, job: PoolJob):
        self._job = job
        self.clear()

    def clear(self) -> None:
        self._taken, self._given = bytearray(), bytearray()

    def put(self, data: bytes) -> int:
        """Take bytes in, as many as there is room for."""
        if len(self._given) > 3 * MOST:
            return 0
        self._taken += data
        raw = container(self._job.fields_in[0]).newbyteorder("<")
        each = self._job.beats_in * self._job.lanes * raw.itemsize
        while len(self._taken) >= each:
            beats = np.frombuffer(bytes(self._taken[:each]), raw).reshape(1, -1, self._job.lanes)
            frames = self._job.layout_in.unpack(beats).reshape(1, *self._job.shape)
            pooled = pool(self._job.spec, frames.astype(self._job.input.numpy))
            raw_out = container(self._job.fields_out[0]).newbyteorder("<")
            self._given += self._job.layout_out.pack(pooled).astype(raw_out).tobytes()
            del self._taken[:each]
        return len(data)

    def get(self, most: int) -> bytes:
        part = bytes(self._given[:most])
        del self._given[:most]
        return part


class ModelBoard:
    """What docs/link.md says of a board; its button is `press`."""

    def __init__(self, job: PoolJob):
        self._core, self._info = ModelCore(job), about(job, "model", 12e6, job.cycles_bound)
        self.press()

    def press(self) -> None:
        self._core.clear()
        self._decoder, self._session, self._last = Decoder(), None, 0
        self._waits, self._kept = b"", Packet(Kind.TAKEN, 0, 0)

    def __call__(self, data: bytes) -> bytes:
        """Take bytes from the line, and return those that are sent."""
        return b"".join(self._carried(packet).encoded() for packet in self._decoder(data))

    def _carried(self, packet: Packet | None) -> Packet:
        if packet is None:
            return Packet(Kind.REFUSED, 0, 0, bytes((Reason.DAMAGED,)))
        reply = (packet.sequence, packet.session)
        if packet.kind == Kind.INFO:
            return Packet(Kind.INFO_IS, *reply, self._info)
        if packet.kind == Kind.RESET:
            self.press()
            self._session, self._last = packet.session, packet.sequence
            self._kept = Packet(Kind.TAKEN, *reply)
            return Packet(Kind.WAS_RESET, *reply)
        if packet.kind == Kind.DATA and packet.session == self._session:
            if packet.sequence == self._last:
                return self._kept
            fits = packet.sequence == (self._last + 1) % 256
            if fits and not (self._waits and packet.payload):
                self._last = packet.sequence
                self._waits = self._waits or packet.payload
                self._waits = self._waits[self._core.put(self._waits) :]
                kind = Kind.WAITING if self._waits else Kind.TAKEN
                self._kept = Packet(kind, *reply, self._core.get(MOST))
                return self._kept
        return Packet(Kind.REFUSED, *reply, bytes((Reason.SEQUENCE,)))


Way = Callable[[bytes], bytes]


class ModelLine:
    """A line to a model of a board, on which time does not pass.

    `spoil` is what happens to bytes on the way to the board; `spoil_back`, on the way back.
    """

    name = "the model"

    def __init__(self, board: Way, spoil: Way = bytes, spoil_back: Way = bytes):
        self._board, self._spoil, self._spoil_back = board, spoil, spoil_back
        self._there: deque[bytes] = deque()

    def write(self, data: bytes) -> None:
        if back := self._spoil_back(self._board(self._spoil(data))):
            self._there.append(back)

    def read(self, seconds: float) -> bytes:
        return self._there.popleft() if self._there else b""
