"""Specifications of every kind and a naive model of them, for tests that go through many."""

import functools
import itertools
import math
import operator
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from streampool_golden import OPS, ROUNDINGS, DType, PoolSpec

MEANS = ("avg", "l2", "gem3", "gem4")
WIDENING = ("sum", "lp1", "lp2", "lp3", "lp4")
POWERS = {"l2": 2, "lp2": 2, "lp3": 3, "lp4": 4, "gem3": 3, "gem4": 4}
"""What is raised to a power, and the root taken of it."""

DTYPES = [f"int{n}" for n in range(2, 33)] + [f"uint{n}" for n in range(1, 33)]


@st.composite
def specs(draw, ops=OPS, dtypes=DTYPES) -> PoolSpec:
    """Draw a specification of one to three axes; not every one works on every size."""
    ndim = draw(st.sampled_from([1, 1, 2, 2, 2, 3]))

    def per_axis(values):
        return tuple(draw(values) for _ in range(ndim))

    op = draw(st.sampled_from(ops))
    dtype = draw(st.sampled_from(dtypes))
    if (power := POWERS.get(op, 1)) > 1:  # which may need more bits than there are
        narrow = [name for name in dtypes if DType.of(name).bits <= 54 // power]
        dtype = draw(st.sampled_from(narrow or dtypes))
    mean = op in MEANS
    saturate = not mean and draw(st.booleans())
    out_dtype = None
    if mean or saturate:
        out_dtype = draw(st.one_of(st.none(), st.sampled_from(DTYPES)))
    clamp = None
    if draw(st.booleans()) and (op not in WIDENING or out_dtype):
        out = DType.of(out_dtype or dtype)
        clamp = tuple(sorted(draw(st.integers(out.low, out.high)) for _ in range(2)))
    pad = st.integers(-2, 4)
    padding = draw(
        st.one_of(
            st.sampled_from(["valid", "same", "same_lower"]),
            st.integers(-1, 2),
            st.tuples(*[st.tuples(pad, pad)] * ndim),
        )
    )
    divisor = None
    if mean and draw(st.integers(0, 3)) == 0:
        divisor = draw(st.integers(-9 if op == "avg" else 1, 9).filter(bool))
    quantised = {}
    if op == "avg" and draw(st.integers(0, 2)) == 0:
        quantised = {
            "scale": draw(
                st.one_of(
                    st.fractions(Fraction(1, 9), 9, max_denominator=9),
                    st.fractions(Fraction(1, 5), 5, max_denominator=2**40),
                )
            ),
            "zero_points": [
                draw(st.integers(held.low, held.high))
                for held in (DType.of(dtype), DType.of(out_dtype or dtype))
            ],
            "rounding_about": draw(st.sampled_from(["raw", "zero_point"])),
        }
    windows: dict[str, Any] = {
        "kernel": per_axis(st.integers(1, 5)),
        "stride": draw(st.one_of(st.none(), st.just(per_axis(st.integers(1, 4))))),
        "padding": padding,
        "dilation": per_axis(st.sampled_from([1, 1, 2, 3])),
        "ceil_mode": draw(st.booleans()),
    }
    kind = draw(st.integers(0, 9))
    if kind == 0:
        windows = {"kernel": "global"}
    elif kind == 1:
        windows = {"adaptive": per_axis(st.sampled_from([1, 1, 2, 3, 4, 5, 8, None]))}
    return PoolSpec(
        op,
        **windows,
        count_include_pad=draw(st.sampled_from([None, True, False])),
        divisor_override=divisor,
        rounding=draw(st.sampled_from(ROUNDINGS)),
        dtype=dtype,
        out_dtype=out_dtype,
        clamp=clamp,
        saturate=saturate,
        ndim=ndim,
        **quantised,
    )


def naive_windows(n, k, s, padding, d, ceil_mode):
    """Return per window of an axis ``(real taps, taps counted with padding)``.

    Or None where the job is refused: no window, or one without a real tap. Every rule is
    put as a statement about positions, not as a formula of the output's length.
    """
    span = (k - 1) * d + 1
    if padding in ("same", "same_lower"):
        windows = len(range(0, n, s))
        total = max(0, (windows - 1) * s + span - n)
        small, large = total // 2, total - total // 2
        before, after = (small, large) if padding == "same" else (large, small)
    else:
        before, after = (0, 0) if padding == "valid" else padding
        # Padded positions run from 0 to end; a crop shortens what there is.
        end = n + before + after
        windows = 0
        # With ceil_mode one more, where the one before left padded positions unread.
        while windows * s + span <= end or (ceil_mode and (windows - 1) * s + span < end):
            windows += 1
        # A last one that begins behind the input is dropped (even one that fits), once.
        if ceil_mode and (windows - 1) * s >= n + before + min(after, 0):
            windows -= 1
    kept = [i for i in range(n) if -before <= i < n + after]
    found = []
    for w in range(windows):
        taps = [w * s - before + j * d for j in range(k)]
        real = [t for t in taps if t in kept]
        found.append((real, sum(-before <= t < n + after for t in taps)))
    if not found or any(not real for real, _ in found):
        return None
    return found


def naive_axes(spec: PoolSpec, sizes):
    """Return per axis what `naive_windows` does; None where the job is refused."""
    axes = []
    for i, n in enumerate(sizes):
        if spec.adaptive is None:
            padding = spec.padding if isinstance(spec.padding, str) else spec.padding[i]
            fields = (spec.kernel[i], spec.stride[i], padding, spec.dilation[i], spec.ceil_mode)
            axes.append(naive_windows(n, *fields))
            continue
        outputs = 1 if isinstance(spec.adaptive, str) else spec.adaptive[i] or n
        # torch's windows, from floor(i n / o) to ceil((i + 1) n / o)
        ends = [(w * n // outputs, -(-(w + 1) * n // outputs)) for w in range(outputs)]
        axes.append([(list(range(*window)), window[1] - window[0]) for window in ends])
    return None if None in axes else axes


def naive_pool(spec: PoolSpec, x: Any) -> tuple[list[int], tuple[int, ...]] | None:
    """Return the outputs of one plane (nested lists) in raster order, and their size.

    In plain Python and fractions; None where the job is refused.
    """
    plane, sizes = x, []
    for _ in range(spec.ndim):
        sizes.append(len(plane))
        plane = plane[0]
    axes = naive_axes(spec, sizes)
    if axes is None:
        return None
    out = []
    for window in itertools.product(*axes):
        taps = itertools.product(*(real for real, _ in window))
        values: list[int] = [functools.reduce(operator.getitem, t, x) for t in taps]
        count = 1
        if spec.op in MEANS:
            count = len(values)
            if spec.count_include_pad:
                count = math.prod(padded for _, padded in window)
            count = spec.divisor_override or count
        if spec.op == "avg":
            value = naive_average(spec, sum(values), count, len(values))
        elif (power := POWERS.get(spec.op, 1)) > 1:
            mean = Fraction(sum(abs(v) ** power for v in values), count)
            value = naive_round_root(mean, spec.rounding, power)
        elif spec.op == "lp1":
            value = sum(map(abs, values))
        else:
            value = {"max": max, "min": min, "sum": sum}[spec.op](values)
        if spec.out_dtype or spec.op not in WIDENING:
            held = DType.of(spec.out_dtype or spec.dtype)
            value = min(max(value, held.low), held.high)
        if spec.clamp:
            value = min(max(value, spec.clamp[0]), spec.clamp[1])
        out.append(value)
    return out, tuple(len(axis) for axis in axes)


def naive_average(spec: PoolSpec, total: int, divisor: int, taps: int) -> int:
    """Return the rounded average of raw values, which stand for reals as the spec says."""
    zero_in, zero_out = spec.zero_points
    exact = spec.scale * Fraction(total - taps * zero_in, divisor)
    if spec.rounding_about == "raw":
        return naive_round(exact + zero_out, spec.rounding)
    return naive_round(exact, spec.rounding) + zero_out


def naive_round_root(number: Fraction, rounding: str, degree: int = 2) -> int:
    """Return the root of a fraction rounded to an integer, by comparing powers alone."""
    root = round(float(number) ** (1 / degree))
    while root**degree > number:
        root -= 1
    while (root + 1) ** degree <= number:
        root += 1
    half = (root + Fraction(1, 2)) ** degree
    if rounding in ("floor", "trunc") or number < half:
        return root
    return root + (number > half or rounding != "half_even" or root % 2)


def naive_round(exact: Fraction, rounding: str) -> int:
    """Return a fraction rounded to an integer."""
    if rounding == "half_even":
        return round(exact)
    if rounding == "half_up":
        return math.floor(exact + Fraction(1, 2))
    if rounding == "half_away":
        size = math.floor(abs(exact) + Fraction(1, 2))
        return size if exact > 0 else -size
    return math.floor(exact) if rounding == "floor" else math.trunc(exact)
