"""How a run-time core divides, rounds and clamps, worked out in plain Python before any gate.

All windows of all jobs take the same way, with words from a table: of ``v``, a sum or a selected
value, the dividend is ``u = v + offset``, the quotient ``u c >> k``, and what leaves is that, kept
within two limits, plus a `lift`. `Division` has the offsets, which make each dividend positive and
say how it is rounded, and the theorem by which the product is exact. Where nothing is divided n is
1. The k of a divisor is one of a few `shifts`, since each of them is a choice for every bit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain, product
from math import ceil, floor

from streampool_golden import Axis, DType, PoolJob, SpecError

from ..blocks.division import Division
from .maxima import Maxima
from .registers import SHIFT_BITS


@lru_cache(maxsize=64)
def shifts(maxima: Maxima) -> tuple[int, ...]:
    """Return the shifts among which every divisor up to `max_taps` has one, ascending.

    That is for averages, which are no larger than what they are of, and for whole sums. What room
    is left serves the most divisors of one's own, whose quotients may be larger.
    """
    most, types = maxima.max_taps, [DType.of(f"uint{maxima.bits}")]
    if maxima.bits > 1:
        types.append(DType.of(f"int{maxima.bits}"))
    ranges = [(n, dtype.low, dtype.high) for dtype in types for n in range(1, most + 1)]
    ranges += [(1, most * dtype.low, most * dtype.high) for dtype in types]
    needed = [
        _exact(n, (high + Division((n,), low, high, "floor").excess + 1) * n - 1, maxima)
        for n, low, high in ranges
    ]
    # each divisor's run of shifts needs one: the ends of those that end first, and have none yet
    found: list[int] = []
    for some in sorted(set(needed), key=max):
        if not set(some) & set(found):
            found.append(max(some))
    room = 1 << SHIFT_BITS
    assert len(found) <= room, "more shifts than a word can name"
    whole = 3 << maxima.sum_bits - 1
    rest = [_exact(n, whole + 2 * n, maxima) for n in range(1, most + 1)]
    while rest := [some for some in rest if not set(some) & set(found)]:
        if len(found) == room:
            break
        found.append(Counter(chain(*rest)).most_common(1)[0][0])
    return tuple(sorted(found))


def _exact(n: int, largest: int, maxima: Maxima) -> tuple[int, ...]:
    """Return the shifts with which all up to `largest` are divided by n, as `reciprocal` says."""
    bits, found = maxima.dividend_bits, []
    for shift in range(bits + n.bit_length()):
        factor = -(-(1 << shift) // n)
        if factor < 1 << bits and (factor * n - (1 << shift)) * largest < 1 << shift:
            found.append(shift)
    return tuple(found)


@dataclass(frozen=True)
class Finish:
    """What is behind the stages is told of a job: see the registers of that block.

    Attributes
    ----------
    low, high : int
        The lowest and highest quotient that stays.
    lift : int
        What is added to it, modulo the bits out.
    table : mapping of int to mapping of str to int
        The fields of each kind of window.
    """

    low: int
    high: int
    lift: int
    table: Mapping[int, Mapping[str, int]]

    @property
    def limits(self) -> dict[str, int]:
        """The fields that are not of a kind."""
        return {"low": self.low, "high": self.high, "lift": self.lift}

    @classmethod
    def of(cls, job: PoolJob, columns: Axis, rows: Axis, maxima: Maxima) -> "Finish":
        """Return that of a job on these axes."""
        most, whole = (1 << maxima.quotient_bits) - 1, job.spec.divisor_override or 1
        whole = whole if job.operation.mean else 1
        along = [enumerate(kinds_of(divisors_of(job, axis))) for axis in (columns, rows)]
        divisors = {
            column | row << maxima.kind_bits: whole * by * below
            for (column, by), (row, below) in product(*along)
        }
        low, high = _range(job)
        # the highest value that may leave is a quotient that can be compared with
        division = Division((*divisors.values(),), min(low, job.bounds[1]), high, job.spec.rounding)
        excess = division.excess
        low, high = (min(max(0, bound + excess), most) for bound in job.bounds)
        table = {
            kind: _entry(job, replace(division, divisors=(divisor,)), maxima)
            for kind, divisor in divisors.items()
        }
        return cls(low, high, -excess % (1 << maxima.out_bits), table)


def _range(job: PoolJob) -> tuple[int, int]:
    """Return what no exact quotient is beyond."""
    exact, override = job.accumulator, job.spec.divisor_override
    if not job.operation.mean:
        return exact.low, exact.high
    if override is None:
        return job.input.low, job.input.high
    ends = [Fraction(end, override) for end in (exact.low, exact.high)]
    return floor(min(ends)), ceil(max(ends))


def _entry(job: PoolJob, division: Division, maxima: Maxima) -> dict[str, int]:
    """Return the fields of a kind of window."""
    (n,), negative = division.sizes, int(division.negative)
    (plus,), (less,) = division.offset(False), division.offset(True)
    known = shifts(maxima)
    exact = [shift for shift in known if shift in _exact(n, division.largest, maxima)]
    if not exact or division.largest >= 1 << maxima.dividend_bits:
        raise _no_shift(job, n)
    return {
        "factor": -(-(1 << exact[0]) // n),
        "shift": known.index(exact[0]),
        "even": int(division.rounding == "half_even" and n % 2 == 0),
        "negative": negative,
        # with its bits turned round a sum is one less than its negative
        **{"plus": plus + negative, "less": less + negative},
    }


def _no_shift(job: PoolJob, n: int) -> SpecError:
    field = "divisor_override" if job.spec.divisor_override else "clamp"
    return SpecError(
        field,
        f"{field} {getattr(job.spec, field)} takes wider quotients of {n} than a run-time core has"
        " for windows as large; use PoolCore.",
    )


def divisors_of(job: PoolJob, axis: Axis) -> tuple[int, ...]:
    """Return what each window of an axis is divided by along it."""
    if not job.operation.mean or job.spec.divisor_override is not None:
        return (1,) * axis.outputs
    # an adaptive axis has padding only where that says which inputs a window has
    return axis.counts(job.spec.count_include_pad and job.spec.adaptive is None)


def kinds_of(divisors: Sequence[int]) -> tuple[int, ...]:
    """Return the different divisors of an axis; a window's kind is the place of its own."""
    return tuple(sorted(set(divisors)))
