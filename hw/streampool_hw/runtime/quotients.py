"""How a run-time core divides, rounds and clamps, worked out in plain Python before any gate.

All windows of all jobs take the same way, with words from a table: of ``v``, a sum or a selected
value, the dividend is ``u = v + offset``, the quotient ``u c >> k``, and what leaves is that, kept
within two limits, plus a `lift`. There are two offsets, of v from `zero` on and below. `Division`
has them, which make each dividend positive and say how it is rounded, and the theorem by which the
product is exact. Where nothing is divided n is 1. The k of a divisor is one of a few `shifts`,
since each of them is a choice for every bit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain, product
from math import ceil, floor

from streampool_golden import Axis, DType, PoolJob, Requantisation, SpecError

from ..blocks.division import Division
from ..blocks.windows import Kind
from ..reduce.operations import requantised
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
        most, how = (1 << maxima.quotient_bits) - 1, job.requantisation
        whole = job.spec.divisor_override or 1 if job.operation.mean else 1
        along = [enumerate(kinds_of(windows_of(job, axis))) for axis in (columns, rows)]
        kinds = {
            column | row << maxima.kind_bits: (whole * by * below, taps * more)
            for (column, (by, taps)), (row, (below, more)) in product(*along)
        }
        division, after = _all(job, how, [*kinds.values()]), how.after if how else 0
        # the highest value that may leave is a quotient that can be compared with
        division = replace(division, low=min(division.low, job.bounds[1] - after))
        lift = after - division.excess
        low, high = (min(max(0, bound - lift), most) for bound in job.bounds)
        biases = division.biases or (0,) * len(kinds)
        table = {
            kind: _entry(job, replace(division, divisors=(divisor,), biases=(bias,)), maxima)
            for kind, divisor, bias in zip(kinds, division.divisors, biases, strict=True)
        }
        return cls(low, high, lift % (1 << maxima.out_bits), table)


def _all(job: PoolJob, how: Requantisation | None, kinds: Sequence[Kind]) -> Division:
    """Return how the windows of all kinds are divided."""
    if how is not None:
        return _over_whole(job, requantised(job, how, kinds), how.factor)
    divisors, exact = tuple(divisor for divisor, _ in kinds), job.accumulator
    if not job.operation.mean:
        low, high = exact.low, exact.high
    elif job.spec.divisor_override is None:  # no mean is beyond what it is of
        low, high = job.input.low, job.input.high
    else:
        ends = [Fraction(end, divisors[0]) for end in (exact.low, exact.high)]
        low, high = floor(min(ends)), ceil(max(ends))
    return Division(divisors, low, high, job.spec.rounding)


def _over_whole(job: PoolJob, division: Division, factor: int) -> Division:
    """Return the same of sums that are not multiplied before: by a whole number of each kind."""
    for divisor in division.divisors:
        if divisor % factor:
            raise SpecError(
                "scale",
                f"scale {job.spec.scale} makes {Fraction(factor, divisor)} of a sum, and a run-time"
                " core makes 1 over a whole number of it; use such a scale, or PoolCore.",
            )
    # so is what is added: multiples of the divisor and of the factor
    over = ([each // factor for each in some] for some in (division.divisors, division.biases))
    divisors, biases = map(tuple, over)
    return replace(division, divisors=divisors, biases=biases)


def _entry(job: PoolJob, division: Division, maxima: Maxima) -> dict[str, int]:
    """Return the fields of a kind of window."""
    (n,), (bias,), negative = division.sizes, division.biases, int(division.negative)
    (plus,), (less,) = division.offset(False), division.offset(True)
    known, bits = shifts(maxima), maxima.dividend_bits
    exact = [shift for shift in known if shift in _exact(n, division.largest, maxima)]
    wide = max(division.largest, 2 * abs(bias), plus, less).bit_length() > bits
    if not exact or wide or division.high + division.excess >= 1 << maxima.quotient_bits:
        raise _too_wide(job, n)
    mask = (1 << bits) - 1
    return {
        "factor": -(-(1 << exact[0]) // n),
        "shift": known.index(exact[0]),
        "even": int(division.rounding == "half_even" and n % 2 == 0),
        "negative": negative,
        # with its bits inverted a sum is one less than its negative
        **{"plus": plus + negative & mask, "less": less + negative & mask},
        "zero": (~-bias if negative else -bias) & mask,
    }


def _too_wide(job: PoolJob, n: int) -> SpecError:
    spec = job.spec
    said = {
        "divisor_override": spec.divisor_override,
        "scale": spec.scale != 1,
        "zero_points": spec.zero_points != (0, 0),
    }
    field = next((name for name, some in said.items() if some), "clamp")
    return SpecError(
        field,
        f"{field} {getattr(spec, field)} takes wider quotients of {n} than a run-time core has for"
        " windows as large; use PoolCore.",
    )


def windows_of(job: PoolJob, axis: Axis) -> tuple[Kind, ...]:
    """Return what each window of an axis is divided by along it, and its taps where they matter."""
    divisors = taps = (1,) * axis.outputs
    if job.operation.mean and job.spec.divisor_override is None:
        # an adaptive axis has padding only where that says which inputs a window has
        divisors = axis.counts(job.spec.count_include_pad and job.spec.adaptive is None)
    if job.requantisation is not None:
        taps = axis.counts(False)
    return tuple(zip(divisors, taps, strict=True))


def kinds_of(windows: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return the windows of an axis that differ; a window's kind is the place of its own."""
    return tuple(sorted(set(windows)))
