"""Numbers by window or by slot as gates: a line, with what is not on it named one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Const, Mux, Value


def by_line(values: Sequence[int], index: Value, slope: int) -> Value:
    """Return ``values[index]``, which mostly are ``slope * index`` and a constant."""
    (offset, _), *_ = Counter(v - slope * i for i, v in enumerate(values)).most_common(1)
    result: Value = index * slope + offset
    for i, value in enumerate(values):
        if value != slope * i + offset:
            result = Mux(index == i, value, result)
    return result


def by_table(values: Sequence[int], index: Value) -> Value:
    """Return ``values[index]``, of a few different ones."""
    (usual, _), *_ = Counter(values).most_common(1)
    result: Value = Const(usual)
    for i, value in enumerate(values):
        if value != usual:
            result = Mux(index == i, value, result)
    return result


@dataclass(frozen=True)
class Line:
    """Windows at a place of the queue by the loop's turn: `begin`, and `slope` more in each.

    There are some in `turns` alone.
    """

    begin: int
    slope: int
    turns: range

    @classmethod
    def through(cls, values: Mapping[int, int]) -> "Line | None":
        """Return that of windows by turn, each of which is checked."""
        if not values:
            return None
        (first, value), *others = values.items()
        slope = 0
        for turn, other in others[:1]:
            slope, left = divmod(other - value, turn - first)
            assert not left
        line = cls(value - first * slope, slope, range(first, first + len(values)))
        assert all(value == line.begin + turn * line.slope for turn, value in values.items())
        assert list(values) == list(line.turns)
        return line

    def holds(self, turn: Value, window: Value) -> Value:
        """Return whether a window is there in a turn."""
        there = (turn >= self.turns.start) & (turn < self.turns.stop)
        return there & (window == self.begin + turn * self.slope)
