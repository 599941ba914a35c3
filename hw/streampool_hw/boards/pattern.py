"""What a self-test streams, and what has to come out: the twin of its generator in NumPy."""

import zlib

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
    """Return the frames of a round, as the generator streams them.

    Each value of a beat is the lowest bits of a register of its own, which takes as many steps per
    beat.
    """
    layout, dtype = job.layout_in, job.spec.in_dtype
    values = [_values(seed, dtype, count * job.beats_in) for seed in seeds(layout.values)]
    return layout.unpack(np.stack(values, axis=-1)).reshape(count, *job.shape)


def _values(seed: int, dtype: DType, count: int) -> np.ndarray:
    """Return the values of one register, its lowest bits, as the type has them."""
    bits = states(seed, dtype.bits, count).astype(np.int64) & (1 << dtype.bits) - 1
    if dtype.signed:
        bits -= (bits > dtype.high) * np.int64(1 << dtype.bits)
    return bits.astype(dtype.raw.numpy).view(dtype.numpy)


def checksums(job: PoolJob, pooled: np.ndarray) -> tuple[int, ...]:
    """Return the CRC-32 of each value of a beat in a round of frames, which are pooled already.

    It is that of zlib, of the lane's values (with several columns those of the lane and column) in
    the order in which they leave, each in the bytes of its NumPy type, the lowest first. What is
    spare, lanes of the last channel group and columns beyond a row's end, gives nothing.
    """
    raw = job.output.raw.numpy
    little = pooled.astype(job.output.numpy, copy=False).view(raw)
    little = little.astype(raw.newbyteorder("<"), copy=False)
    layout = job.layout_out
    beats = layout.pack(little).reshape(-1, layout.row_beats, layout.values)
    return tuple(
        zlib.crc32(beats[:, ~spare, value].tobytes()) for value, spare in enumerate(layout.spare.T)
    )


def expected(job: PoolJob, count: int = FRAMES) -> tuple[int, ...]:
    """Return the checksums that a right core gives, by the golden model."""
    return checksums(job, pool(job.spec, frames(job, count)))
