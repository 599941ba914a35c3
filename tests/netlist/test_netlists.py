"""Synthesized cores, made of what their cells do, against the core: beat for beat, to the cycle."""

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw import PoolCore
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, ToolError
from streampool_hw.fpga.netlist import netlist_rtlil
from streampool_hw.reduce.stage import BANK, AxisStage
from streampool_sim.engines import fast
from streampool_sim.engines.model import Build
from streampool_sim.frames import pack, unpack

JOBS = {
    "A": PoolJob(PoolSpec("max", 2), (3, 8, 16), 1),
    "A, narrow": PoolJob(PoolSpec("max", 2, dtype="int3"), (2, 4, 8), 1),
    "B": PoolJob(PoolSpec("max", 3, 2, 1), (6, 9, 11), 2),
    "C'": PoolJob(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (4, 7, 9), 2),
    "F": PoolJob(PoolSpec("max", 5, 1, 2), (4, 6, 8), 2),
    "F, many blocks": PoolJob(PoolSpec("max", 5, 1, 2), (16, 4, 5), 8),  # they write in every clock
    "fewest positions of a RAM": PoolJob(
        PoolSpec("max", 3, 2, 1, ndim=1), (AxisStage.DEPTH, 11), 1
    ),
    "two banks": PoolJob(
        PoolSpec("max", 2, dtype="int3"), (BANK + 2, 4, 2 * AxisStage.DEPTH), BANK + 2
    ),
}
QUICK = {("ecp5-25k-6", "A"), ("ice40-hx8k", "A, narrow")}
CASES = [
    pytest.param(device, name, marks=[] if (device, name) in QUICK else [pytest.mark.long])
    for device in ("ecp5-25k-6", "ice40-hx8k")
    for name in JOBS
]


@pytest.mark.parametrize(("device", "name"), CASES)
def test_a_netlist_does_what_the_core_does(device: str, name: str):
    job = JOBS[name]
    family = DEVICES[device].family
    made = PoolCore(job.spec, job.shape, job.lanes, family=family)
    core = PoolCore(job.spec, job.shape, job.lanes)
    texts = [netlist_rtlil(made, DEVICES[device]), yosys.to_rtlil(core, "top")]
    model, other = Build([made, core], optimise="-O0", texts=texts).load()
    rng = np.random.default_rng(7)
    dtype = job.spec.in_dtype
    frames = rng.integers(dtype.low, dtype.high + 1, (4, *job.shape)).astype(dtype.numpy)
    beats = pack(job, frames)
    for stall, reset_at in ((0.0, None), (0.3, None), (0.6, 77)):
        seen = fast.run(made, beats, model=model, stall=stall, seed=5, reset_at=reset_at)
        meant = fast.run(core, beats, model=other, stall=stall, seed=5, reset_at=reset_at)
        assert np.array_equal(unpack(job, seen.out), np.stack([pool(job.spec, x) for x in frames]))
        assert np.array_equal(seen.last, meant.last)
        assert np.array_equal(seen.in_cycles, meant.in_cycles)
        assert np.array_equal(seen.out_cycles, meant.out_cycles)


def test_a_family_without_models_is_refused():
    core = PoolCore(PoolSpec("max", 2), (1, 4, 4), 1, family="gowin")
    yosys.to_rtlil(core, "top")  # not to be warned of a core that nobody uses
    with pytest.raises(ToolError, match="ecp5 and ice40 would do"):
        netlist_rtlil(core, DEVICES["gowin-gw1nr9"])
