"""Numbers by window or by slot as gates: a line, with what is not on it named one by one."""

from collections import Counter
from collections.abc import Sequence

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
