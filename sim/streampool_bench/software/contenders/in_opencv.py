"""OpenCV: what it has instead of pooling, on rows x columns x channels."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from ..task import CHANNELS_LAST, Contender, Ready, Task, Unfit, per_axis
from .in_numpy import span

# typed as anything, so that the rest is checked where OpenCV is not installed
cv2: Any = import_module("cv2")

_FILTERS = {"max": cv2.dilate, "min": cv2.erode}
_BLURS = {"avg": cv2.blur}
_RESIZES = {"avg": cv2.INTER_AREA}

MOST_CHANNELS = 128
"""Beyond these OpenCV 5 takes a picture for an array of three axes, which it does not filter."""


def contenders() -> list[Contender]:
    """Return OpenCV's contenders."""
    return [
        Contender(
            "opencv-dilate", "OpenCV", "cv2.dilate(x, kernel)[::s, ::s]",
            ("uint8", "float32"), (CHANNELS_LAST,), _dilate, threaded=True,
        ),
        Contender(
            "opencv-area", "OpenCV", "cv2.resize(x, size, interpolation=cv2.INTER_AREA)",
            ("uint8", "float32"), (CHANNELS_LAST,), _area, threaded=True,
        ),
        Contender(
            "opencv-blur", "OpenCV", "cv2.blur(x, k, borderType=cv2.BORDER_CONSTANT)[::s, ::s]",
            ("float32",), (CHANNELS_LAST,), _blur, threaded=True,
        ),
    ]  # fmt: skip


def _picture(task: Task) -> np.ndarray:
    """Return the frame as rows x columns x channels; steps are columns."""
    x = task.laid_out(CHANNELS_LAST)[0]
    return x if task.spec.ndim == 2 else x[np.newaxis]


def _ready(task: Task, run: Callable[[], Any], threads: int, rounding: str = "half_even") -> Ready:
    try:
        cv2.setNumThreads(threads)
        run()
    except cv2.error as error:
        if task.shape[0] > MOST_CHANNELS:
            raise Unfit(f"OpenCV takes no {task.shape[0]} channels at once") from None
        raise Unfit(" ".join((error.err or str(error)).split())) from None

    def output(y: np.ndarray) -> np.ndarray:
        if y.ndim == 2:
            y = y[..., np.newaxis]  # it drops a single channel
        y = y[np.newaxis] if task.spec.ndim == 2 else y
        return np.moveaxis(y, -1, 1)

    return Ready(run, output, rounding, prepare=lambda: cv2.setNumThreads(threads))


def _strided(task: Task) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """Return the slices that leave one output per window, and the anchor that makes it so."""
    axes = task.job.axes
    for axis in axes:
        if axis.before < 0 or axis.after < 0 or axis.before >= axis.kernel:
            raise Unfit("it crops, or padding is wider than the kernel")
        if (axis.outputs - 1) * axis.stride >= axis.length:
            raise Unfit("more outputs than inputs")
    stops = per_axis(((axis.outputs - 1) * axis.stride + 1 for axis in axes), 1)
    strides = per_axis((axis.stride for axis in axes), 1)
    rows, columns = per_axis((axis.before for axis in axes), 0)
    at = (slice(0, stops[0], strides[0]), slice(0, stops[1], strides[1]))
    return at, (columns, rows)


def _dilate(task: Task, layout: str, threads: int) -> Ready:
    function = task.among(_FILTERS)
    if any(step > 1 for step in task.spec.dilation):
        raise Unfit("windows with gaps")
    x, (at, anchor) = _picture(task), _strided(task)
    element = np.ones(per_axis(task.spec.kernel, 1), np.uint8)

    def run() -> np.ndarray:
        return np.ascontiguousarray(function(x, element, anchor=anchor)[at])

    return _ready(task, run, threads)


def _blur(task: Task, layout: str, threads: int) -> Ready:
    # not on integers, which it divides by a rounded reciprocal: sevens of sixteen go up, too
    blur, spec, axes = task.among(_BLURS), task.spec, task.job.axes
    padded = any(axis.before or span(axis) > axis.length for axis in axes)
    if spec.divisor_override is not None or task.job.divisor_constant is None:
        raise Unfit("no average with one divisor")
    if any(step > 1 for step in spec.dilation) or (padded and not spec.count_include_pad):
        raise Unfit("windows with gaps, or padding that does not count")
    x, (at, anchor) = _picture(task), _strided(task)
    rows, columns = per_axis(spec.kernel, 1)

    def run() -> np.ndarray:
        y = blur(x, (columns, rows), anchor=anchor, borderType=cv2.BORDER_CONSTANT)
        return np.ascontiguousarray(y[at])

    return _ready(task, run, threads)


def _area(task: Task, layout: str, threads: int) -> Ready:
    interpolation, spec, axes = task.among(_RESIZES), task.spec, task.job.axes
    if spec.divisor_override is not None:
        raise Unfit("a divisor of its own")
    if any(a.kernel != a.stride or a.dilation > 1 or a.before or span(a) > a.length for a in axes):
        raise Unfit("windows overlap, have gaps, or reach over the padding")
    rows, columns = per_axis((span(axis) for axis in axes), 1)
    x = _picture(task)[:rows, :columns]
    height, width = per_axis((axis.outputs for axis in axes), 1)
    # 2 x 2 of a picture's usual channels has a path of its own, which adds a half and shifts
    halves = per_axis(spec.kernel, 1) == (2, 2) and task.shape[0] in (1, 3, 4)
    rounding = "half_up" if halves else "half_even"

    def run() -> np.ndarray:
        return cv2.resize(x, (width, height), interpolation=interpolation)

    return _ready(task, run, threads, rounding)
