"""The square root of a number, digit by digit."""

from functools import partial
from math import isqrt
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value, unsigned

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


class SquareRoot(Block):
    """Find the root of ``v``, of `bits`, rounded once, one bit per clock.

    From the top, the remainder with the next two bits of ``v`` behind it is compared with
    ``4 * root + 1``, and the difference kept where there is one (the schoolbook method in base 2;
    Woo, "Square root by abacus algorithm", 1985). To the nearest, ``v`` is four times the number,
    whose root is ``(isqrt(v) + 1) >> 1``.

    Latency: ``ceil(bits / 2) + 2`` clocks; ``ceil(bits / 2) + 1`` where it is rounded down.
    """

    TAKES: ClassVar = Radicand

    def __init__(self, bits: int, rounding: str):
        self._rounding = rounding
        self._digits = digits = -(-bits // 2)
        steps = [Step(self._first), *(Step(partial(self._digit, n)) for n in range(1, digits))]
        if self.rounds_to_nearest(rounding):
            steps += [Step(self._choose), Step(self._add)]
        else:
            steps.append(Step(lambda m, lane, beat: Number(lane.root)))
        super().__init__(
            steps, {"value": unsigned(bits), "exact": 1}, {"value": unsigned(max(1, digits))}
        )

    @staticmethod
    def rounds_to_nearest(rounding: str) -> bool:
        """Return whether a root is rounded to the nearest, which takes four times its square."""
        return rounding not in ("floor", "trunc")

    def _first(self, m: Module, lane: Radicand, beat: Bundle) -> _Rooted:
        none = Const(0, 0)
        rest = lane.value | Const(0, 2 * self._digits)
        return self._digit(0, m, _Rooted(none, none, rest, lane.exact), beat)

    def _digit(self, done: int, m: Module, lane: _Rooted, beat: Bundle) -> _Rooted:
        """Find one more bit of the root, of which there are `done`."""
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

    def _choose(self, m: Module, lane: _Rooted, beat: Bundle) -> _Chosen:
        # halfway: the smaller one where that is even
        tie = lane.exact & (lane.remainder == 0) & ~(lane.root >> 1)[0]
        even = self._rounding == "half_even"
        return _Chosen(lane.root, lane.root[0] & ~(tie if even else Const(0, 1)))

    def _add(self, m: Module, lane: _Chosen, beat: Bundle) -> Number:
        return Number(((lane.root >> 1) + lane.up)[: max(1, self._digits)])

    def model(self, value: int, exact: int) -> int:
        """Return the root of ``value``, or to the nearest half of it, rounded."""
        root = isqrt(value)
        if not self.rounds_to_nearest(self._rounding):
            return root
        tie = exact and root * root == value and root % 4 == 1 and self._rounding == "half_even"
        return (root + 1 - tie) >> 1
