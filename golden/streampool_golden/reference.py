"""The golden model: pooling in NumPy, exact to the last bit."""

import warnings
from typing import Any

import numpy as np

from .arrays import FrameAxes, checked
from .errors import SpecWarning, wrong
from .fields import BASES, lengths
from .layers import specification
from .pool_job import PoolJob
from .spec import PoolSpec


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
        The order of the axes; that of the specification by default, or channels first.

    Returns
    -------
    numpy.ndarray
        The output, in `x`'s layout and in the container of the output's type (int8 for
        int5). Sums, quotients and their roots are exact, rounded once, then saturated and
        clamped. Floats are as `floats.chosen` and `floats.mean` say.

    Raises
    ------
    SpecError
        If `x` is not of integers, or of floats, as ``spec.dtype`` is, has a value that it does
        not hold or too few axes, `layout` is not one of the specification's, or `spec` does not
        work on the size.

    Warns
    -----
    SpecWarning
        For each of `PoolJob.warnings`.
    """
    job, frames, axes = _prepared(spec, x, layout)
    return axes.back(job.pooled(frames))


def pool_with_indices(
    spec: PoolSpec, x: Any, layout: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `x` pooled as `spec` says, and where each maximum or minimum was.

    It takes what `pool` takes, warns and refuses as it does, and also refuses a `spec` that asks
    for no indices, or whose indices would not fit.

    Returns
    -------
    values : numpy.ndarray
        ``pool(spec, x, layout)``.
    indices : numpy.ndarray of int64
        Of the same shape. Of equal values the first in row-major order counts, of NaNs that
        propagate the last, and never padding. What saturation and `clamp` do to a value moves
        no index. ONNX's bases count on through all the axes before the spatial ones, as if
        channels came first; torch's and TensorFlow's start anew with each plane and image.

    Examples
    --------
    >>> spec = PoolSpec("max", 2, indices="plane", dtype="uint8")
    >>> values, indices = pool_with_indices(spec, [[[1, 7, 3, 3], [7, 2, 3, 0]]])
    >>> values.tolist(), indices.tolist()
    ([[[7, 3]]], [[[1, 2]]])
    """
    if specification(spec).indices is None:
        raise wrong("indices", f"one of {', '.join(BASES)}", None)
    job, frames, axes = _prepared(spec, x, layout)
    values, indices = map(axes.back, job.counted_on(job.pooled(frames), job.indices(frames)))
    return values, indices


def _prepared(spec: PoolSpec, x: Any, layout: str | None) -> tuple[PoolJob, np.ndarray, FrameAxes]:
    """Return the job on an array, the array as frames, and how they become such an array again.

    Warns at the line that called what the user called.
    """
    x = checked(specification(spec).in_dtype, x)
    axes = FrameAxes.of(spec.ndim, spec.layout if layout is None else layout, {"x": x})
    channels, *size = axes.shape
    job = PoolJob(spec, (max(1, channels), *lengths("size", size)))
    for message in job.warnings:
        warnings.warn(message, SpecWarning, stacklevel=3)
    return job, axes.frames(x), axes
