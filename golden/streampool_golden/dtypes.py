"""Types of values by name: integers, sub-byte ones included, and floats."""

import re
from dataclasses import dataclass

import numpy as np

from .errors import SpecError, did_you_mean, wrong

_NAME = re.compile(r"(u?)int([1-9][0-9]?)")
_MISSPELT = re.compile(r"(?!(u?int|b?float)[1-9]\d*$).*\d.*")  # a width, but not as names have it
FLOATS: dict[str, tuple[int, int]] = {"float16": (16, 10), "bfloat16": (16, 7), "float32": (32, 23)}
"""Bits and fraction of each float by its name in NumPy or in `ml_dtypes`.

Each has the encoding of IEEE 754's binary formats, infinities and NaNs among it.
"""


@dataclass(frozen=True)
class DType:
    """An integer type of 1 to 64 bits, or one of IEEE 754's binary formats.

    Make one with `DType.of` or `DType.holding`.

    Attributes
    ----------
    name : str
        ``"int5"``, ``"uint8"``, ... or ``"float16"``, ``"bfloat16"``, ``"float32"``.
    bits : int
        Width in bits, the sign included.
    signed : bool
        Whether it is two's complement; False for a float.
    fraction : int
        Bits of a float's fraction; 0 for an integer.
    """

    name: str
    bits: int
    signed: bool
    fraction: int = 0

    @classmethod
    def of(cls, name: object, *, field: str = "dtype", most: int = 64) -> "DType":
        """Return the type called `name`.

        Parameters
        ----------
        name : str, DType or anything that `numpy.dtype` takes
            ``"int2"`` to ``"int64"``, ``"uint1"`` to ``"uint64"``, ``"float16"``,
            ``"bfloat16"`` or ``"float32"``.
        field : str, optional
            The field that a refusal names.
        most : int, optional
            The widest integer that is taken, in bits.

        Raises
        ------
        SpecError
            If there is no such type, or it is wider than `most`.
        """
        text = name
        if isinstance(name, type) and issubclass(name, np.generic):
            text = np.dtype(name).name
        elif isinstance(name, (cls, np.dtype)):
            text = name.name
        text = str(text) if isinstance(text, str) else ""
        if text in FLOATS:
            bits, fraction = FLOATS[text]
            return cls(text, bits, False, fraction)
        match = _NAME.fullmatch(text)
        bits, signed = (int(match[2]), not match[1]) if match else (0, False)
        if 1 + signed <= bits <= most:
            return cls(text, bits, signed)
        integers = [f"{kind}int{n}" for kind in ("", "u") for n in range(2, most + 1)]
        hint = did_you_mean(text, [*integers, *FLOATS]) if _MISSPELT.fullmatch(text) else ""
        wanted = f"one of int2 to int{most}, uint1 to uint{most}, {', '.join(FLOATS)}"
        raise wrong(field, wanted, name, hint)

    @classmethod
    def holding(cls, low: int, high: int) -> "DType":
        """Return the narrowest type that holds every value from `low` to `high`, in 64 bits.

        Unsigned where `low` is not negative.
        """
        signed = low < 0
        bits = max(width(low, high), 1 + signed)  # there is no int1
        if bits > 64:
            raise SpecError(
                "dtype",
                f"dtype of {low} to {high} must have {bits} bits; use a range of 64 at most.",
            )
        return cls(f"{'' if signed else 'u'}int{bits}", bits, signed)

    @property
    def is_float(self) -> bool:
        """Whether it is a float."""
        return self.fraction > 0

    @property
    def exponent(self) -> int:
        """Bits of a float's exponent."""
        return self.bits - 1 - self.fraction

    @property
    def unit(self) -> int:
        """The power of two of which every finite value of a float is a multiple."""
        return 2 - (1 << (self.exponent - 1)) - self.fraction

    @property
    def most(self) -> int:
        """The largest finite value of a float, in multiples of ``2**unit``."""
        return ((2 << self.fraction) - 1) << ((1 << self.exponent) - 3)

    @property
    def raw(self) -> "DType":
        """The type of what a lane carries: of a float its bits as an unsigned number."""
        return DType.of(f"uint{self.bits}") if self.is_float else self

    @property
    def low(self) -> int:
        """The lowest value; of a float, of its bits as an unsigned number."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The highest value; of a float, of its bits as an unsigned number."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def numpy(self) -> np.dtype:
        """The narrowest NumPy type that holds it: its container.

        NumPy has no bfloat16 of its own; that of `ml_dtypes` is what others use too.
        """
        if self.is_float and not hasattr(np, self.name):
            import ml_dtypes  # a quarter of a second that nothing else needs

            return np.dtype(getattr(ml_dtypes, self.name))
        if self.is_float:
            return np.dtype(self.name)
        size = next(n for n in (8, 16, 32, 64) if n >= self.bits)
        return np.dtype(f"{'' if self.signed else 'u'}int{size}")

    def holds(self, low: int, high: int) -> bool:
        """Return whether every value from `low` to `high` is one of this type's."""
        return self.low <= low and high <= self.high

    def __str__(self) -> str:
        return self.name


def width(low: int, high: int) -> int:
    """Return the bits that every value from `low` to `high` needs, at least 1.

    Two's complement where `low` is negative, else unsigned.
    """
    if low < 0:
        return max((~low).bit_length(), high.bit_length() if high > 0 else 0) + 1
    return max(high.bit_length(), 1)
