"""Pooled values and their indices through a simulated MaxUnpool core."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from streampool_golden import DType, UnpoolJob

from .axes import FrameAxes
from .simulation import Result, simulate


def simulate_unpool(
    values: Any,
    indices: Any,
    size: Sequence[int],
    *,
    layout: str | None = None,
    lanes: int | None = None,
    **how: Any,
) -> Result:
    """Unpool arrays through the core: `simulate` with the job that fits them.

    Parameters
    ----------
    values, indices, size, layout
        As `streampool_golden.unpool` takes them, indices as torch numbers them.
    lanes : int, optional
        Channels side by side in a beat; the channels, 8 at most, by default.
    **how
        As `simulate` takes it; ``frames``, 2 or 1, are those that the core keeps.
    """
    shape = FrameAxes.of(len(size), layout, (values, indices)).shape
    job = UnpoolJob(shape, size, lanes, DType.of(np.asarray(values).dtype))
    return simulate(job, values, indices, layout=layout, **how)
