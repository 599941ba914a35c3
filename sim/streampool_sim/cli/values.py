"""What is typed after an option, turned into a value.

Each function takes what was typed and returns its normal form, or raises `ValueError` with what is
wrong and what to use. Ranges that golden refuses are left to it.
"""

import math
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from streampool_golden import SpecError
from streampool_golden.errors import did_you_mean, shown
from streampool_golden.fields import GLOBAL, MOST_AXES, NAMED_PADDINGS, scale

from .command import dashed, one_of

WHOLE = r"-?\d{1,99}"
"""A whole number, of fewer digits than Python refuses to read."""
DECIMAL = r"-?\d{1,99}(?:\.\d{1,99})?(?:e[-+]?\d{1,3})?"
"""A number with a fraction or an exponent."""


def sizes(text: str) -> int | tuple[int, ...]:
    """``3`` for every axis, ``3x2`` for rows x columns, ``2x3x3`` for planes before them."""
    if not re.fullmatch(f"{WHOLE}(x{WHOLE})*", text):
        raise ValueError(
            f"{shown(text)} is no size; use a number such as 3, or rows x columns such as 3x2"
        )
    first, *others = map(int, text.split("x"))
    return (first, *others) if others else first


def lengths(text: str) -> tuple[int, ...]:
    """Sizes of a map, one for each axis."""
    each = sizes(text)
    return each if isinstance(each, tuple) else (each,)


def kernel(text: str) -> str | int | tuple[int, ...]:
    """Sizes, or all of a frame."""
    return GLOBAL if text.lower() == GLOBAL else sizes(text)


def padding(text: str) -> Any:
    """A name, or one value per axis, each ``both`` or ``before:after``."""
    name = text.lower().replace("-", "_")
    if name in NAMED_PADDINGS:
        return name
    if not re.fullmatch(f"{WHOLE}(:{WHOLE})?(x{WHOLE}(:{WHOLE})?)*", text):
        uses = "; use 1, 1x0, 0:1x0:1 (before:after for each axis), same, same-lower or valid"
        near = did_you_mean(text, map(dashed, NAMED_PADDINGS))
        raise ValueError(f"{shown(text)} is no padding{near or uses}")
    if ":" not in text:
        return sizes(text)
    axes = [part.split(":") for part in text.split("x")]
    return tuple((int(axis[0]), int(axis[-1])) for axis in axes)


def clamp(text: str) -> tuple[float, float]:
    """``LOW:HIGH``, of floats with fractions or ``inf``."""
    end = rf"{WHOLE}|-?inf|{DECIMAL}"
    if not re.fullmatch(f"({end}):({end})", text):
        raise ValueError(f"{shown(text)} is no range; use LOW:HIGH such as 0:6")
    low, high = (int(e) if re.fullmatch(WHOLE, e) else float(e) for e in text.split(":"))
    return low, high


def pair(text: str) -> tuple[int, int]:
    """``IN:OUT``, or one for both."""
    if not re.fullmatch(f"{WHOLE}(:{WHOLE})?", text):
        raise ValueError(
            f"{shown(text)} is no pair of zero points; use IN:OUT such as 3:-5, or 3 for both"
        )
    ends = text.split(":")
    return int(ends[0]), int(ends[-1])


def ratio(text: str) -> Fraction:
    """Whole numbers as they are, decimals as the float32 that a runtime holds."""
    try:
        return scale(text if "/" in text else f"{text}/1")
    except SpecError:
        raise ValueError(
            f"{shown(text)} is no scale, or is out of range; use input over output such as"
            " 0.02/0.05, or 3/4"
        ) from None


def shape(text: str) -> tuple[int, ...]:
    """Channels, then the spatial sizes."""
    each = lengths(text)
    if not 2 <= len(each) <= 1 + MOST_AXES or min(each) < 1:
        raise ValueError(
            f"{shown(text)} is no shape; use channels x rows x columns such as 3x224x224, "
            "channels x steps such as 8x100, or planes before the rows"
        )
    return each


def several(names: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what takes some of `names`, with commas between."""
    one = one_of(names)
    return lambda text: tuple(one(name.strip()) for name in text.split(","))


def number(
    kind: Callable[[str], float], use: str, low: float = -math.inf, high: float = math.inf
) -> Callable[[str], Any]:
    """Return what takes a number of a kind from `low` to `high`; `use` says so in words."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"{shown(text)} is not possible; use {use}")
        return value

    return parse


def _whole(text: str) -> int:
    if not re.fullmatch(WHOLE, text):
        raise ValueError(text)
    return int(text)


integer = number(_whole, "a whole number")
natural = number(_whole, "a whole number of 0 or more", 0)
positive = number(_whole, "a whole number of 1 or more", 1)
seed = number(_whole, "a whole number from 0 to 4294967295", 0, 2**32 - 1)
probability = number(float, "a number of 0 or more and less than 1", 0, math.nextafter(1, 0))


def stalls(text: str) -> tuple[float, float]:
    """``IN:OUT``, the probability that each side is idle in a clock."""
    ends = text.split(":")
    if len(ends) != 2:
        raise ValueError(f"{shown(text)} is no pair of probabilities; use IN:OUT such as 0.5:0")
    source, sink = map(probability, ends)
    return source, sink


BOARD = "board:"
"""What stands before a port, where an engine is a board."""


def engine(text: str) -> str:
    """An engine's name, or a board's port."""
    from ..simulation import ENGINES

    head, colon, port = text.partition(":")
    if colon and head.lower() == BOARD[:-1]:
        if not port:
            raise ValueError(f"{shown(text)} has no port; use one such as board:/dev/ttyUSB1")
        return BOARD + port
    return one_of((*ENGINES, "board:PORT"))(text)


def megahertz(text: str) -> float:
    """A clock in MHz."""
    from ..simulation import FREQ_MHZ

    return number(float, "{:g} to {:g} MHz".format(*FREQ_MHZ), *FREQ_MHZ)(text)
