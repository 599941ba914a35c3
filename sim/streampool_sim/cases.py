"""Random specifications for the sweep, each one made from a seed and an index alone."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
from streampool_golden import (
    BASES,
    NANS,
    OPERATIONS,
    OPS,
    ROUNDINGS,
    DType,
    PoolJob,
    PoolSpec,
    SpecError,
    UnevenAxis,
    float32_ratio,
)
from streampool_golden.dtypes import FLOATS
from streampool_golden.fields import ROUNDING_ABOUT

MOST_BEATS = 1200
"""Beats of a frame, in or out, at most: thousands of small frames find more than few large ones."""

MOST_VALUES = 24
"""Values of a beat with several columns, at most: Amaranth's simulator fails with very many."""


@dataclass(frozen=True)
class Case:
    """A specification of a sweep, the seed and index that it was made from, and how it stalls."""

    seed: int
    index: int
    job: PoolJob
    stall: float

    def frames(self, count: int) -> np.ndarray:
        """Return random frames, shape (count, C, *size), in the input's container.

        Some are over the whole range, some of few values near 0, some of the extremes alone;
        floats as `random_floats` makes them.
        """
        rng = np.random.default_rng([self.seed, self.index, 1])
        dtype, shape = self.job.spec.in_dtype, self.job.shape
        if dtype.is_float:
            return random_floats(rng, dtype, (count, *shape))
        frames = []
        for _ in range(count):
            kind, low, high = rng.integers(4), dtype.low, dtype.high
            if kind == 0:
                frames.append(rng.choice([low, high], shape))
                continue
            if kind == 1:
                low, high = max(low, -2), min(high, 3)
            frames.append(rng.integers(low, high, shape, np.int64, endpoint=True))
        return np.array(frames, dtype=dtype.numpy)


def case(seed: int, index: int) -> Case:
    """Make a case: draws until the specification is one that works."""
    rng = np.random.default_rng([seed, index])
    while True:
        try:
            job = _job(rng)
        except SpecError:
            continue
        if max(job.beats_in, job.beats_out) <= MOST_BEATS:
            # of a generator of its own, so that it moves no other draw
            job = _with_indices(np.random.default_rng([seed, index, 2]), job)
            job = _with_columns(np.random.default_rng([seed, index, 3]), job)
            return Case(seed, index, job, float(rng.choice([0.1, 0.3, 0.5, 0.8])))


def random_floats(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> np.ndarray:
    """Return frames of floats, each of one kind.

    Of any bits; of numbers of any exponent; of few exponents, whose sums cancel and whose
    quotients are halfway now and then; of special values: zeros, infinities, NaNs, the smallest
    and the largest.
    """
    fraction, infinity = dtype.fraction, ((1 << dtype.exponent) - 1) << dtype.fraction
    sign = 1 << (dtype.bits - 1)
    anything = rng.integers(0, 1 << dtype.bits, shape)
    numbers = anything & ~(1 << fraction)  # no exponent is all ones
    frame = (shape[0], *[1] * (len(shape) - 1))
    few = rng.integers(0, 4, shape) << rng.integers(0, fraction, frame)
    exponents = rng.choice([0, 1, infinity >> fraction + 1], frame)
    few += (exponents + rng.integers(0, 3, shape)) << fraction
    corners = [0, 1, infinity - 1, infinity, infinity + 1, infinity + 2, infinity | infinity >> 1]
    special = rng.choice(corners[: rng.choice([3, 4, 7])], shape)
    kinds = rng.integers(0, 4, frame)
    bits = np.choose(kinds, [anything, numbers, few, special])
    bits = np.where(kinds > 1, bits | sign * rng.integers(0, 2, shape), bits)
    return bits.astype(dtype.raw.numpy).view(dtype.numpy)


def _with_indices(rng: np.random.Generator, job: PoolJob) -> PoolJob:
    """Have some maxima and minima give their indices, too."""
    if not job.operation.selects or rng.random() > 0.3:
        return job
    return PoolJob(job.spec.replace(indices=str(rng.choice(BASES))), job.shape, job.lanes)


def _with_columns(rng: np.random.Generator, job: PoolJob) -> PoolJob:
    """Have a third take several columns a beat, some of which give more than they have to."""
    if rng.random() > 1 / 3 or isinstance(job.axes[-1], UnevenAxis):
        return job
    columns = int(rng.integers(1, min(2 * job.size[-1], 9), endpoint=True))
    fewest = columns // gcd(columns, job.axes[-1].stride)
    out = fewest * int(rng.integers(1, 4)) if rng.random() < 1 / 4 else None
    found = PoolJob(*(job.spec, job.shape, job.lanes, columns), columns_out=out)
    values = max(found.layout_in.values, found.layout_out.values)
    return found if values <= MOST_VALUES else job


def _job(rng: np.random.Generator) -> PoolJob:
    def chance(probability: float) -> bool:
        return bool(rng.random() < probability)

    def integer(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    ndim = int(rng.choice([1, 2, 3], p=[0.25, 0.55, 0.2]))
    longest = {1: 90, 2: 20, 3: 9}[ndim]
    size = tuple(integer(1, longest if chance(0.8) else 4) for _ in range(ndim))
    kernel = tuple(integer(1, 7 if chance(0.9) else 12) for _ in range(ndim))
    stride = tuple(integer(1, k + 1 if chance(0.9) else k + 4) for k in kernel)
    if chance(0.2):
        stride = (1,) * ndim  # where padding can make an axis grow
    dilation = tuple(1 if chance(0.75) else integer(2, 3) for _ in range(ndim))
    op = str(rng.choice(OPS))
    dtype = _dtype(rng)
    if chance(0.15):
        dtype = DType.of(str(rng.choice(list(FLOATS))))
    fields: dict[str, Any] = {
        "op": op,
        "kernel": kernel,
        "stride": stride,
        "padding": _padding(kernel, chance, integer),
        "dilation": dilation,
        "ceil_mode": chance(0.4),
        "rounding": None if dtype.is_float else str(rng.choice(ROUNDINGS)),
        "dtype": dtype.name,
        "nan": str(rng.choice(NANS)),
    }
    if chance(0.2):
        windows = {"kernel": "global"}
        if chance(0.75):  # to a size: smaller, or larger
            windows = {"adaptive": tuple(integer(1, n + (n + 3) // 2) for n in size)}
        taken = ("kernel", "stride", "padding", "dilation", "ceil_mode")
        fields = {name: value for name, value in fields.items() if name not in taken}
        fields |= {"ndim": ndim, **windows}
    if OPERATIONS[op].mean:
        if chance(0.7):
            fields["count_include_pad"] = chance(0.5)
        if chance(0.15):
            negative = OPERATIONS[op].requantises and chance(0.4)
            fields["divisor_override"] = integer(1, 40) * (-1 if negative else 1)
        if chance(0.2) and not dtype.is_float:
            fields["out_dtype"] = _dtype(rng).name
    elif chance(0.2) and not dtype.is_float:
        fields["out_dtype"], fields["saturate"] = _dtype(rng).name, True
    clamps = chance(0.2)
    if clamps and dtype.is_float:  # some of ReLU, ReLU6 and values of any size
        ends = [float(each) for each in random_floats(rng.spawn(1)[0], dtype, (2,))]
        given = [(0.0, np.inf), (0.0, 6.0), ends][integer(0, 2)]
        fields["clamp"] = None if np.isnan(given).any() else tuple(sorted(given))
    elif clamps:
        out = DType.of(fields.get("out_dtype", dtype.name))
        fields["clamp"] = tuple(sorted((integer(out.low, out.high), integer(out.low, out.high))))
    fields |= _quantised(fields, rng.spawn(1)[0])
    channels = integer(1, 9) if chance(0.7) else 1
    lanes = integer(1, min(channels + 1, 4))
    return PoolJob(PoolSpec(**fields), (channels, *size), lanes)


def _dtype(rng: np.random.Generator) -> DType:
    if rng.random() < 0.6:
        return DType.of(str(rng.choice(["int8", "uint8", "int16", "uint16", "int4", "uint4"])))
    if rng.random() < 0.5:
        return DType.of(f"int{rng.integers(2, 33)}")
    return DType.of(f"uint{rng.integers(1, 33)}")


def _quantised(fields: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Draw scale and zero points for every third average of integers."""
    requantises = OPERATIONS[fields["op"]].requantises
    if not requantises or rng.random() < 2 / 3 or DType.of(fields["dtype"]).is_float:
        return {}
    ends = [DType.of(fields["dtype"]), DType.of(fields.get("out_dtype", fields["dtype"]))]
    scale = Fraction(int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    if rng.random() < 0.5:
        scale = float32_ratio(rng.uniform(0.001, 1), rng.uniform(0.001, 1))
    return {
        "scale": scale,
        "zero_points": [int(rng.integers(t.low, t.high, endpoint=True)) for t in ends],
        "rounding_about": str(rng.choice(ROUNDING_ABOUT)),
    }


def _padding(
    kernel: tuple[int, ...], chance: Callable[[float], bool], integer: Callable[[int, int], int]
) -> str | tuple[tuple[int, int], ...]:
    if chance(0.25):
        return ("same", "same_lower", "valid")[integer(0, 2)]
    if chance(0.25):
        return ((0, 0),) * len(kernel)
    if chance(0.5):  # torch's: up to half the kernel, the same on both sides
        return tuple((pad, pad) for pad in (integer(0, k // 2) for k in kernel))
    if chance(0.8):  # ONNX's: any below the kernel
        return tuple((integer(0, k - 1), integer(0, k - 1)) for k in kernel)
    return tuple((integer(-2, k - 1), integer(-2, k - 1)) for k in kernel)
