"""An operation that is not ours: an entry in either table is all that it takes."""

import numpy as np
import pytest
from amaranth.hdl import Module
from streampool_golden import PoolSpec, SpecError, pool
from streampool_golden import operations as golden
from streampool_hw.blocks.block import Block, Number
from streampool_hw.datapath.pipeline import Bundle, Step, lane_shape
from streampool_hw.reduce.operations import FLOAT_GATES, GATES, Gates
from streampool_hw.reduce.reduction import sums
from streampool_sim import simulate


class Cube(Block):
    """The third power, in a clock."""

    def __init__(self, job):
        shape, self._bits = lane_shape(job.input), job.partial(1).bits
        super().__init__(
            [Step(self._cube)], {"value": shape}, {"value": sums(job, 0).shape(job.partial(1))}
        )

    def _cube(self, m: Module, lane: Number, beat: Bundle) -> Number:
        value = lane.value
        return Number((value * value * value)[: self._bits].as_signed())


@pytest.mark.parametrize("fields", [{}, {"out_dtype": "int6", "saturate": True}])
def test_an_operation_from_outside_runs_as_ours_do(fields: dict, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SpecError):
        PoolSpec("cubes", 2)
    entry = golden.Operation(golden.SUM, before=lambda x: x**3, terms="cubes", widens=True)
    monkeypatch.setitem(golden.OPERATIONS, "cubes", entry)
    monkeypatch.setitem(GATES, "cubes", Gates(sums, lambda job: [Cube(job)]))
    spec = PoolSpec("cubes", 3, 2, 1, dtype="int5", **fields)
    frames = np.random.default_rng(4).integers(-16, 16, (3, 3, 7, 8), dtype=np.int8)
    frames[0] = -16
    result = simulate(spec, frames, lanes=2, engine="amaranth", stall=0.3, seed=2)
    assert np.array_equal(result.output, pool(spec, frames))
    # one window, by hand
    total = int((frames[1, 2, 1:4, 3:6].astype(int) ** 3).sum())
    low, high = (-32, 31) if fields else (-(10**6), 10**6)
    assert result.output[1, 2, 1, 2] == min(max(total, low), high)


def test_both_tables_have_the_same_operations():
    assert list(GATES) == list(golden.OPERATIONS)
    for name, operation in golden.OPERATIONS.items():
        assert (name in FLOAT_GATES) == operation.floats
