"""Benches of a run-time core behind AXI4-Lite, driven by a master that others wrote."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import cocotb
import numpy as np
from axi_lite_rules import OKAY, SLVERR, Monitor
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)
from runtime_cases import CORE, job_and_frame
from streampool_golden import PoolSpec
from streampool_hw.export.axi import lane_width
from streampool_hw.runtime.control import constants, places
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_sim.frames import pack, unpack
from streampool_sim.runtime.cases import random_frame

AT = {place.name: place.byte for place in places(CORE)}
FIELDS = {
    place.name: {field.name: 1 << field.low for field in place.register.fields}
    for place in places(CORE)
}
STATUS = FIELDS["control_status"]
BUSY, BAD, REFUSED, TURNED, LEFT = (
    STATUS[name] for name in ("busy", "bad", "refused", "turned", "left")
)
LANE_BYTES = lane_width(CORE.out_bits) // 8
GAPS = ("none", "random", "bursts")


def pauses(kind: str, seed: int) -> Iterator[bool]:
    """Yield whether a side pauses, clock by clock."""
    rng = random.Random(seed)
    while True:
        if kind == "none":
            yield False
        elif kind == "random":
            yield rng.random() < 0.6
        else:
            yield from itertools.repeat(rng.random() < 0.5, rng.randint(1, 40))


class Bench:
    """The design with its master, source and sink."""

    def __init__(self, dut: Any, kind: str = "none", seed: int = 0):
        self.dut = dut
        how = (dut.aclk, dut.aresetn)
        self.master: Any = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axil"), *how, reset_active_level=False
        )
        self.source = AxiStreamSource(
            AxiStreamBus.from_prefix(dut, "s_axis"), *how, reset_active_level=False
        )
        self.sink = AxiStreamSink(
            AxiStreamBus.from_prefix(dut, "m_axis"), *how, reset_active_level=False
        )
        write, read = self.master.write_if, self.master.read_if
        channels = (write.aw_channel, write.w_channel, write.b_channel)
        channels += (read.ar_channel, read.r_channel, self.source, self.sink)
        for number, channel in enumerate(channels):
            channel.set_pause_generator(pauses(kind, 7 * seed + number))
        self.monitor = Monitor(dut, "s_axil_", lambda: not int(dut.aresetn.value))

    async def start(self) -> None:
        """Start the clock, and reset."""
        self.dut.aresetn.value = 0
        Clock(self.dut.aclk, 10, unit="ns").start()
        cocotb.start_soon(self.monitor.run())
        await ClockCycles(self.dut.aclk, 3)
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 2)

    async def write(self, address: int, word: int, strobes: int = 4) -> int:
        """Write the lower bytes of a word, and return the response."""
        content = word.to_bytes(4, "little")[:strobes]
        done: Any = await with_timeout(self.master.write(address, content), 100, "us")
        return int(done.resp)

    async def read(self, name: str) -> int:
        """Read a register that can be read."""
        response, word = await self.look(AT[name])
        assert response == OKAY, name
        return word

    async def look(self, address: int) -> tuple[int, int]:
        """Read any address, and return the response and the word."""
        done: Any = await with_timeout(self.master.read(address, 4), 100, "us")
        return int(done.resp), int.from_bytes(done.data, "little")

    async def arm(self, job: RuntimeJob, tag: int = 0) -> None:
        """Write a job, and wait until it is in force."""
        assert await self.write(AT["control_tag"], tag) == OKAY
        for address, word in job.writes:
            assert await self.write(4 * address, word) == OKAY
        await ClockCycles(self.dut.aclk, RuntimePoolCore.TAKE_OVER)

    async def idle(self) -> None:
        """Wait until no job waits to be taken over."""
        while await self.read("control_status") & BUSY:
            pass

    def send(self, job: RuntimeJob, frame: np.ndarray) -> None:
        """Let a frame come."""
        (beats,) = pack(job.job, frame[None])
        self.source.send_nowait(AxiStreamFrame(beats.astype(np.uint8).tobytes()))

    async def take(self, job: RuntimeJob) -> np.ndarray:
        """Return the next frame that leaves."""
        frame = await with_timeout(self.sink.recv(), 1000, "us")
        return taken(job, bytes(frame.tdata))


def taken(job: RuntimeJob, content: bytes) -> np.ndarray:
    """Return a frame of what left: lanes of whole bytes, their values in the lowest bits."""
    dtype = job.job.output
    lanes = np.frombuffer(content, np.uint8).reshape(-1, LANE_BYTES).astype(np.int64)
    values = (lanes << 8 * np.arange(LANE_BYTES)).sum(axis=1)
    sign = 1 << dtype.bits - 1 if dtype.signed else 0
    values = (values & (1 << dtype.bits) - 1 ^ sign) - sign
    return unpack(job.job, values.astype(dtype.numpy).reshape(-1, CORE.lanes))[0]


def right(job: RuntimeJob, frame: np.ndarray) -> np.ndarray:
    """Return what golden says."""
    (found,) = job.job.reference(frame[None])
    return found[0]


@cocotb.test()
async def the_map_says_what_the_core_is(dut: Any) -> None:
    """Every constant is read, and reads and writes off the map or the wrong way get SLVERR."""
    bench = Bench(dut)
    await bench.start()
    fixed = constants(CORE)
    for place in places(CORE):
        response, word = await bench.look(place.byte)
        assert response == (OKAY if "r" in place.register.access else SLVERR), place.name
        for field in place.register.fields:
            if field.name in fixed and "r" in place.register.access:
                value = word >> field.low & (1 << field.bits) - 1
                assert value == fixed[field.name], field.name
    known = {place.byte + 4 * k for place in places(CORE) for k in range(place.register.many)}
    writable = {
        place.byte + 4 * k
        for place in places(CORE)
        for k in range(place.register.many)
        if place.register.access != "r"
    }
    assert not (await bench.read("control_status")) & REFUSED
    rng = random.Random(0)
    ends = {at + step for at in known for step in (-4, 4)} | {4 * k for k in range(16)}
    some = sorted(at for at in ends if 0 <= at < 1 << 14) + [
        4 * rng.randrange(1 << 12) for _ in range(60)
    ]
    arming = AT["core_arm"]
    for at in set(some) - {arming}:
        refused = await bench.write(at, 0) == SLVERR
        assert refused == (at not in writable), hex(at)
        assert (await bench.look(at))[0] == SLVERR or at in known
    for name in ("rows_slot", "control_tag", "control_status"):
        assert await bench.write(AT[name], 3, strobes=rng.randint(1, 3)) == SLVERR
    assert await bench.read("control_tag") == 0
    assert (await bench.read("control_status")) & REFUSED
    assert await bench.write(AT["control_status"], REFUSED) == OKAY
    assert not (await bench.read("control_status")) & REFUSED


@cocotb.test()
@cocotb.parametrize(kind=GAPS)
async def jobs_in_turn(dut: Any, kind: str) -> None:
    """Jobs that change while frames flow, with pauses on all five channels and both streams."""
    bench = Bench(dut, kind, 1)
    await bench.start()
    rng, frames = random.Random(kind), []
    assert await bench.write(AT["control_interrupt"], TURNED) == OKAY
    assert await bench.write(AT["control_interrupt"], TURNED | LEFT) == OKAY
    for number in range(6):
        job, frame = job_and_frame(rng)
        while await bench.read("control_begun") != number:
            pass
        await bench.idle()
        await bench.arm(job, tag=1000 + number)
        bench.send(job, frame)
        frames.append((job, frame))
    for job, frame in frames:
        assert np.array_equal(await bench.take(job), right(job, frame))
    await bench.idle()
    await ClockCycles(dut.aclk, 20)
    assert await bench.read("control_begun") == await bench.read("control_done") == 6
    assert await bench.read("control_tag") == await bench.read("control_at_work") == 1005
    assert int(dut.irq.value) == 1 and int(dut.frame_error.value) == 0
    assert await bench.read("control_status") == TURNED | LEFT
    assert await bench.write(AT["control_status"], TURNED) == OKAY
    assert await bench.read("control_status") == LEFT and int(dut.irq.value) == 1
    assert await bench.write(AT["control_status"], LEFT) == OKAY
    await ClockCycles(dut.aclk, 2)
    assert int(dut.irq.value) == 0
    assert bench.sink.empty()


@cocotb.test()
@cocotb.parametrize(kind=GAPS)
async def a_torn_job_is_not_armed(dut: Any, kind: str) -> None:
    """A wrong checksum, writes while busy and words in part are refused, and harm nothing."""
    bench = Bench(dut, kind, 5)
    await bench.start()
    rng = random.Random(5)
    job, frame = job_and_frame(rng)
    other, second = job_and_frame(rng)
    await bench.arm(job, tag=1)
    await bench.idle()
    bench.send(job, frame)
    torn: Sequence[tuple[int, int]] = other.writes[:2] + other.writes[3:]
    for address, word in torn[:-1]:
        assert await bench.write(4 * address, word) == OKAY
    assert await bench.write(4 * torn[-1][0], torn[-1][1]) == SLVERR
    assert (await bench.read("control_status")) & (BUSY | BAD | REFUSED) == BAD
    bench.send(job, frame)  # of the job that stays
    while await bench.read("control_begun") != 2:
        pass
    await bench.arm(other, tag=2)
    bench.sink.pause = True  # so that it stays armed for some time
    status = await bench.read("control_status")
    assert not status & REFUSED
    if status & BUSY:
        for name in ("rows_slot", "columns_word", "control_tag"):
            assert await bench.write(AT[name], 1) == SLVERR
        assert (await bench.read("control_status")) & REFUSED
    bench.sink.pause = False
    bench.send(other, second)
    for which, x in ((job, frame), (job, frame), (other, second)):
        assert np.array_equal(await bench.take(which), right(which, x))
    await bench.idle()
    assert await bench.read("control_at_work") == 2
    assert int(dut.frame_error.value) == 0


@cocotb.test()
@cocotb.parametrize(kind=GAPS, stuck=(False, True))
async def a_soft_reset_forgets_all_but_a_beat_that_waits(dut: Any, kind: str, stuck: bool) -> None:
    """In mid-frame, with and without a beat that nobody takes."""
    bench = Bench(dut, kind, 9)
    await bench.start()
    job = RuntimeJob(PoolSpec("max", 4), (2, 12, 12), CORE)  # 9 beats out
    frame = random_frame(np.random.default_rng(9), job)
    await bench.arm(job, tag=3)
    bench.sink.pause = stuck
    (beats,) = pack(job.job, frame[None])
    part = beats.astype(np.uint8).tobytes()[: 100 * CORE.lanes]
    bench.source.send_nowait(AxiStreamFrame(part))  # with a tlast where none belongs
    if stuck:
        bench.sink.set_pause_generator(None)
        bench.sink.pause = True
    await with_timeout(bench.source.wait(), 200, "us")
    await ClockCycles(dut.aclk, 60)
    shown = int(dut.m_axis_tdata.value)
    assert await bench.write(AT["core_reset"], 0) == OKAY  # resets nothing
    assert not (await bench.read("control_status")) & BUSY
    assert await bench.write(AT["core_reset"], 1) == OKAY
    if stuck:  # the beat stays, and the reset waits for it
        for _ in range(30):
            await RisingEdge(dut.aclk)
            assert int(dut.m_axis_tvalid.value) and int(dut.m_axis_tdata.value) == shown
        assert (await bench.read("control_status")) & BUSY
        assert await bench.write(AT["rows_slot"], 1) == SLVERR
        bench.sink.pause = False
    await bench.idle()
    assert int(dut.m_axis_tvalid.value) == int(dut.s_axis_tready.value) == 0
    for name in ("begun", "done", "tag", "at_work", "status"):
        assert await bench.read(f"control_{name}") == 0, name
    other, x = job_and_frame(random.Random(9))
    await bench.arm(other)
    bench.send(other, x)
    left = bytes((await with_timeout(bench.sink.recv(), 1000, "us")).tdata)
    size = other.job.beats_out * CORE.lanes * LANE_BYTES
    # in front of it what had left of the forgotten frame: two rows, or the beat that waited
    assert len(left) - size == (1 if stuck else 6) * CORE.lanes * LANE_BYTES
    assert np.array_equal(taken(other, left[-size:]), right(other, x))
    assert int(dut.frame_error.value) == 0


@cocotb.test()
@cocotb.parametrize(fault=("early", "missing", "late"))
async def a_tlast_out_of_place_is_told(dut: Any, fault: str) -> None:
    """It changes no data, and sets frame_error until it is cleared."""
    bench = Bench(dut)
    await bench.start()
    job, frame = job_and_frame(random.Random(3), beats=40)
    await bench.arm(job)
    (beats,) = pack(job.job, np.stack([frame, frame]))
    bytes_of = [each.astype(np.uint8).tobytes() for each in beats.reshape(-1, CORE.lanes)]
    count = job.job.beats_in
    ends = {"early": [20, count, 2 * count], "missing": [2 * count], "late": [count + 1, 2 * count]}
    before = 0
    for end in ends[fault]:
        bench.source.send_nowait(AxiStreamFrame(b"".join(bytes_of[before:end])))
        before = end
    for _ in range(2):
        assert np.array_equal(await bench.take(job), right(job, frame))
    assert int(dut.frame_error.value) == 1
    error = STATUS["frame_error"]
    assert (await bench.read("control_status")) & error
    assert await bench.write(AT["control_status"], error) == OKAY
    assert int(dut.frame_error.value) == 0
    bench.send(job, frame)
    assert np.array_equal(await bench.take(job), right(job, frame))
    assert int(dut.frame_error.value) == 0
