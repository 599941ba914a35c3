"""The contract of reset that `AxiCore` states, for cores of every kind."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator
from streampool_golden import Job, PoolJob, PoolSpec, SpecError, UnpoolJob
from streampool_hw import AxiCore, make_core

JOBS: dict[str, Job] = {
    "max": PoolJob(PoolSpec("max", 3, 2, 1), (3, 6, 5), 2),
    "drains": PoolJob(PoolSpec("sum", 5, 1, 2), (1, 4, 5), 1),
    "grows": PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint1"), (1, 5, 5), 1),
    "through": PoolJob(PoolSpec("max", 1), (2, 1, 1), 2),
    "indices": PoolJob(PoolSpec("max", 2, indices="flat"), (2, 4, 4), 2),
    "floats": PoolJob(PoolSpec("avg", 2, dtype="float16"), (1, 4, 4), 1),
    "unpool": UnpoolJob((3, 2, 3), (4, 6), 2),
}


class Resettable(wiring.Component):
    """A core whose reset is a signal."""

    def __init__(self, core: AxiCore):
        self.core, self.reset = core, Signal()
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain("sync")
        m.d.comb += ResetSignal().eq(self.reset)
        m.submodules.core = self.core
        return m


@pytest.mark.parametrize("name", JOBS)
def test_reset(name: str):
    job = JOBS[name]
    core = AxiCore(make_core(job))
    ready = "clear_cycles" not in core.core.facts()
    bench, rng = Resettable(core), random.Random(name)
    lengths, odd = [], []

    async def run(ctx):
        for _ in range(8):
            await traffic(ctx, rng.randrange(4 * job.beats_in))
            # what is sent in reset is lost; one edge is enough
            ctx.set(bench.reset, 1)
            ctx.set(core.s_axis_tvalid, 1)
            await ctx.tick()
            for _ in range(rng.randrange(3)):
                look(ctx)
                await ctx.tick()
            look(ctx)
            ctx.set(bench.reset, 0)
            await whole_frame(ctx)

    def look(ctx):
        state = (ctx.get(core.s_axis_tready), ctx.get(core.m_axis_tvalid))
        flags = [ctx.get(getattr(core, flag)) for flag in ("frame_error", *core.core.flags)]
        if state != (ready, 0) or any(flags):
            odd.append((state, flags))

    async def traffic(ctx, clocks):
        for _ in range(clocks):
            ctx.set(core.s_axis_tvalid, rng.random() < 0.7)
            ctx.set(core.m_axis_tready, rng.random() < 0.7)
            ctx.set(core.s_axis_tdata, rng.getrandbits(len(core.s_axis_tdata)))
            await ctx.tick()

    async def whole_frame(ctx):
        ctx.set(core.s_axis_tdata, 0)
        ctx.set(core.m_axis_tready, 1)
        sent = given = last = 0
        for _ in range(4 * (job.beats_in + job.beats_out) + 100):
            ctx.set(core.s_axis_tvalid, sent < job.beats_in)
            ctx.set(core.s_axis_tlast, sent == job.beats_in - 1)
            sent += sent < job.beats_in and ctx.get(core.s_axis_tready)
            if ctx.get(core.m_axis_tvalid):
                given, last = given + 1, ctx.get(core.m_axis_tlast)
            await ctx.tick()
        lengths.append((given, last, ctx.get(core.frame_error)))

    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    assert not odd
    assert set(lengths) == {(job.beats_out, 1, 0)}


def test_what_is_no_job_is_refused():
    with pytest.raises(SpecError, match=r"job must be a PoolJob or UnpoolJob; use PoolJob\(") as it:
        make_core(PoolSpec("max", 2))  # pyright: ignore[reportArgumentType]
    assert it.value.field == "job"
