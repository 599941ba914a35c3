"""What a self-test streams, and what has to come out: the twin of its generator in NumPy."""

import zlib
from collections.abc import Sequence

import numpy as np
from streampool_golden import DType, PoolJob, pool

BITS = 32
"""Width of every shift register of a self-test."""
FRAMES = 4
"""Frames of a round, unless something else is asked for."""

# The polynomial of CRC-32 without its highest term; it is primitive, so that a register that
# does not start with 0 comes by all other states.
_POLYNOMIAL = 0x04C11DB7
_SEED = 0x5EED


def leaps(steps: int) -> np.ndarray:
    """Return what each bit of a register, alone, becomes in some steps.

    In a step the register is shifted up by one, and the polynomial is added where a 1 fell out.
    So steps are linear: a state becomes the exclusive or of what its bits become.
    """
    state = np.uint64(1) << np.arange(BITS, dtype=np.uint64)
    for _ in range(steps):
        state = (state << 1 & (1 << BITS) - 1) ^ (state >> BITS - 1) * _POLYNOMIAL
    return state


def seeds(values: int) -> tuple[int, ...]:
    """Return the states that the registers of a beat's values begin with, none of them 0."""
    rng = np.random.default_rng(_SEED)
    return tuple(int(value) for value in rng.integers(1, 1 << BITS, values, np.uint64))


def states(seed: int, steps: int, count: int) -> np.ndarray:
    """Return the first `count` states of a register, `steps` steps apart, from `seed` on."""
    found, units = np.array([seed], np.uint64), leaps(steps)
    while len(found) < count:
        found = np.concatenate((found, _leapt(found, units)))
        units = _leapt(units, units)  # twice as far
    return found[:count]


def _leapt(found: np.ndarray, units: np.ndarray) -> np.ndarray:
    further = np.zeros_like(found)
    for bit, unit in enumerate(units):
        further ^= (found >> bit & 1) * unit
    return further


def frames(job: PoolJob, count: int = FRAMES) -> np.ndarray:
    """Return the frames of a round of one job, as the generator streams them.

    Each value of a beat is the lowest bits of a register of its own, which takes as many steps per
    beat.
    """
    return frames_in_turn([job], count)[0]


def frames_in_turn(jobs: Sequence[PoolJob], count: int = FRAMES) -> list[np.ndarray]:
    """Return the frames of a round, so many of each job; a frame of each is streamed in turn."""
    (bits,) = {job.spec.in_dtype.bits for job in jobs}
    (values,) = {job.layout_in.values for job in jobs}
    ends = np.cumsum([job.beats_in for job in jobs])
    streamed = np.stack([states(seed, bits, count * ends[-1]) for seed in seeds(values)], axis=-1)
    each = np.split(streamed.reshape(count, ends[-1], values), ends[:-1], axis=1)
    return [
        job.layout_in.unpack(_values(part, job.spec.in_dtype).reshape(-1, values)).reshape(
            count, *job.shape
        )
        for job, part in zip(jobs, each, strict=True)
    ]


def _values(registers: np.ndarray, dtype: DType) -> np.ndarray:
    """Return the values of registers, their lowest bits, as the type has them."""
    bits = registers.astype(np.int64) & (1 << dtype.bits) - 1
    if dtype.signed:
        bits -= (bits > dtype.high) * np.int64(1 << dtype.bits)
    return bits.astype(dtype.raw.numpy).view(dtype.numpy)


def value_bytes(jobs: Sequence[PoolJob]) -> int:
    """Return the bytes of a value that leaves: those of the widest job's NumPy type."""
    return max(job.output.numpy.itemsize for job in jobs)


def checksums(jobs: Sequence[PoolJob], pooled: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Return the CRC-32 of each value of a beat in a round of frames, which are pooled already.

    It is that of zlib, of the lane's values (with several columns those of the lane and column) in
    the order in which they leave, each in the bytes of its NumPy type, the lowest first, and of
    several jobs in those of the widest one's. What is spare, lanes of the last channel group and
    columns beyond a row's end, gives nothing.
    """
    size = value_bytes(jobs)
    values: list[list[list[bytes]]] = []
    for job, frames in zip(jobs, pooled, strict=True):
        each = frames.astype(job.output.numpy, copy=False)
        if not job.output.is_float:
            each = each.astype(f"{each.dtype.kind}{size}")
        raw, layout = np.dtype(f"u{size}"), job.layout_out
        little = each.view(raw).astype(raw.newbyteorder("<"), copy=False)
        beats = layout.pack(little).reshape(len(frames), -1, layout.row_beats, layout.values)
        values.append(
            [
                [beat[:, ~spare, value].tobytes() for beat in beats]
                for value, spare in enumerate(layout.spare.T)
            ]
        )
    return tuple(
        zlib.crc32(b"".join(b"".join(turns) for turns in zip(*of, strict=True)))
        for of in zip(*values, strict=True)
    )


def expected(jobs: Sequence[PoolJob], count: int = FRAMES) -> tuple[int, ...]:
    """Return the checksums that a right core gives, by the golden model."""
    streamed = frames_in_turn(jobs, count)
    return checksums(jobs, [pool(job.spec, x) for job, x in zip(jobs, streamed, strict=True)])
