"""Rounds of numbers by a shift register, where an adder would be slow: of integers and of gates.

Shift registers that feed back the sum of a few of their bits go through all numbers but 0 (Golomb,
Shift Register Sequences, 1967). Counters and pointers need rounds, and no order.
"""

from typing import Any

TAPS = {
    3: (3, 2),
    4: (4, 3),
    5: (5, 3),
    6: (6, 5),
    7: (7, 6),
    8: (8, 6, 5, 4),
    9: (9, 5),
    10: (10, 7),
    11: (11, 9),
    12: (12, 6, 4, 1),
    13: (13, 4, 3, 1),
    14: (14, 5, 3, 1),
    15: (15, 14),
    16: (16, 15, 13, 4),
}
"""The bits that are fed back, counted from 1, by the bits of a register: primitive polynomials."""


def shifted(number: Any, bits: int, *, whole: bool = False, flip: Any = 0) -> Any:
    """Return the number after another one, an integer or a value, in a round of ``2 ** bits - 1``.

    A `whole` round has 0, too. `flip` is 1 where the bit that comes in is inverted.
    """
    came = flip
    for tap in TAPS[bits]:
        came = came ^ (number >> tap - 1 & 1)
    if whole:
        came = came ^ (number & (1 << bits - 1) - 1 == 0)
    return (number << 1 & (1 << bits) - 1) | came
