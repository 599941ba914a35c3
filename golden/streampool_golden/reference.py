"""The golden model: pooling in NumPy, exact to the last bit."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import floats
from .dtypes import DType
from .errors import SpecError, SpecWarning
from .fields import ROUNDINGS, choice
from .geometry import Axis
from .indices import BASES
from .job import Job
from .roots import round_root
from .spec import MOST_BITS_IN, PoolSpec

LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
"""Layouts by the number of spatial axes, channels first before channels last."""


def pool(spec: PoolSpec, x: Any, layout: str | None = None) -> np.ndarray:
    """Return `x` pooled as `spec` says.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    x : array_like of int or float
        The input, in any integer type as long as each value is one of ``spec.dtype``; any
        floating type, if that is one.
        Before the axes that `layout` ends with (H and W, or H, W and C) there may be
        any number of others, none included.
    layout : {"NCHW", "NHWC", "NCW", "NWC", "NCDHW", "NDHWC"}, optional
        The order of the axes; channels first by default.

    Returns
    -------
    numpy.ndarray
        The output, in `x`'s layout and in the container of the output's type (int8 for
        int5). Sums, quotients and their roots are exact, rounded once, then saturated and
        clamped. Floats are as `floats.extreme` and `floats.mean` say.

    Raises
    ------
    SpecError
        If `x` is not of integers, or of floats, as ``spec.dtype`` is, has a value that it does
        not hold or too few axes, `layout` is not one of the specification's, or `spec` does not
        work on the size.

    Warns
    -----
    SpecWarning
        For each of ``spec.warnings(size)``.
    """
    return pool_from(spec, x, layout, stacklevel=3)


def pool_from(spec: PoolSpec, x: Any, layout: str | None, stacklevel: int) -> np.ndarray:
    """Do as `pool`, and blame the warnings on the caller `stacklevel` calls up."""
    x = _checked(spec, x)
    at, channels_last = _spatial(spec, x, layout)
    size = x.shape[at : at + spec.ndim]
    axes = spec.axes(size)
    low, high = spec.bounds(size)
    spec.accumulator(size)  # refuses what would not fit
    for message in spec.warnings(size):
        warnings.warn(message, SpecWarning, stacklevel=stacklevel)

    if spec.in_dtype.is_float:
        return _of_floats(spec, x, axes, at, channels_last)
    if spec.op in ("l2", "lp1", "lp2"):
        x = np.abs(x.astype(np.int64)) if spec.op == "lp1" else x.astype(np.int64) ** 2
    for i in reversed(range(spec.ndim)):
        x = _reduced(spec.op, x, axes[i], at + i)
    if spec.op == "avg":
        x = _averaged(spec.job((1, *size)), x, channels_last)
    elif spec.op in ("l2", "lp2"):
        divisors = spec.job((1, *size)).divisors
        x = round_root(x, divisors.reshape(divisors.shape + (1,) * channels_last), spec.rounding)
    if x.dtype == object:  # clipped
        return x.astype(spec.output(size).numpy)
    held = np.iinfo(x.dtype)
    if low > held.min or high < held.max:
        x = np.clip(x.astype(np.int64), low, min(high, np.iinfo(np.int64).max))
    return x.astype(spec.output(size).numpy, copy=False)


def pool_with_indices(
    spec: PoolSpec, x: Any, layout: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `x` pooled as `spec` says, and where each maximum or minimum was.

    Parameters
    ----------
    spec : PoolSpec
        What to compute; its `indices` says how positions are numbered.
    x, layout
        As `pool` takes them.

    Returns
    -------
    values : numpy.ndarray
        ``pool(spec, x, layout)``.
    indices : numpy.ndarray of int64
        Of the same shape. Of equal values the first in row-major order counts, of NaNs that
        propagate the last, and never padding. What saturation and `clamp` do to a value moves
        no index. ONNX's bases count on through all the axes before the spatial ones, as if
        channels came first; torch's and TensorFlow's start anew with each plane and image.

    Raises
    ------
    SpecError
        As `pool`, and if `spec` asks for no indices or one would not fit.

    Warns
    -----
    SpecWarning
        For each of ``spec.warnings(size)``.

    Examples
    --------
    >>> spec = PoolSpec("max", 2, indices="plane", dtype="uint8")
    >>> values, indices = pool_with_indices(spec, [[[1, 7, 3, 3], [7, 2, 3, 0]]])
    >>> values.tolist(), indices.tolist()
    ([[[7, 3]]], [[[1, 2]]])
    """
    if spec.indices is None:
        raise SpecError(
            "indices", f"indices must be given, one of {', '.join(BASES)}, and is None."
        )
    values = pool_from(spec, x, layout, stacklevel=3)
    x = _checked(spec, x)
    at, channels_last = _spatial(spec, x, layout)
    x = np.moveaxis(x, -1, at) if channels_last else x
    # (planes, *size) of keys of which the largest wins
    at, size = x.ndim - spec.ndim, x.shape[x.ndim - spec.ndim :]
    keys, axes = x.reshape(-1, *size), spec.axes(size)
    if spec.in_dtype.is_float:
        _, order = floats.extreme(keys, axes, 1, least=spec.op == "min", nan=spec.nan)
    else:
        keys = keys.astype(np.int64)
        order = _first_of_largest(~keys if spec.op == "min" else keys, axes)
    channels = max(1, x.shape[at - 1]) if at else 1
    numbering = spec.job((channels, *size)).numbering
    assert numbering is not None
    indices = numbering.numbers(np.unravel_index(order, size))
    plane = np.arange(len(indices)).reshape(-1, *(1,) * spec.ndim)
    frame = plane // channels
    indices = indices + (plane - frame * channels) * numbering.channel + frame * numbering.frame
    indices = indices.reshape(*x.shape[:at], *indices.shape[1:])
    return values, np.moveaxis(indices, at - 1, -1) if channels_last else indices


def _first_of_largest(keys: np.ndarray, axes: Sequence[Axis]) -> np.ndarray:
    """Return the row-major position of the largest key of each window, the first of equal ones."""
    size = keys.shape[1:]
    order = np.broadcast_to(np.arange(np.prod(size, dtype=np.int64)).reshape(size), keys.shape)
    for i, axis in enumerate(axes):
        at = 1 + i
        shape = (*keys.shape[:at], axis.outputs, *keys.shape[at + 1 :])
        # what stands here loses to any tap: to equal keys by its position
        best = np.full(shape, np.iinfo(np.int64).min)
        first = np.full(shape, np.iinfo(np.int64).max)
        for windows, inputs in axis.slices():
            here, there = (slice(None),) * at + (windows,), (slice(None),) * at + (inputs,)
            key, place = keys[there], order[there]
            wins = (key > best[here]) | ((key == best[here]) & (place < first[here]))
            best[here] = np.where(wins, key, best[here])
            first[here] = np.where(wins, place, first[here])
        keys, order = best, first
    return order


def _of_floats(
    spec: PoolSpec, x: np.ndarray, axes: tuple[Axis, ...], at: int, channels_last: int
) -> np.ndarray:
    """Return `x` pooled along the axes from `at`."""
    if spec.op in ("max", "min"):
        return floats.extreme(x, axes, at, least=spec.op == "min", nan=spec.nan)[0]
    divisors = spec.job((1, *x.shape[at : at + len(axes)])).divisors
    return floats.mean(x, axes, at, divisors.reshape(divisors.shape + (1,) * channels_last))


def round_div(num: Any, den: Any, mode: str = "half_away") -> np.ndarray:
    """Return num / den rounded to integers, exactly.

    Parameters
    ----------
    num, den : array_like of int
        Broadcast against each other. Integers beyond 64 bits in object arrays stay exact.
        No `den` may be 0.
    mode : {"half_away", "half_even", "half_up", "floor", "trunc"}
        Halves away from zero, to even, up; down; toward zero.

    Returns
    -------
    numpy.ndarray
        Of int64, or of objects where an input is or a value does not fit.

    Raises
    ------
    SpecError
        If `mode` is not one of the above.
    ZeroDivisionError
        If a `den` is 0.

    Notes
    -----
    Half away from zero is ``(num + den / 2) / den`` in C's integers, with the sum's sign
    on ``den / 2``, as TFLite and CMSIS-NN have it.
    """
    choice("rounding", mode, ROUNDINGS)
    num, den = _exact(num), _exact(den)
    shape = np.broadcast_shapes(num.shape, den.shape)
    # Of no axes, an operation on objects would give a bare object.
    num, den = np.atleast_1d(num), np.atleast_1d(den)
    if (den == 0).any():
        raise ZeroDivisionError("round_div by 0")
    if num.dtype != den.dtype:
        num, den = num.astype(object), den.astype(object)
    num, den = np.where(den < 0, -num, num), np.abs(den)
    floor = num // den
    rest = num - floor * den
    if mode == "floor":
        up = np.zeros(rest.shape, dtype=bool)
    elif mode == "trunc":
        up = (num < 0) & (rest != 0)
    else:
        # Compared so, nothing doubles: no divisor is too large.
        tie = rest == den - rest
        up = rest > den - rest
        if mode == "half_up":
            up = up | tie
        elif mode == "half_away":
            up = up | (tie & (num > 0))
        else:
            up = up | (tie & (floor % 2 == 1))
    return (floor + up.astype(floor.dtype)).reshape(shape)


def _spatial(spec: PoolSpec, x: np.ndarray, layout: str | None) -> tuple[int, bool]:
    """Return the first spatial axis of `x`, and whether channels come last."""
    first, last = LAYOUTS[spec.ndim]
    channels_last = choice("layout", first if layout is None else layout, (first, last)) == last
    if x.ndim < spec.ndim + channels_last:
        raise SpecError(
            "x",
            f"x must have at least {spec.ndim + channels_last} axes in layout"
            f" {layout or first}, not shape {x.shape}.",
        )
    return x.ndim - spec.ndim - channels_last, channels_last


def _exact(values: Any) -> np.ndarray:
    """Return `values` as int64 where they and their negatives fit, else as objects."""
    array = np.asarray(values)
    if array.dtype != object:
        limit = np.iinfo(np.int64).max
        if not array.size or (int(array.min()) >= -limit and int(array.max()) <= limit):
            return array.astype(np.int64)
    return array.astype(object)


def _checked(spec: PoolSpec, x: Any) -> np.ndarray:
    """Return `x` in the container of the specification's type, or refuse it."""
    x = np.asarray(x)
    dtype = spec.in_dtype
    if dtype.is_float:
        return _checked_floats(dtype, x)
    if x.dtype.kind == "f":
        raise SpecError(
            "x",
            f"x must be of integers, not {x.dtype}; quantise it first, for example with"
            f" np.clip(np.rint(x / scale), {dtype.low}, {dtype.high}).astype(np.{dtype.numpy}),"
            " or take dtype float16, bfloat16 or float32.",
        )
    if x.dtype.kind not in "iu":
        raise SpecError("x", f"x must be an array of integers within {dtype}, not of {x.dtype}.")
    if x.size:
        low, high = int(x.min()), int(x.max())
        if not dtype.holds(low, high):
            needed = DType.holding(low, high)
            hint = (
                f"dtype {needed} would hold it" if needed.bits <= MOST_BITS_IN else "scale it first"
            )
            raise SpecError(
                "x",
                f"x must be within {dtype} ({dtype.low} to {dtype.high}), and has"
                f" {low if low < dtype.low else high}; {hint}.",
            )
    return x.astype(dtype.numpy, copy=False)


def _checked_floats(dtype: DType, x: np.ndarray) -> np.ndarray:
    """Return `x` in the specification's type, contiguous, or refuse it."""
    if x.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise SpecError(
            "x", f"x must be an array of {dtype}, not of {x.dtype}; x.astype would make it one."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        held = np.ascontiguousarray(x, dtype.numpy)
        same = held.dtype == x.dtype or (held.astype(x.dtype) == x) | np.isnan(x)
    if not np.all(same):
        value = x[~same].flat[0]
        raise SpecError(
            "x",
            f"x must be of values that {dtype} holds, and has {value}; rounded first, with"
            " x.astype, it would do.",
        )
    return held


def _averaged(job: Job, sums: np.ndarray, channels_last: int) -> np.ndarray:
    """Return exact sums as averages, within the job's bounds where they are requantised."""
    spec = job.spec
    divisors, taps = (
        array.reshape(array.shape + (1,) * channels_last) for array in (job.divisors, job.taps)
    )
    how = job.requantisation
    if how is None:
        return round_div(sums, divisors, spec.rounding)
    sums, divisors, taps = (array.astype(object) for array in (sums, divisors, taps))  # any width
    over = how.factor * sums + how.offset(divisors, taps)
    low, high = job.bounds
    return np.clip(round_div(over, how.below * divisors, spec.rounding) + how.after, low, high)


def _reduced(op: str, x: np.ndarray, axis: Axis, at: int) -> np.ndarray:
    """Return `x` reduced along its axis `at`, one tap of all windows at a time."""
    shape = (*x.shape[:at], axis.outputs, *x.shape[at + 1 :])
    if op == "max":
        out = np.full(shape, np.iinfo(x.dtype).min, dtype=x.dtype)
        combine = np.maximum
    elif op == "min":
        out = np.full(shape, np.iinfo(x.dtype).max, dtype=x.dtype)
        combine = np.minimum
    else:
        out = np.zeros(shape, dtype=np.int64)
        combine = np.add
    before = (slice(None),) * at
    for windows, inputs in axis.slices():
        part = out[(*before, windows)]
        combine(part, x[(*before, inputs)], out=part)
    return out
