"""The self-test simulated: by itself, and on boards as their platforms have them."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Fragment, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator
from broken_cores import BrokenCore
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw import (
    Maxima,
    PoolCore,
    ResyncCore,
    RuntimeJob,
    RuntimePoolCore,
    RuntimeResyncCore,
)
from streampool_hw.boards import BOARDS, SelfTest, pattern
from streampool_hw.boards.top import Top
from streampool_sim.link.simulated import StandIn

# Spare lanes in the last group of channels, and sums that are no whole bytes
JOB = PoolJob(PoolSpec("sum", 2, 1, dtype="int5"), (3, 3, 4), 2)
# Spare columns in the last beats of a row, too
COLUMNS = PoolJob(PoolSpec("max", 3, 1, 1, dtype="int4"), (3, 3, 7), 2, 3)
FRAMES = 2
ROUND = 1200
"""Clocks that are enough for a round of these, stalls included."""


def new_core() -> PoolCore:
    return PoolCore(JOB.spec, JOB.shape, JOB.lanes)


class SpoilingCore(PoolCore):
    """A core whose output is spoilt on its way.

    In `flip`, bits of a beat that are flipped; `beat`, which one of a row leaves, or of a position
    with one column a beat.
    """

    def __init__(self, job: PoolJob = JOB):
        super().__init__(job)
        self.flip = Signal(len(self.o.payload.data.as_value()))
        self.beat = Signal(range(job.layout_out.row_beats))

    def elaborate(self, platform: Any) -> Module:
        # The real insides are not used, which Amaranth would warn of.
        Fragment.get(super().elaborate(platform), platform)
        m = Module()
        m.submodules.inner = inner = PoolCore(self.job)
        wiring.connect(m, wiring.flipped(self.i), inner.i)
        wiring.connect(m, inner.o, wiring.flipped(self.o))
        m.d.comb += self.o.payload.data.as_value().eq(inner.o.payload.data.as_value() ^ self.flip)
        with m.If(self.o.valid & self.o.ready):
            last = self.job.layout_out.row_beats - 1
            m.d.sync += self.beat.eq(Mux(self.beat == last, 0, self.beat + 1))
        return m


def simulated(design: Any, testbench: Any) -> None:
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_states_are_those_of_a_register_shifted_bit_by_bit():
    state, seen = 0x12345678, []
    for step in range(300):
        if step % 5 == 0:
            seen.append(state)
        carry = state >> 31
        state = state << 1 & 0xFFFFFFFF
        if carry:
            state ^= 0x04C11DB7
    assert pattern.states(0x12345678, 5, len(seen)).tolist() == seen


def test_checksums_leave_spare_lanes_out():
    pooled = np.arange(3 * 4).reshape(1, 3, 2, 2)
    job = PoolJob(PoolSpec("max", 1, dtype="uint8"), (3, 2, 2), 2)
    both = bytes(value for position in range(4) for value in (position, 8 + position))
    # CRC-32 of one lane that has channels 0 and 2, and of one that has channel 1 alone
    assert pattern.checksums([job], [pooled]) == tuple(
        int.from_bytes(_crc32(data), "little") for data in (both, bytes([4, 5, 6, 7]))
    )


def _crc32(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "little")


def test_what_streams_is_what_the_twin_has_and_both_sides_stall():
    core = new_core()
    test = SelfTest(core, FRAMES)
    beats: list[list[int]] = []
    count = {"no input": 0, "input waits": 0, "no output": 0, "output waits": 0}

    async def watch(ctx: Any) -> None:
        while len(beats) < 5 * FRAMES * JOB.beats_in:
            i_valid, i_ready = ctx.get(core.i.valid), ctx.get(core.i.ready)
            o_valid, o_ready = ctx.get(core.o.valid), ctx.get(core.o.ready)
            count["no input"] += not i_valid
            count["input waits"] += i_valid and not i_ready
            count["no output"] += not o_valid
            count["output waits"] += o_valid and not o_ready
            if i_valid and i_ready:
                beats.append([ctx.get(core.i.payload[lane]) for lane in range(JOB.lanes)])
            await ctx.tick()
        assert ctx.get(test.good) and not ctx.get(test.bad)

    simulated(test, watch)
    assert min(count.values()) > FRAMES * JOB.beats_in // 4, count
    streamed = np.array(beats).reshape(5, FRAMES, JOB.shape[1] * JOB.shape[2], -1)
    frames = streamed[..., : JOB.shape[0]].swapaxes(-1, -2).reshape(5, FRAMES, *JOB.shape)
    for each in frames:
        assert np.array_equal(each, pattern.frames(JOB, FRAMES))
    assert len(np.unique(frames)) > 1 << JOB.spec.in_dtype.bits - 1


@pytest.mark.parametrize("name", ["ulx3s-85f", "orangecrab", "icebreaker", "colorlight-5a-75b"])
def test_lamps_of_a_board(name):
    board, core = BOARDS[name], SpoilingCore()
    assert board.button is not None
    platform = StandIn(BOARDS[name])
    test = SelfTest(core, FRAMES, pattern.expected([JOB], FRAMES), blink=2)
    fragment = Fragment.get(Top(board, test), platform)  # pyright: ignore[reportArgumentType]
    button = platform.ports[board.button]

    async def watch(ctx: Any) -> None:
        async def lit(clocks: int) -> dict[str, set[int]]:
            """Return what each lamp was, at the pin, as the eye sees it."""
            seen: dict[str, set[int]] = {lamp.shows: set() for lamp in board.lamps}
            for _ in range(clocks):
                await ctx.tick()
                for lamp in board.lamps:
                    port = platform.ports[lamp.pin]
                    seen[lamp.shows].add(ctx.get(port.o) ^ port.invert[0])
            return seen

        def expect(seen: dict[str, set[int]], **shows: set[int]) -> None:
            assert seen == {shown: shows[shown] for shown in seen}

        off, on, blinks = {0}, {1}, {0, 1}
        right = {"running": blinks, "good": on, "bad": off, "fine": blinks, "verdict": blinks}
        wrong = {"running": blinks, "good": off, "bad": on, "fine": off, "verdict": on}

        ctx.set(button.i, button.invert[0])  # not pressed
        first = await lit(10)
        assert all(seen == off for seen in first.values())
        await lit(ROUND)
        expect(await lit(ROUND), **right)

        ctx.set(core.flip, 1)
        await ctx.tick().until(core.o.valid & core.o.ready)
        ctx.set(core.flip, 0)
        await lit(ROUND)
        expect(await lit(ROUND), **wrong)  # the next rounds are right, and it stays

        ctx.set(button.i, not button.invert[0])
        await lit(5)
        pressed = await lit(50)
        assert all(seen == off for seen in pressed.values())
        ctx.set(button.i, button.invert[0])
        await lit(ROUND)
        expect(await lit(ROUND), **right)

    simulated(fragment, watch)


def verdict(test: SelfTest, clocks: int) -> tuple[bool, bool]:
    """Return what `good` and `bad` are after some clocks; bad is never taken back."""
    states: list[tuple[bool, bool]] = []

    async def watch(ctx: Any) -> None:
        for _ in range(clocks):
            states.append((bool(ctx.get(test.good)), bool(ctx.get(test.bad))))
            await ctx.tick()

    simulated(test, watch)
    bad = [each[1] for each in states]
    assert bad == sorted(bad)
    return states[-1]


@pytest.mark.parametrize("lane", range(JOB.lanes))
def test_a_wrong_checksum_of_any_lane_is_bad(lane):
    right = pattern.expected([JOB], FRAMES)
    spoilt = tuple(each ^ (lane == of) for of, each in enumerate(right))
    assert verdict(SelfTest(new_core(), FRAMES, spoilt), 2 * ROUND) == (False, True)


@pytest.mark.parametrize("fault", ["none", "last", "value"])
def test_a_core_that_does_what_it_must_not_is_bad(fault):
    test = SelfTest(BrokenCore(fault), FRAMES)
    assert verdict(test, ROUND) == (fault == "none", fault != "none")


class WronglyMarking(ResyncCore):
    """A core that says something wrong of the frames, or nothing of the kind."""

    def __init__(self, says: str):
        super().__init__(new_core())
        self._says = says

    def elaborate(self, platform: Any) -> Module:
        # The real insides are not used, which Amaranth would warn of.
        Fragment.get(super().elaborate(platform), platform)
        m = Module()
        m.submodules.inner = inner = ResyncCore(new_core())
        wiring.connect(m, wiring.flipped(self.i), inner.i)
        wiring.connect(m, inner.o, wiring.flipped(self.o))
        m.d.comb += self.broken_frames.eq(inner.broken_frames)
        if self._says == "no first":
            m.d.comb += self.o.payload.first.eq(0)
        elif self._says == "broken":
            m.d.comb += self.broken_frames.eq(1)
        return m


@pytest.mark.parametrize("says", ["nothing", "no first", "broken"])
def test_a_core_that_follows_marks_says_that_all_is_well(says: str):
    good = says == "nothing"
    assert verdict(SelfTest(WronglyMarking(says), FRAMES), ROUND) == (good, not good)


def test_a_core_that_is_stuck_is_bad():
    test = SelfTest(BrokenCore("stuck"), FRAMES)
    assert verdict(test, test.longest_wait + ROUND) == (False, True)


@pytest.mark.parametrize("group", range(JOB.fold))
def test_spare_lanes_and_no_others_may_hold_anything(group):
    core = SpoilingCore()
    test = SelfTest(core, FRAMES)
    last_lane = core.flip[-core.job.output.bits :]

    async def spoil(ctx: Any) -> None:
        for _ in range(2 * ROUND):
            ctx.set(last_lane, -(ctx.get(core.beat) == group))
            await ctx.tick()
        spare = group == JOB.fold - 1
        assert (ctx.get(test.good), ctx.get(test.bad)) == (spare, not spare)

    assert JOB.fold == 2 and JOB.shape[0] % JOB.lanes == 1
    simulated(test, spoil)


@pytest.mark.parametrize("value", [None, *range(COLUMNS.layout_out.values)])
def test_with_columns_what_is_spare_and_nothing_else_may_hold_anything(value):
    """Whatever is spare is spoilt all the time, and a value in the others of its beats once."""
    core = SpoilingCore(COLUMNS)
    test, spare = SelfTest(core, FRAMES), COLUMNS.layout_out.spare
    bits = COLUMNS.output.bits
    assert spare.any(axis=0).tolist() == [False, True] + 4 * [True] and not spare.all(axis=0).any()

    async def spoil(ctx: Any) -> None:
        for clock in range(2 * ROUND):
            flips = spare[ctx.get(core.beat)].copy()
            if value is not None and 100 < clock < 200:
                flips[value] = True
            ctx.set(core.flip, sum(1 << bits * k for k, flip in enumerate(flips) if flip))
            await ctx.tick()
        assert (ctx.get(test.good), ctx.get(test.bad)) == (value is None, value is not None)

    simulated(test, spoil)


def test_what_is_expected_is_the_golden_model_s():
    pooled = pool(JOB.spec, pattern.frames(JOB, FRAMES))
    assert pattern.expected([JOB], FRAMES) == pattern.checksums([JOB], [pooled])
    assert pattern.expected([JOB], FRAMES) != pattern.checksums([JOB], [pooled[::-1]])


# of two jobs the channels, and so the beats of a position, differ, and so do the types
MAXIMA = Maxima(*(2, 5, ("max", "sum"), 1, 8, 24, 8, 16), max_taps=4, max_kinds=1)
JOBS = [
    RuntimeJob(PoolSpec("sum", 2, dtype="int5"), (3, 4, 4), MAXIMA),
    RuntimeJob(PoolSpec("max", 3, 2, 1, dtype="uint5"), (7, 5, 4), MAXIMA),
]
IN_TURN = [job.job for job in JOBS]
TURNS_ROUND = 4000
"""Clocks that are enough for a round of these, stalls included."""


def in_turn(checksums: tuple[int, ...] | None = None) -> SelfTest:
    return SelfTest(RuntimePoolCore(MAXIMA), FRAMES, checksums, jobs=JOBS)


def test_jobs_in_turn_are_good_and_each_frame_is_of_the_next_one():
    test = in_turn()
    core = test.core
    taken: list[int] = []
    whole = []
    for number in range(FRAMES):
        for job, each in zip(IN_TURN, pattern.frames_in_turn(IN_TURN, FRAMES), strict=True):
            beats = job.layout_in.pack(each[number][None]).reshape(-1, MAXIMA.lanes)
            one, other = beats.astype(int).T & 31
            spare = np.tile(job.layout_in.spare[:, 1], len(beats) // job.fold)
            whole += zip((one + 32 * other).tolist(), spare, strict=True)

    async def watch(ctx: Any) -> None:
        while len(taken) <= 4 * len(whole):
            if ctx.get(core.i.valid) and ctx.get(core.i.ready):
                taken.append(ctx.get(core.i.payload.as_value()))
            assert not ctx.get(test.bad)
            await ctx.tick()
        assert ctx.get(test.good)

    simulated(test, watch)
    for place, bits in enumerate(taken):
        right, spare = whole[place % len(whole)]
        assert not (bits ^ right) & (31 if spare else 1023)


@pytest.mark.parametrize(("job", "lane"), [(0, 1), (1, 0)])
def test_what_is_wrong_of_either_job_is_bad(job: int, lane: int):
    frames = pattern.frames_in_turn(IN_TURN, FRAMES)
    pooled = [pool(each.spec, x) for each, x in zip(IN_TURN, frames, strict=True)]
    right = pattern.checksums(IN_TURN, pooled)
    assert right == pattern.expected(IN_TURN, FRAMES)
    pooled[job][-1, lane, -1, -1] += 1
    wrong = pattern.checksums(IN_TURN, pooled)
    assert [one != other for one, other in zip(right, wrong, strict=True)] == [
        each == lane for each in range(MAXIMA.lanes)
    ]
    assert verdict(in_turn(wrong), TURNS_ROUND) == (False, True)


def test_jobs_in_turn_of_a_core_that_follows_marks():
    test = SelfTest(RuntimeResyncCore(MAXIMA), FRAMES, jobs=JOBS)
    assert verdict(test, TURNS_ROUND) == (True, False)


def test_a_core_that_keeps_its_first_job_is_bad():
    test = in_turn()
    test.turns = (JOBS[0], JOBS[0])
    assert verdict(test, 2 * TURNS_ROUND) == (False, True)
