"""The gates of each operation: before the stages, in them, and behind them.

The table of streampool_golden says what an operation computes, this one of what it is made. An
entry put into both from outside is an operation as good as any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from amaranth.hdl import Shape
from streampool_golden import PoolJob, Requantisation, round_root

from ..blocks.block import Block
from ..blocks.clamp import Clamp, FloatClamp, Magnitude
from ..blocks.divider import Divider, requantiser
from ..blocks.division import Division
from ..blocks.floats_in import FloatToFixed, FloatToKey
from ..blocks.floats_out import FixedToFloat
from ..blocks.multiplier import Cube, Square
from ..blocks.root import Radicands, roots, rounds_to_nearest
from ..blocks.windows import Kind
from ..datapath.pipeline import lane_shape, range_shape
from .reduction import ReductionGates, extremes, float_extremes, float_sums, sums

Postprocessing: TypeAlias = tuple[Sequence[Block], int, int]
"""What is done to an exact partial, and the lowest and the highest number that come of it."""


def _no_blocks(job: PoolJob) -> list[Block]:
    return []


def _as_it_is(job: PoolJob, kinds: Sequence[Kind]) -> Postprocessing:
    return [], job.accumulator.low, job.accumulator.high


@dataclass(frozen=True)
class Gates:
    """What an operation is made of.

    Parameters
    ----------
    reduce : callable
        ``(job, below)`` -> the stages' `ReductionGates`; with indices, `below` bits of a place
        stand below each key.
    preprocess : callable, optional
        ``job`` -> the blocks before the first stage, from a value of ``job.input`` to what the
        reduction encodes.
    postprocess : callable, optional
        ``(job, kinds)`` -> the `Postprocessing` behind the last stage; saturation and clamp are
        added where the range of what comes out asks for them.
    """

    reduce: Callable[[PoolJob, int], ReductionGates]
    preprocess: Callable[[PoolJob], Sequence[Block]] = _no_blocks
    postprocess: Callable[[PoolJob, Sequence[Kind]], Postprocessing] = _as_it_is


# ---- before the stages


def _magnitudes(job: PoolJob) -> list[Block]:
    return [Magnitude(job.input)] if job.input.signed else []


def _squares(job: PoolJob) -> list[Block]:
    return [*_magnitudes(job), Square(job.input.bits, job.partial(1).bits)]


def _cubes(job: PoolJob) -> list[Block]:
    return [*_magnitudes(job), Cube(job.input.bits, job.partial(1).bits)]


def _fourth_powers(job: PoolJob) -> list[Block]:
    most = max(abs(job.input.low), job.input.high)
    square = Square(job.input.bits, (most**2).bit_length())
    bits = Shape.cast(square.o["value"].shape).width
    return [*_magnitudes(job), square, Square(bits, job.partial(1).bits)]


def _keys(job: PoolJob) -> list[Block]:
    smallest = job.operation.selects == "smallest"
    return [FloatToKey(job.input, smallest=smallest, propagates=job.spec.nan == "propagate")]


def _fixed(job: PoolJob) -> list[Block]:
    return [FloatToFixed(job.input, job.partial(1).bits)]


# ---- behind them


def _floats(job: PoolJob, kinds: Sequence[Kind]) -> Postprocessing:
    divisors = tuple(divisor for divisor, _ in kinds)
    return [FixedToFloat(job.output, job.accumulator.bits, divisors)], *job.bounds


def _means(job: PoolJob, kinds: Sequence[Kind]) -> Postprocessing:
    exact, shape = job.accumulator, lane_shape(job.accumulator)
    how = job.requantisation
    if how is not None:
        division = requantised(job, how, kinds)
        block = requantiser(how.factor, division, shape, exact.low, exact.high, how.after)
        return [block], division.low + how.after, division.high + how.after
    divisors = tuple(divisor for divisor, _ in kinds)
    if set(divisors) == {1}:
        return _as_it_is(job, kinds)
    if job.spec.divisor_override is None:  # no mean is beyond what it is of
        low, high = job.input.low, job.input.high
    else:
        ends = [Fraction(end, divisors[0]) for end in (exact.low, exact.high)]
        low, high = floor(min(ends)), ceil(max(ends))
    division = Division(divisors, low, high, job.spec.rounding)
    return [Divider(division, shape)], low, high


def requantised(job: PoolJob, how: Requantisation, kinds: Sequence[Kind]) -> Division:
    """Return the division that ends a requantised average; its sums are multiplied before."""
    divisors = tuple(how.below * divisor for divisor, _ in kinds)
    biases = tuple(how.offset(divisor, taps) for divisor, taps in kinds)
    exact = [
        Fraction(how.factor * taps * end + bias, divisor)
        for end in (job.input.low, job.input.high)
        for divisor, bias, (_, taps) in zip(divisors, biases, kinds, strict=True)
    ]
    return Division(divisors, floor(min(exact)), ceil(max(exact)), job.spec.rounding, biases)


def _roots(job: PoolJob, kinds: Sequence[Kind]) -> Postprocessing:
    """Divide, and take the root, with one rounding."""
    rounding, divisors = job.spec.rounding, tuple(divisor for divisor, _ in kinds)
    degree = job.operation.root
    if job.operation.mean and job.spec.divisor_override is None:
        high = job.partial(1).high  # no mean is beyond what it is of
    else:
        high = -(-job.accumulator.high // divisors[0])
    root, shift = int(round_root(high, 1, rounding, degree)), 0
    if rounds_to_nearest(rounding):
        # of 2**degree times the number, and so of the divisors over it
        shift, high = degree, high << degree
        while shift and not any(d % 2 for d in divisors):
            divisors, shift = tuple(d // 2 for d in divisors), shift - 1
    if set(divisors) == {1}:
        radicand: Block = Radicands(job.accumulator.bits, shift)
    else:
        division = Division(divisors, 0, high, "floor")
        radicand = Divider(division, lane_shape(job.accumulator), shift=shift, exact=True)
    return [radicand, *roots(high.bit_length(), degree, rounding)], 0, root


GATES: dict[str, Gates] = {
    "max": Gates(extremes),
    "min": Gates(extremes),
    "avg": Gates(sums, postprocess=_means),
    "sum": Gates(sums),
    "l2": Gates(sums, _squares, _roots),
    "lp1": Gates(sums, _magnitudes),
    "lp2": Gates(sums, _squares, _roots),
    "lp3": Gates(sums, _cubes, _roots),
    "lp4": Gates(sums, _fourth_powers, _roots),
    "gem3": Gates(sums, _cubes, _roots),
    "gem4": Gates(sums, _fourth_powers, _roots),
}
"""The gates of each operation on integers, by the name that `PoolSpec` takes."""

FLOAT_GATES: dict[str, Gates] = {
    "max": Gates(float_extremes, _keys),
    "min": Gates(float_extremes, _keys),
    "avg": Gates(float_sums, _fixed, _floats),
    "sum": Gates(float_sums, _fixed, _floats),
}
"""The gates of each operation on floats, where golden has one."""


def gates_of(job: PoolJob) -> Gates:
    """Return what a job's operation is made of."""
    return (FLOAT_GATES if job.input.is_float else GATES)[job.op]


def postprocessing(job: PoolJob, kinds: Sequence[Kind]) -> list[Block]:
    """Return the blocks behind the last stage, saturation and clamp among them."""
    blocks, lowest, highest = gates_of(job).postprocess(job, kinds)
    low, high = job.bounds
    if job.spec.clamp is not None and job.input.is_float:
        return [*blocks, FloatClamp(job.output, *job.spec.clamp)]
    if job.input.is_float or (lowest >= low and highest <= high):
        return list(blocks)
    shape = range_shape(lowest, highest)
    return [*blocks, Clamp(shape, low, high)]
