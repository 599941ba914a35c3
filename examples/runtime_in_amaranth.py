"""A state machine that gives a pooling core the next layer's job while a frame of this one runs.

Two layers take turns: a camera's frames are pooled by one, and what a network made of them by the
other. No processor is there; the jobs' words are in a ROM. `python runtime_in_amaranth.py` runs it.
"""

import sys
from itertools import pairwise

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator
from streampool_golden import PoolSpec
from streampool_hw import JobWriter, Maxima, RuntimeJob, RuntimePoolCore

MAXIMA = Maxima(*(2, 8, ("max", "min")), max_fold=16, max_row=64, max_words=8, max_length=16)
LAYERS = (
    (PoolSpec("max", kernel=3, stride=2, padding=1, dtype="uint8"), (16, 8, 8)),
    (PoolSpec("min", kernel=2, dtype="int8"), (20, 6, 4)),
)


class InTurn(wiring.Component):
    """A core of which each frame is of the next job, over and over.

    When a frame has begun, a `JobWriter` writes the job of the frame behind it; the core takes it
    over where the frame ends. So no clock is lost between layers that lose none by themselves, and
    whose frames are longer than the writing takes.

    Parameters
    ----------
    core : RuntimePoolCore
        The core; its streams are this component's.
    jobs : sequence of RuntimeJob
        The jobs, in turn.

    Members
    -------
    i, o
        As the core has them. The first frame may come when `ready` is high.
    ready : Out(1)
        Whether the first job is in force.
    """

    i: stream.Interface
    o: stream.Interface
    ready: Signal

    def __init__(self, core: RuntimePoolCore, jobs: list[RuntimeJob]):
        self._core, self._jobs = core, jobs
        super().__init__(
            {
                "i": core.signature.members["i"],
                "o": core.signature.members["o"],
                "ready": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        wiring.connect(m, wiring.flipped(self.i), core.i)
        wiring.connect(m, core.o, wiring.flipped(self.o))

        m.submodules.writer = writer = JobWriter(self._jobs)
        m.d.comb += [
            *(writer.next.eq(core.began), writer.busy.eq(core.busy)),
            *(core.write.eq(writer.write), core.address.eq(writer.address)),
            core.data.eq(writer.data),
        ]
        with m.If(writer.settled):
            m.d.sync += self.ready.eq(1)
        return m


def run(count: int) -> tuple[list[np.ndarray], list[np.ndarray], list[int]]:
    """Pool random frames; return what left, what golden says, and when each had come in."""
    core = RuntimePoolCore(MAXIMA)
    jobs = [core.job(spec, shape) for spec, shape in LAYERS]
    rng = np.random.default_rng(0)
    turns = [jobs[k % len(jobs)] for k in range(count)]
    frames = [
        rng.integers(job.job.input.low, job.job.input.high + 1, job.job.shape) for job in turns
    ]
    design, clocks = InTurn(core, jobs), [0]
    ends: list[int] = []
    left: list[np.ndarray] = []

    async def count_clocks(ctx):
        async for _ in ctx.tick():
            clocks[0] += 1

    async def source(ctx):
        while not ctx.get(design.ready):
            await ctx.tick()
        for job, frame in zip(turns, frames, strict=True):
            for beat in job.job.layout_in.pack(frame[None].astype(job.job.input.numpy)).reshape(
                -1, MAXIMA.lanes
            ):
                for lane, value in enumerate(beat):
                    ctx.set(design.i.payload[lane], int(value) & 0xFF)
                ctx.set(design.i.valid, 1)
                await ctx.tick().until(design.i.ready)
                ctx.set(design.i.valid, 0)
            ends.append(clocks[0])
        ctx.set(design.i.valid, 0)

    async def sink(ctx):
        ctx.set(design.o.ready, 1)
        for job in turns:
            beats = []
            last = False
            while not last:
                *_, payload = await ctx.tick().sample(design.o.payload).until(design.o.valid)
                beats.append([int(value) for value in payload.data])
                last = payload.last
            raw = np.array(beats, np.uint8).view(job.job.output.numpy)
            left.append(job.job.layout_out.unpack(raw).reshape(job.job.out_shape))

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(count_clocks, background=True)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    golden = [
        job.job.reference(frame[None].astype(job.job.input.numpy))[0][0]
        for job, frame in zip(turns, frames, strict=True)
    ]
    return left, golden, ends


if __name__ == "__main__":
    left, golden, ends = run(6)
    right = all(np.array_equal(*pair) for pair in zip(left, golden, strict=True))
    clocks = [after - before for before, after in pairwise(ends)]
    print("every frame", "equals" if right else "DIFFERS from", "the golden model; clocks", clocks)
    sys.exit(not right)
