"""What goes wrong on a line, and frames to send over it."""

from collections.abc import Iterable, Iterator

import numpy as np
from streampool_golden import PoolJob

FAULTS = ("lose", "double", "flip", "flag", "escape")


def frames_of(job: PoolJob, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (count, *job.shape)
    return rng.integers(job.input.low, job.input.high, shape, job.input.numpy, endpoint=True)


class Spoiler:
    """Spoil bytes where a schedule says so: how many pass before each fault, and which it is."""

    def __init__(self, faults: Iterable[tuple[int, str]]):
        self._faults = iter(faults)
        self.passed = self.spoilt = 0
        self._next()

    def _next(self) -> None:
        self._left, self._fault = next(self._faults, (1 << 60, ""))

    def __call__(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            self.passed += 1
            self._left -= 1
            if self._left >= 0:
                out.append(byte)
                continue
            out += {
                "lose": b"",
                "double": bytes((byte, byte)),
                "flip": bytes((byte ^ 0x10,)),
                "flag": b"\x7e",
                "escape": b"\x7d",
            }[self._fault]
            self.spoilt += 1
            self._next()
        return bytes(out)


def random_faults(seed: int, apart: int) -> Iterator[tuple[int, str]]:
    """Yield faults for ever, about so many bytes apart."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(2 * apart)), FAULTS[rng.integers(len(FAULTS))]
