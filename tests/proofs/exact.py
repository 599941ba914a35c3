"""Divisions and roots on numbers: what hw/streampool_hw/blocks says of them, on each number.

The gates are played on arrays, step by step and as wide as they are, with the constants that cores
have, and compared with golden's exact rounding. Each check is complete in the sense that it states.
"""

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from streampool_golden import ROUNDINGS, PoolJob, PoolSpec, round_div, round_root
from streampool_golden import operations as golden_operations
from streampool_golden import rounding as golden_rounding
from streampool_hw.blocks import divider as dividers
from streampool_hw.blocks import division, root
from streampool_hw.blocks.block import Block
from streampool_hw.blocks.divider import Divider, ReciprocalDivider
from streampool_hw.blocks.division import reciprocal
from streampool_hw.blocks.root import CubeRoot, Radicands, SquareRoot
from streampool_hw.blocks.windows import Windows
from streampool_hw.reduce import operations
from streampool_hw.schedule.settings import CONSTANTS
from streampool_hw.vendor.ecp5 import MULTIPLIER_BITS

from .harness import Verdict

MODULES = (division, dividers, root, operations, golden_operations, golden_rounding)
SIDES = range(1, 8)
"""Rows and columns of windows."""


@dataclass(frozen=True)
class Check:
    """Something to go through number by number; `wrong` yields what is not as it has to be."""

    name: str
    wrong: Callable[[], Iterator[str]] = field(compare=False)
    depth: str = "each"
    group: str = "exact"
    modules: Sequence[ModuleType] = MODULES

    def text(self) -> str:
        """Return the code that is checked, and that checks."""
        here = inspect.getmodule(self.wrong)
        assert here is not None
        return "\n".join([self.name, *map(inspect.getsource, (here, *self.modules))])

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Go through it."""
        failed = tuple(itertools.islice(self.wrong(), 3))
        return Verdict(not failed, failed)


# ---- the gates on arrays


def mask(bits: int) -> int:
    """Return so many ones."""
    return (1 << bits) - 1


def divided(block: Divider, values: np.ndarray, which: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a `Divider` makes of numbers, and whether it is exact; nothing may be cut off."""
    how, inside = block.division, block._quotient
    values = values << block._shift
    less = values < -(how.biases[which] if how.biases else 0)
    plus, minus = how.offset(False)[which], how.offset(True)[which]
    offset = np.where(less != how.negative, minus, plus) if block._differs else plus
    rest = offset - values if how.negative else offset + values
    assert rest.min() >= 0 and rest.max() <= how.largest, "beyond what is divided"
    bits, by = how.quotient_bits, inside._table[which]
    if isinstance(inside, ReciprocalDivider):
        assert int(rest.max()) * by < 1 << 63
        product = rest * by
        quotient = (product >> inside._shift) & mask(bits)
        exact = (product & mask(inside._shift)) < by
    else:
        remainder, digits = rest >> bits, rest & mask(bits)
        for _ in range(bits):
            trial = remainder << 1 | digits >> (bits - 1)
            fits = trial >= by
            remainder = np.where(fits, trial - by, trial) & mask(max(how.sizes).bit_length())
            digits = (digits << 1 | fits) & mask(bits)
        quotient, exact = digits, remainder == 0
    if how.rounding == "half_even":
        even = how.sizes[which] % 2 == 0
        quotient = (quotient - (exact & even & (quotient & 1))) & mask(bits)
    return quotient + block._after - how.excess, exact


def rooted(block: SquareRoot | CubeRoot, values: np.ndarray, exact: np.ndarray) -> Any:
    """Return what a root's block makes of numbers, and whether that is exact."""
    degree, digits = block.DEGREE, block._digits
    values, root = values.astype(np.int64), np.zeros_like(values)
    remainder, trial = np.zeros_like(values), np.ones_like(values)
    for done in range(digits):
        bits = values >> degree * (digits - done - 1) & mask(degree)
        whole = remainder << degree | bits
        width, wide = (done + 3, done + 2) if degree == 2 else (2 * done + 6, 2 * done + 4)
        taken = root << 2 | 1 if degree == 2 else trial
        difference = (whole - taken) & mask(width)
        below = difference >> (width - 1) != 0
        assert np.array_equal(below, whole < taken), "a difference that does not fit"
        remainder = np.where(below, whole, difference) & mask(wide)
        if degree == 3:
            change = np.where(below, -(12 * root + 3), 36 * root + 15)
            trial = ((trial << 2) + change) & mask(2 * done + 6)
        root = root << 1 | ~below
    tie = exact & (remainder == 0)
    if block._between:
        return root, tie
    if block._rounding in ("floor", "trunc"):
        return root, tie
    down = tie & (root >> 1 & 1 == 0) & (block._rounding == "half_even")
    return (root >> 1) + (root & 1 & ~down), tie


def results(blocks: Sequence[Block], values: np.ndarray, which: int) -> np.ndarray:
    """Return what the blocks behind the stages make of exact sums; saturation is left out."""
    exact = np.ones(len(values), bool)
    for block in blocks:
        if isinstance(block, Divider):
            values, exact = divided(block, values, which)
        elif isinstance(block, Radicands):
            values = values << block._shift
        elif isinstance(block, SquareRoot | CubeRoot):
            values, exact = rooted(block, values, exact)
    return values


# ---- the checks


def windows(
    op: str, kernel: tuple[int, ...], dtype: str, rounding: str, *, borders: bool = True
) -> tuple[PoolJob, Sequence[Block], Sequence[tuple[int, int]]]:
    """Return a job of all windows that a kernel has at borders, its blocks and kinds."""
    padding = tuple((k // 2, k // 2) if borders else (0, 0) for k in kernel)
    spec = PoolSpec(
        *(op, kernel, 1, padding),
        count_include_pad=False,
        rounding=rounding,
        dtype=dtype,
        ndim=len(kernel),
    )
    job = PoolJob(spec, (1, *(k + 1 for k in kernel)))
    kinds = Windows(job, CONSTANTS).kinds
    return job, operations.gates_of(job).postprocess(job, kinds)[0], kinds


def averages(kernel: tuple[int, ...], dtype: str, sums: Callable[[int, int, int], np.ndarray]):
    """Yield what is wrong of averages, in each rounding; `sums` gives those of so many taps."""
    for rounding in ROUNDINGS:
        job, blocks, kinds = windows("avg", kernel, dtype, rounding)
        for which, (divisor, _) in enumerate(kinds):
            values = sums(divisor, job.input.low, job.input.high)
            found = results(blocks, values, which)
            right = round_div(values, divisor, rounding)
            for at in np.flatnonzero(found != right)[:1]:
                yield f"{values[at]} / {divisor}, {rounding}: {found[at]}"


def every(taps: int, low: int, high: int) -> np.ndarray:
    """Return every sum of so many numbers."""
    return np.arange(taps * low, taps * high + 1)


def edges(taps: int, low: int, high: int) -> np.ndarray:
    """Return sums at the ends of the range, and around multiples and halves of the divisor."""
    ends = np.array([taps * low, 0, taps * high])
    many = np.unique(np.linspace(low, high, 501).astype(np.int64)) * taps
    at = np.concatenate([ends, many, many + taps // 2])
    near = (at[:, np.newaxis] + np.arange(-2, 3)).ravel()
    around = (ends[:, np.newaxis] + np.arange(-500, 501)).ravel()
    values = np.unique(np.concatenate([near, around]))
    return values[(values >= taps * low) & (values <= taps * high)]


def every_divisor(most: int) -> Iterator[str]:
    """Yield divisors of which a product is not the quotient, of any number that is multiplied.

    A quotient by a product never falls from one number to the next. So where it is q both at q d
    and at q d + d - 1 it is q between them too; and where what is shifted out is below the
    constant at q d and not at q d + 1 it is not at any number up to the next multiple.
    """
    largest = mask(MULTIPLIER_BITS)
    for d in range(1, most + 1):
        shift, [c] = reciprocal((d,), largest)
        q = np.arange(largest // d + 1)
        first, last = q * d, np.minimum(q * d + d - 1, largest)
        fraction = mask(shift)
        right = ((first * c) >> shift == q) & ((last * c) >> shift == q)
        right &= (first * c & fraction) < c
        if d > 1:
            beside = np.minimum(first + 1, largest)
            right &= ((beside * c & fraction) >= c) | (beside == first)
        if not right.all():
            yield f"divisor {d}"


def roots_of_sums(op: str, kernel: tuple[int, ...], dtype: str, *, borders: bool) -> Iterator[str]:
    """Yield what is wrong of roots of every sum of powers, in each rounding."""
    for rounding in ROUNDINGS:
        job, blocks, kinds = windows(op, kernel, dtype, rounding, borders=borders)
        for which, (divisor, _) in enumerate(kinds):
            taps = divisor if job.operation.mean else job.most_taps
            values = np.arange(job.partial(taps).high + 1)
            found = results(blocks, values, which)
            right = round_root(values, divisor, rounding, job.operation.root)
            for at in np.flatnonzero(found != right)[:1]:
                yield f"root of {values[at]} / {divisor}, {rounding}: {found[at]}"


def roots_near_powers(degree: int, bits: int) -> Iterator[str]:
    """Yield what is wrong of roots around powers of whole numbers, from the least to the widest."""
    most = int(mask(bits) ** (1 / degree)) - 1
    r = np.unique(np.concatenate([np.arange(2000), np.linspace(0, most, 20000).astype(np.int64)]))
    near = (r**degree)[:, np.newaxis] + np.arange(-1, 2)
    values = np.unique(near[(near >= 0) & (near <= mask(bits))])
    block = {2: SquareRoot, 3: CubeRoot}[degree](bits, "floor")
    found, _ = rooted(block, values, np.ones(len(values), bool))
    for at in np.flatnonzero(found != round_root(values, 1, "floor", degree))[:1]:
        yield f"root of {values[at]}: {found[at]}"


def quick() -> Iterator[Check]:
    """Yield the checks that `make test` makes, too."""
    for kernel in ((3, 3), (7, 7)):
        title = "x".join(map(str, kernel))
        for dtype in ("int8", "uint8"):
            yield Check(
                f"averages: {dtype} {title}", lambda k=kernel, d=dtype: averages(k, d, every)
            )
    yield Check("averages: divisors up to 512", lambda: every_divisor(512))
    for dtype in ("int32", "uint32"):
        yield Check(f"averages: {dtype} 7x7", lambda d=dtype: averages((7, 7), d, edges))
    yield Check("roots: l2, int8 3x3", lambda: roots_of_sums("l2", (3, 3), "int8", borders=True))
    for degree, bits in ((2, 60), (3, 57)):
        yield Check(
            f"roots: degree {degree}, {bits} bits",
            lambda d=degree, b=bits: roots_near_powers(d, b),
        )


def cases() -> Iterator[Check]:
    """Yield all checks."""
    yield from quick()
    for rows in SIDES:
        yield Check(
            f"averages: int8 and uint8 of {rows} rows",
            lambda r=rows: itertools.chain.from_iterable(
                averages((r, c), dtype, every) for c in SIDES for dtype in ("int8", "uint8")
            ),
        )
    yield Check("averages: every divisor", lambda: every_divisor(mask(MULTIPLIER_BITS)))
    for dtype in ("int16", "uint16"):
        yield Check(f"averages: {dtype} 7x7", lambda d=dtype: averages((7, 7), d, every))
    for rows in SIDES:
        yield Check(
            f"roots: l2, int8 of {rows} rows",
            lambda r=rows: itertools.chain.from_iterable(
                roots_of_sums("l2", (r, c), "int8", borders=False) for c in range(r, 8)
            ),
        )
    for op in ("lp2", "lp3", "lp4", "gem3", "gem4"):
        yield Check(
            f"roots: {op}, int5 3x3", lambda o=op: roots_of_sums(o, (3, 3), "int5", borders=True)
        )
