"""The square, cube or fourth root of a number, digit by digit.

**A digit.** Let ``r`` be the p-th root of ``v``, rounded down, and ``rest = v - r**p``. With p more
bits behind it v is ``v' = 2**p v + b``, and its root rounded down is ``2 r`` or ``2 r + 1``, as
``(2 r)**p <= 2**p v <= v'`` and, from ``v + 1 <= (r + 1)**p``, ``v' < (2 r + 2)**p``. It is the odd
one just where ``(2 r + 1)**p <= v'``, that is, where what is left of ``2**p rest + b`` is not
negative after ``(2 r + 1)**p - (2 r)**p`` is taken off:

- p = 2: ``4 r + 1``. As ``v < (r + 1)**2``, a rest is at most ``2 r``.
- p = 3: ``t = 12 r**2 + 6 r + 1``. As ``v < (r + 1)**3``, a rest is at most ``3 r**2 + 3 r``. The
  next t, of ``2 r``, is ``48 r**2 + 12 r + 1 == 4 t - (12 r + 3)``; of ``2 r + 1`` it is
  ``48 r**2 + 60 r + 19 == 4 t + 36 r + 15``.

**The fourth root** is the square root of the square root: ``r**4 <= v`` just where
``r**2 <= sqrt(v)``, and so where ``r**2 <= floor(sqrt(v))``, since r**2 is whole.

**To the nearest.** Of a quotient x >= 0, half up, it is the largest m with ``m - 1/2`` not beyond
the root: ``(2 m - 1)**p <= 2**p x`` (m = 0 always serves). The left side is whole, so that is
``(2 m - 1)**p <= floor(2**p x)``, that is, ``2 m - 1 <= r`` for r the root of ``floor(2**p x)``
rounded down, and so ``m == (r + 1) >> 1``. A tie is where ``(2 m - 1)**p == 2**p x``: where r is
odd, nothing was rounded down before, and nothing is left of the root. Then m is odd, and half to
even takes ``m - 1``, just where ``r % 4 == 1``.

tests/proofs/exact.py checks all that is said here on the numbers that cores have.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value, unsigned
from streampool_golden.rounding import floor_root

from ..datapath.pipeline import Bundle, Step
from .block import Block, Number


class Radicand(Number):
    """A number rounded down, and whether it is exactly that."""

    exact: Value


class _Rooted(Bundle):
    root: Value
    remainder: Value
    rest: Value
    exact: Value


class _Chosen(Bundle):
    root: Value
    up: Value


class Radicands(Block):
    """A whole number of `bits`, shifted left, as what a root is taken of. Latency: 1 clock."""

    def __init__(self, bits: int, shift: int):
        self._shift = shift
        o = {"value": unsigned(bits + shift), "exact": 1}
        super().__init__([Step(self._scale)], {"value": unsigned(bits)}, o)

    def _scale(self, m: Module, lane: Number, beat: Bundle) -> Radicand:
        return Radicand(lane.value << self._shift, Const(1, 1))

    def model(self, value: int) -> tuple[int, int]:
        """Return the number shifted, and that it is exact."""
        return value << self._shift, 1


def rounds_to_nearest(rounding: str) -> bool:
    """Return whether a root is rounded to the nearest; it then takes ``2**degree`` times it."""
    return rounding not in ("floor", "trunc")


class _Root(Block):
    """Find the root of ``v``, of `bits`, rounded once; `digit` are the steps that find a bit.

    From the top, the remainder with the next bits of ``v`` behind it is compared with what one more
    bit would take off it, and the difference kept where there is one (the schoolbook method in base
    2; Woo, "Square root by abacus algorithm", 1985). To the nearest, ``v`` is ``2**degree`` times
    the number, whose root is ``(root + 1) >> 1``.

    With `between` the root is rounded down, and what leaves is a radicand again.
    """

    TAKES: ClassVar = Radicand
    DEGREE: ClassVar[int]

    def __init__(self, bits: int, rounding: str, digit: Sequence[Any], *, between: bool = False):
        self._rounding, self._between = "floor" if between else rounding, between
        self._digits = digits = -(-bits // self.DEGREE)
        steps = [Step(partial(part, n)) for n in range(digits) for part in digit]
        if rounds_to_nearest(self._rounding):
            steps += [Step(self._choose), Step(self._add)]
        else:
            steps.append(Step(self._leave))
        o = {"value": unsigned(max(1, digits)), **({"exact": 1} if between else {})}
        super().__init__(steps, {"value": unsigned(bits), "exact": 1}, o)

    def _choose(self, m: Module, lane: Any, beat: Bundle) -> _Chosen:
        # halfway: the smaller one where that is even
        tie = lane.exact & (lane.remainder == 0) & ~(lane.root >> 1)[0]
        even = self._rounding == "half_even"
        return _Chosen(lane.root, lane.root[0] & ~(tie if even else Const(0, 1)))

    def _add(self, m: Module, lane: _Chosen, beat: Bundle) -> Number:
        return Number(((lane.root >> 1) + lane.up)[: max(1, self._digits)])

    def _leave(self, m: Module, lane: Any, beat: Bundle) -> Number | Radicand:
        if not self._between:
            return Number(lane.root)
        return Radicand(lane.root, lane.exact & (lane.remainder == 0))

    def model(self, value: int, exact: int) -> int | tuple[int, int]:
        """Return the root of ``value``, or to the nearest half of it, rounded."""
        root = floor_root(value, self.DEGREE)
        whole = exact and root**self.DEGREE == value
        if self._between:
            return root, int(whole)
        if not rounds_to_nearest(self._rounding):
            return root
        return (root + 1 - (whole and root % 4 == 1 and self._rounding == "half_even")) >> 1


class SquareRoot(_Root):
    """Find a square root; what one more bit takes off is ``4 * root + 1``.

    Latency: ``ceil(bits / 2) + 2`` clocks; ``ceil(bits / 2) + 1`` where it is rounded down.
    """

    DEGREE = 2

    def __init__(self, bits: int, rounding: str, *, between: bool = False):
        super().__init__(bits, rounding, [self._digit], between=between)

    def _digit(self, done: int, m: Module, lane: Radicand | _Rooted, beat: Bundle) -> _Rooted:
        """Find one more bit of the root, of which there are `done`."""
        if isinstance(lane, Radicand):
            none, rest = Const(0, 0), lane.value | Const(0, 2 * self._digits)
            lane = _Rooted(none, none, rest, lane.exact)
        left = 2 * (self._digits - done)  # bits not looked at yet
        trial = Cat(lane.rest[left - 2 : left], lane.remainder)
        # a remainder is at most 2 * root
        difference = (trial - Cat(Const(1, 2), lane.root))[: done + 3]
        below = difference[-1]
        return _Rooted(
            Cat(~below, lane.root),
            Mux(below, trial, difference)[: done + 2],
            lane.rest[: left - 2],
            lane.exact,
        )


class _CubeRooted(_Rooted):
    trial: Value


class _Tried(_CubeRooted):
    difference: Value
    triple: Value
    ninefold: Value


class CubeRoot(_Root):
    """Find a cube root; what one more bit takes off is ``12 root**2 + 6 root + 1``, the trial.

    It goes on from bit to bit: four times itself, and ``36 root + 15`` where the bit is 1, or less
    ``12 root + 3`` where it is 0.

    Latency: ``2 * ceil(bits / 3) + 2`` clocks; ``2 * ceil(bits / 3) + 1`` where it is rounded down.
    """

    DEGREE = 3

    def __init__(self, bits: int, rounding: str):
        super().__init__(bits, rounding, [self._try, self._keep])

    def _try(self, done: int, m: Module, lane: Radicand | _CubeRooted, beat: Bundle) -> _Tried:
        """Take the trial off the remainder with the next three bits behind it."""
        if isinstance(lane, Radicand):
            none, rest = Const(0, 0), lane.value | Const(0, 3 * self._digits)
            lane = _CubeRooted(none, none, rest, lane.exact, Const(1, 1))
        left = 3 * (self._digits - done)  # bits not looked at yet
        # a remainder is at most 3 root**2 + 3 root
        remainder = Cat(lane.rest[left - 3 : left], lane.remainder)
        difference = (remainder - lane.trial)[: 2 * done + 6]
        root = lane.root
        return _Tried(
            *(root, remainder, lane.rest[: left - 3], lane.exact, lane.trial, difference),
            triple=(root + (root << 1))[: done + 2],
            ninefold=(root + Cat(Const(3, 3), root))[: done + 4],  # and 3
        )

    def _keep(self, done: int, m: Module, lane: _Tried, beat: Bundle) -> _CubeRooted:
        """Keep the difference where there is one, and work out the next trial."""
        below = lane.difference[-1]
        less, more = Cat(Const(3, 2), lane.triple), Cat(Const(3, 2), lane.ninefold)
        trial = ((lane.trial << 2) + Mux(below, -less, more))[: 2 * done + 6]
        return _CubeRooted(
            Cat(~below, lane.root),
            Mux(below, lane.remainder, lane.difference)[: 2 * done + 4],
            lane.rest,
            lane.exact,
            trial if done + 1 < self._digits else Const(0, 0),
        )


def roots(bits: int, degree: int, rounding: str) -> list[Block]:
    """Return the blocks that find a root; the fourth is the square root of the square root."""
    if degree == 4:
        first = SquareRoot(bits, rounding, between=True)
        return [first, SquareRoot(Shape.cast(first.o["value"].shape).width, rounding)]
    return [{2: SquareRoot, 3: CubeRoot}[degree](bits, rounding)]
