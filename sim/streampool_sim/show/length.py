"""What is known of a run's length before it is recorded."""

import numpy as np
from streampool_golden import PoolJob

from ..engines.stalls import SINK, SOURCE, base, hashes, threshold


def overlong(job: PoolJob, *, count: int, clocks: int, stall: float = 0.0, seed: int = 0) -> bool:
    """Return whether a run certainly has more clocks than so many, as `recording.record` has it.

    A beat leaves after its window's last tap has come in, and either side moves only in clocks in
    which its stalls let it. What this leaves out is the core's latency, and what waits in it.
    """

    def willing(purpose: int) -> np.ndarray:
        numbers = hashes(base(seed, purpose), 0, clocks)
        return np.flatnonzero(numbers >= np.uint64(threshold(stall)))

    def last_tap(*windows: int) -> int:
        taps = [axis.taps(i)[-1] for axis, i in zip(job.axes, windows, strict=True)]
        return int(np.ravel_multi_index(taps, job.size)) * job.fold

    source, sink = willing(SOURCE), willing(SINK)
    first = last_tap(*(0 for _ in job.axes))
    ending = last_tap(*(outputs - 1 for outputs in job.out_size)) + job.fold - 1
    last = (count - 1) * job.beats_in + ending
    if last >= len(source):
        return True
    out = sink[sink > source[first]]
    return len(out) < count * job.beats_out or out[-1] <= source[last]
