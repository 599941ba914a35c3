"""What is typed after an option, turned into a value.

Each function takes what was typed and returns its normal form, or raises `ValueError` with what is
wrong and what to use.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from streampool_golden import SpecError, float32_ratio
from streampool_golden.fields import GLOBAL, MOST_AXES, NAMED_PADDINGS, scale

from ..refusals import shown


def sizes(text: str) -> int | tuple[int, ...]:
    """``3`` for every axis, ``3x2`` for rows x columns, ``2x3x3`` for planes before them."""
    if not re.fullmatch(r"-?\d+(x-?\d+)*", text):
        raise ValueError(
            f"{shown(text)} is no size; a number such as 3, or rows x columns such as 3x2, would do"
        )
    each = tuple(_number(part, text) for part in text.split("x"))
    return each[0] if len(each) == 1 else each


def lengths(text: str) -> tuple[int, ...]:
    """Sizes of a map: each at least 1, and one for each axis."""
    each = sizes(text)
    result = each if isinstance(each, tuple) else (each,)
    if min(result) < 1:
        raise ValueError(f"{shown(text)} has a length below 1; 1 or more would do")
    return result


def kernel(text: str) -> str | int | tuple[int, ...]:
    """Sizes, or all of a frame."""
    return GLOBAL if text.lower() == GLOBAL else sizes(text)


def padding(text: str) -> Any:
    """A name, or one value an axis, each ``both`` or ``before:after``."""
    name = text.lower().replace("-", "_")
    if name in NAMED_PADDINGS:
        return name
    if not re.fullmatch(r"-?\d+(:-?\d+)?(x-?\d+(:-?\d+)?)*", text):
        raise ValueError(
            f"{shown(text)} is no padding; 1, 1x0, 0:1x0:1 (before:after for each axis), "
            "same, same-lower or valid would do"
        )
    if ":" not in text:
        return sizes(text)
    axes = [part.split(":") for part in text.split("x")]
    return tuple((_number(axis[0], text), _number(axis[-1], text)) for axis in axes)


def clamp(text: str) -> tuple[int, int]:
    """``LOW:HIGH``."""
    match = re.fullmatch(r"(-?\d+):(-?\d+)", text)
    if not match:
        raise ValueError(f"{shown(text)} is no range; LOW:HIGH such as 0:6 would do")
    return _number(match[1], text), _number(match[2], text)


def pair(text: str) -> tuple[int, int]:
    """``IN:OUT``, or one for both."""
    match = re.fullmatch(r"(-?\d+)(?::(-?\d+))?", text)
    if not match:
        raise ValueError(
            f"{shown(text)} is no pair of zero points; IN:OUT such as 3:-5, or 3 for both, would do"
        )
    return _number(match[1], text), _number(match[2] or match[1], text)


def ratio(text: str) -> Fraction:
    """Whole numbers as they are, decimals as the float32 that a runtime holds."""
    number = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    match = re.fullmatch(f"({number})(?:/({number}))?", text)
    above, below = (match[1], match[2] or "1") if match else ("0", "0")
    if not match or not float(above) or not float(below):
        raise ValueError(
            f"{shown(text)} is no scale; input over output such as 0.02/0.05, or 3/4, would do"
        )
    try:
        if above.isdecimal() and below.isdecimal():
            return scale(Fraction(_number(above, text), _number(below, text)))
        return scale(float32_ratio(float(above), float(below)))
    except SpecError:
        raise ValueError(
            f"{shown(text)} is out of range, or its ratio is; 0.02/0.05, or 3/4, would do"
        ) from None


def shape(text: str) -> tuple[int, ...]:
    """Channels, then the spatial sizes."""
    each = sizes(text)
    if isinstance(each, int) or not 2 <= len(each) <= 1 + MOST_AXES or min(each) < 1:
        raise ValueError(
            f"{shown(text)} is no shape; channels x rows x columns such as 3x224x224, "
            "channels x steps such as 8x100, or planes before the rows, would do"
        )
    return each


def integer(text: str) -> int:
    """Any whole number."""
    if not re.fullmatch(r"-?\d+", text):
        raise ValueError(f"{shown(text)} is no whole number")
    return _number(text, text)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = integer(text)
    if value < 1:
        raise ValueError(f"{shown(text)} is too small; 1 or more would do")
    return value


def natural(text: str) -> int:
    """A whole number of at least 0."""
    value = integer(text)
    if value < 0:
        raise ValueError(f"{shown(text)} is too small; 0 or more would do")
    return value


def seed(text: str) -> int:
    """A seed: a whole number from 0 to 2**32 - 1."""
    value = integer(text)
    if not 0 <= value < 2**32:
        raise ValueError(f"{shown(text)} is no seed; 0 to 4294967295 would do")
    return value


def probability(text: str) -> float:
    """A probability p with 0 <= p < 1."""
    value = _float(text)
    if not 0 <= value < 1:
        raise ValueError(
            f"{shown(text)} is no probability to stall with; 0 or more and less than 1 would do"
        )
    return value


def megahertz(text: str) -> float:
    """A clock in MHz."""
    from ..simulation import FREQ_MHZ

    value = _float(text)
    low, high = FREQ_MHZ
    if not low <= value <= high:
        raise ValueError(f"{shown(text)} is no clock in MHz; {low:g} to {high:g} would do")
    return value


def named(*names: str) -> Callable[[str], str]:
    """Return what takes one of `names`, with dashes or underscores, in any case."""
    return one_of(*names, normal=lambda text: text.lower().replace("-", "_"))


def one_of(*names: str, normal: Callable[[str], str] = str) -> Callable[[str], str]:
    """Return what takes one of `names`, which `normal` makes of what was typed."""

    def parse(text: str) -> str:
        name = normal(text)
        if name not in names:
            raise ValueError(f"{shown(text)} is not one of {', '.join(names)}")
        return name

    return parse


def _number(digits: str, text: str) -> int:
    try:
        return int(digits)
    except ValueError:  # Python reads no more than some thousands
        raise ValueError(f"{shown(text)} has too many digits; use fewer") from None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
