"""The state machine that changes a core's job between frames, simulated whole."""

from itertools import pairwise

import numpy as np
import runtime_in_amaranth as example


def test_every_frame_is_of_the_next_job_and_no_clock_is_lost():
    left, golden, ends = example.run(5)
    assert len(left) == 5
    for y, right in zip(left, golden, strict=True):
        assert np.array_equal(y, right)
    core = example.RuntimePoolCore(example.MAXIMA)
    beats = [core.job(spec, shape).job.beats_in for spec, shape in example.LAYERS]
    assert [after - before for before, after in pairwise(ends)] == [beats[1], beats[0]] * 2
