"""Benches with AXI4-Stream sources and sinks that are not our own, cocotbext-axi's.

They send and take whole frames as bytes. Of the cores that have tkeep, what a sink keeps of a frame
is checked against the golden model's array, without a word about beats and lanes.
"""

from itertools import pairwise
from typing import Any

import cocotb
import numpy as np
from axis_jobs import JOBS, MARKED, lane_out, padded, payload, words_in, words_out
from axis_stream import gaps
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotb.utils import get_time_from_sim_steps
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from streampool_golden import PoolJob, pool

CORES = JOBS | MARKED
CLOCK_NS = 10


class Frames:
    """A core between a source and a sink."""

    def __init__(self, dut: Any, name: str):
        self.job: PoolJob = CORES[name]
        self.marked = name in MARKED
        self.aclk = getattr(dut, f"{name}_aclk")
        self.aresetn = getattr(dut, f"{name}_aresetn")
        self.frame_error = getattr(dut, f"{name}_frame_error")
        self.aresetn.value = 0
        self.clock = Clock(self.aclk, CLOCK_NS, unit="ns")
        self.clock.start()
        reset = (self.aclk, self.aresetn, False)  # active low
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, f"{name}_s_axis"), *reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, f"{name}_m_axis"), *reset)

    async def reset(self) -> None:
        """Hold reset for three clocks."""
        self.aresetn.value = 0
        for _ in range(3):
            await RisingEdge(self.aclk)
        self.aresetn.value = 1
        await RisingEdge(self.aclk)
        assert not self.frame_error.value

    def send(self, x: np.ndarray, null: bool = True) -> list[AxiStreamFrame]:
        """Have frames (frames, channels, *size) sent; their bytes, all marks where they belong."""
        frames = []
        words = words_in(self.job, x)
        width = self.job.lanes * padded(self.job.spec.in_dtype.bits) // 8
        for one in np.split(np.arange(len(words.values)), len(x)):
            beats = b"".join(words.values[at].to_bytes(width, "little") for at in one)
            # a byte of a lane that has a channel may have spare bits, but never no bit at all
            keep = [
                int(byte > 0 or not null)
                for at in one
                for byte in words.used[at].to_bytes(width, "little")
            ]
            user = [int(at == one[0]) for at in one for _ in range(width)]
            frames.append(AxiStreamFrame(beats, tkeep=keep, tuser=user))
        return frames

    async def check(self, x: np.ndarray) -> list[AxiStreamFrame]:
        """Take what comes of frames `x`, check it against the golden model, and return it."""
        words = words_out(self.job, x)
        width = self.job.lanes * lane_out(self.job) // 8
        came = []
        for right, word in zip(
            pool(self.job.spec, x), np.split(np.arange(len(words.values)), len(x)), strict=True
        ):
            frame = await self.sink.recv(compact=False)
            assert len(frame.tdata) == width * self.job.beats_out
            for at, beat in enumerate(word):
                value = int.from_bytes(frame.tdata[at * width :][:width], "little")
                assert value & words.used[beat] == words.values[beat]
            if self.marked:
                assert frame.tuser == [1] * width + [0] * (len(frame.tdata) - width)
                frame.compact()
                bits = self.job.output.bits
                array = np.moveaxis(right, 0, -1)  # channels innermost
                size = padded(bits) // 8
                sign = self.job.output.signed
                assert bytes(frame.tdata) == b"".join(
                    int(value).to_bytes(size, "little", signed=sign) for value in array.flat
                )
            came.append(frame)
        return came

    async def finish(self) -> None:
        """Nothing more comes; stop the clock."""
        for _ in range(self.job.beats_out + 64):
            await RisingEdge(self.aclk)
        assert self.source.idle() and self.sink.empty() and self.sink.idle()
        self.clock.stop()


@cocotb.test()
@cocotb.parametrize(
    name=list(CORES),
    pauses=(("random", "none"), ("none", "random"), ("bursts", "bursts"), ("turns", "turns")),
)
async def frames_with_gaps(dut: Any, name: str, pauses: tuple[str, str]) -> None:
    """Frames come out right with a source and a sink that pause."""
    bench = Frames(dut, name)
    await bench.reset()
    bench.source.set_pause_generator(gaps(pauses[0], 1))
    bench.sink.set_pause_generator(gaps(pauses[1], 2))
    for seed in (3, 4):
        x = payload(bench.job, "random", 4, seed)
        for frame in bench.send(x, null=seed == 3):  # spare lanes may be null or not
            await bench.source.send(frame)
        await bench.check(x)
    assert not bench.frame_error.value
    bench.sink.clear_pause_generator()
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(name=list(CORES))
async def frames_at_full_speed(dut: Any, name: str) -> None:
    """The optional ports cost no clock."""
    bench = Frames(dut, name)
    await bench.reset()
    x = payload(bench.job, "random", 8, seed=5)
    for frame in bench.send(x):
        bench.source.send_nowait(frame)
    came = await bench.check(x)
    steps = [frame.sim_time_end for frame in came]
    ends = [get_time_from_sim_steps(step, "ns") for step in steps if step is not None]
    taken = [after - before for before, after in pairwise(ends[1:-1])]
    assert taken == [bench.job.limit_cycles * CLOCK_NS] * 5
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(name=list(CORES))
async def frames_after_resets(dut: Any, name: str) -> None:
    """A reset anywhere leaves nothing behind, on either side."""
    bench = Frames(dut, name)
    for clocks in (1, 2, bench.job.beats_in // 2 + 1, bench.job.beats_in + 7):
        await bench.reset()
        x = payload(bench.job, "random", 2, seed=6)
        for frame in bench.send(x):
            bench.source.send_nowait(frame)
        for _ in range(clocks):
            await RisingEdge(bench.aclk)
        bench.aresetn.value = 0
        bench.source.clear()
        await RisingEdge(bench.aclk)
        await RisingEdge(bench.aclk)
        bench.sink.clear()
        await bench.reset()
        x = payload(bench.job, "random", 2, seed=7)
        for frame in bench.send(x):
            bench.source.send_nowait(frame)
        await bench.check(x)
        assert not bench.frame_error.value
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(name=list(MARKED), fault=("no start", "a start too many", "a null byte"))
async def marks_out_of_place(dut: Any, name: str, fault: str) -> None:
    """They change no data, and set frame_error until reset."""
    bench = Frames(dut, name)
    await bench.reset()
    x = payload(bench.job, "random", 4, seed=8)
    for at, frame in enumerate(bench.send(x)):
        if at == 1:
            assert frame.tkeep is not None and isinstance(frame.tuser, list)
            if fault == "no start":
                frame.tuser = [0] * len(frame.tuser)
            elif fault == "a start too many":
                frame.tuser = [1] * len(frame.tuser)
            else:
                frame.tkeep[-1 - frame.tkeep[::-1].index(1)] = 0
        await bench.source.send(frame)
    await bench.check(x)
    # where a frame is one beat, each has to have a start
    wrong = fault != "a start too many" or bench.job.beats_in > 1
    assert bench.frame_error.value == wrong
    await bench.reset()
    assert bench.frame_error.value == 0
    await bench.finish()
