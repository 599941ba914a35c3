"""Stalls, gaps and rubbish from a seed, the same in every engine.

Each value is a hash of (seed, purpose, cycle), so an engine can ask for any clock in any order.
The hash is the output function of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014). `driver.cc` has the same in C++.
"""

import numpy as np

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
"""SplitMix64's increment: 2**64 divided by the golden ratio."""

SOURCE, SINK, RUBBISH = 1, 2, 3
"""What a stream of random numbers is for."""

_MASK = 2**64 - 1


def mix(z: int) -> int:
    """Hash 64 bits to 64 bits, SplitMix64's way."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def base(seed: int, purpose: int) -> int:
    """Where the stream of numbers for a seed and a purpose begins."""
    return mix(seed + purpose * GOLDEN_GAMMA)


def threshold(probability: float) -> int:
    """The number that a hash is below with this probability: below 1, or nothing would move."""
    if not 0 <= probability < 1:
        raise ValueError(f"stall {probability:g} is no probability below 1; use 0 <= stall < 1")
    return int(probability * 2**64)


def hashes(start: int, first: int, count: int) -> np.ndarray:
    """Return the hashes number `first` to `first + count - 1` of a stream, uint64."""
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(first, first + count, dtype=np.uint64) * np.uint64(
            GOLDEN_GAMMA
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def rubbish(start: int, cycle: int, bits: int) -> int:
    """What a payload of `bits` bits shows at a cycle in which it is not valid."""
    words = -(-bits // 32)
    value = 0
    for word in range(words):
        number = cycle * words + word
        value |= (mix(start + number * GOLDEN_GAMMA) >> 32) << (32 * word)
    return value & ((1 << bits) - 1)
