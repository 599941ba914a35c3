"""NumPy: what one types without a framework, from the slowest to the fastest."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from streampool_golden import Axis, PoolSpec
from streampool_golden.operations import OPERATIONS

from ..task import CHANNELS_FIRST, CHANNELS_LAST, Contender, Ready, Task, Unfit

INTEGERS = ("int8", "float32")

NAIVE_OUTPUTS, NAIVE_CHANNELS = 8, 2
"""What the naive loop does of a frame: outputs per axis, and channels."""

MOST_IN_WINDOWS = 1 << 18
"""Values of a frame beyond which windows are made of its first channels only."""


def contenders() -> list[Contender]:
    """Return NumPy's contenders."""
    return [
        Contender(
            "numpy-naive", "NumPy", "a loop over windows: x[i:i+k, j:j+k].max()",
            INTEGERS, (CHANNELS_FIRST,), _naive,
        ),
        Contender(
            "numpy-reshape", "NumPy", "x.reshape(c, h//k, k, w//k, k).max((2, 4))",
            INTEGERS, (CHANNELS_FIRST, CHANNELS_LAST), _reshape,
        ),
        Contender(
            "numpy-windows", "NumPy", "sliding_window_view(x, k)[::s].max(-1)",
            INTEGERS, (CHANNELS_FIRST,), _windows,
        ),
        Contender(
            "numpy-separable", "NumPy", "np.maximum of strided slices, axis by axis",
            INTEGERS, (CHANNELS_FIRST, CHANNELS_LAST), _separable,
        ),
    ]  # fmt: skip


def _combine(task: Task) -> np.ufunc:
    """Return what makes one partial of two, of an operation that reduces values as they are."""
    operation = task.job.operation
    if operation.before or operation.root or (task.dtype == "float32" and not operation.floats):
        raise Unfit(f"no form of {task.spec.op} is written here")
    return operation.reduction.combine


def identity(spec: PoolSpec, dtype: np.dtype) -> float:
    """Return what never wins a maximum or minimum, and adds nothing to a sum."""
    ends: Any = (-math.inf, math.inf)
    if dtype.kind != "f":
        ends = np.iinfo(dtype).min, np.iinfo(dtype).max
    return OPERATIONS[spec.op].reduction.identity(*ends)


def span(axis: Axis) -> int:
    """Return the length of an axis that its windows reach over, padding and overhang included."""
    return (axis.outputs - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1


def padded(x: np.ndarray, axes: Sequence[Axis], first: int, value: float) -> np.ndarray:
    """Return `x` with what its windows reach over, no more: padded, overhung or cropped."""
    at = [slice(None)] * x.ndim
    pads = [(0, 0)] * x.ndim
    for i, axis in enumerate(axes, first):
        begin, end = max(0, -axis.before), min(axis.length, span(axis) - axis.before)
        at[i] = slice(begin, end)
        before = max(0, axis.before)
        pads[i] = (before, max(0, span(axis) - before - (end - begin)))
    x = x[tuple(at)]
    return np.pad(x, pads, constant_values=value) if any(map(any, pads)) else x


def finisher(task: Task, layout: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes an average of a sum; it rounds integers half to even."""
    if not task.job.operation.mean:
        return lambda total: total
    divisors = task.job.divisors
    if layout == CHANNELS_LAST:
        divisors = divisors[..., np.newaxis]
    one = divisors.flat[0] if (divisors == divisors.flat[0]).all() else divisors
    if task.dtype == "float32":
        scale = np.float32(1) / np.asarray(one, np.float32)
        return lambda total: total * scale
    dtype = np.dtype(task.dtype)
    return lambda total: np.rint(total / one).astype(dtype)


def _wide(task: Task) -> np.dtype | None:
    """Return the type that sums of integers are held in."""
    narrow = task.dtype == "float32" or task.job.operation.selects
    return None if narrow else np.dtype(np.int32)


def _first_axis(layout: str) -> int:
    return 2 if layout == CHANNELS_FIRST else 1


def channels_first(layout: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what brings an array to channels first."""
    return (lambda y: y) if layout == CHANNELS_FIRST else (lambda y: np.moveaxis(y, -1, 1))


def _naive(task: Task, layout: str, threads: int) -> Ready:
    combine, axes = _combine(task), task.job.axes
    if any(axis.before or axis.after for axis in axes):
        wanted = [max(1, NAIVE_OUTPUTS * axis.stride) for axis in axes]
    else:
        wanted = [(NAIVE_OUTPUTS - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 for a in axes]
    size = [min(axis.length, length) for axis, length in zip(axes, wanted, strict=True)]
    shape = (min(task.shape[0], NAIVE_CHANNELS), *size)
    part = Task(task.spec, shape, task.dtype)
    x = np.ascontiguousarray(task.x[(slice(None), *(slice(n) for n in shape))])
    axes, value = part.job.axes, identity(task.spec, x.dtype)
    wide, finish = _wide(task), finisher(part, layout)
    out = np.empty((1, shape[0], *part.job.out_size), wide or x.dtype)
    places = [range(axis.outputs) for axis in axes]
    taps = [[slice(o * a.stride, o * a.stride + (a.kernel - 1) * a.dilation + 1, a.dilation)
             for o in range(a.outputs)] for a in axes]  # fmt: skip

    def run() -> np.ndarray:
        y = padded(x, axes, 2, value)
        for channel in range(shape[0]):
            for place in itertools.product(*places):
                window = tuple(taps[i][o] for i, o in enumerate(place))
                out[(0, channel, *place)] = combine.reduce(y[(0, channel, *window)], axis=None)
        return finish(out)

    return Ready(run, lambda y: y, crop=shape)


def _reshape(task: Task, layout: str, threads: int) -> Ready:
    combine, axes = _combine(task), task.job.axes
    for axis in axes:
        if axis.kernel != axis.stride or axis.dilation != 1:
            raise Unfit("windows overlap or leave gaps")
        if axis.before or axis.after or span(axis) > axis.length:
            raise Unfit("there is padding")
    x, first = task.laid_out(layout), _first_axis(layout)
    at = [slice(None)] * x.ndim
    shape: list[int] = []
    over = []
    for i, length in enumerate(x.shape):
        if first <= i < first + len(axes):
            axis = axes[i - first]
            at[i] = slice(span(axis))
            shape += [axis.outputs, axis.kernel]
            over.append(len(shape) - 1)
        else:
            shape.append(length)
    finish, wide, view = finisher(task, layout), _wide(task), tuple(at)
    numbers = tuple(over)

    def run() -> np.ndarray:
        return finish(combine.reduce(x[view].reshape(shape), axis=numbers, dtype=wide))

    return Ready(run, channels_first(layout))


def _windows(task: Task, layout: str, threads: int) -> Ready:
    combine, axes = _combine(task), task.job.axes
    channels = min(task.shape[0], max(1, MOST_IN_WINDOWS // math.prod(task.shape[1:])))
    x = task.laid_out(layout)[:, :channels]
    value, finish, wide = identity(task.spec, x.dtype), finisher(task, layout), _wide(task)
    spans = [(axis.kernel - 1) * axis.dilation + 1 for axis in axes]
    numbers = tuple(range(2, 2 + len(axes)))
    steps = (slice(None), slice(None), *(slice(None, None, axis.stride) for axis in axes))
    steps += tuple(slice(None, None, axis.dilation) for axis in axes)
    over = tuple(range(-len(axes), 0))

    def run() -> np.ndarray:
        y = padded(x, axes, 2, value)
        windows = np.lib.stride_tricks.sliding_window_view(y, spans, numbers)
        return finish(combine.reduce(windows[steps], axis=over, dtype=wide))

    whole = channels == task.shape[0]
    return Ready(run, lambda y: y, crop=None if whole else (channels, *task.shape[1:]))


def _separable(task: Task, layout: str, threads: int) -> Ready:
    combine, axes = _combine(task), task.job.axes
    x, first = task.laid_out(layout), _first_axis(layout)
    value, finish, wide = identity(task.spec, x.dtype), finisher(task, layout), _wide(task)
    taps = []
    for i, axis in reversed(list(enumerate(axes, first))):
        last = (axis.outputs - 1) * axis.stride + 1
        starts = [tap * axis.dilation for tap in range(axis.kernel)]
        taps.append(
            [(*[slice(None)] * i, slice(start, start + last, axis.stride)) for start in starts]
        )

    def run() -> np.ndarray:
        y = padded(x, axes, first, value)
        for here in taps:
            if len(here) == 1:
                y = y[here[0]]
                continue
            out = combine(y[here[0]], y[here[1]], dtype=wide)
            for tap in here[2:]:
                combine(out, y[tap], out=out)
            y = out
        return finish(y)

    return Ready(run, channels_first(layout))
