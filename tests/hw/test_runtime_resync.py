"""Run-time cores that follow their frames' marks: whole frames are right, also across jobs."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import packaged_verilator
import pytest
from amaranth.sim import Simulator
from streampool_golden import PoolSpec, SpecError
from streampool_hw.export.axi_runtime import AxiRuntimeCore
from streampool_hw.export.runtime_verilog import write_runtime_verilog
from streampool_hw.resync import MARKS
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_hw.runtime.resync import RuntimeResyncCore
from streampool_sim.frames import pack
from streampool_sim.runtime.cases import fault, random_frame, random_turns
from streampool_sim.runtime.engine import Played, RuntimeModel, Turn
from streampool_sim.runtime.sweep import MAXIMA

MOST, SUMS = MAXIMA[0], MAXIMA[3]
FIRST, LAST = 1, 2
KINDS = ("cut", "ends early", "no last", "surplus", "too long", "no first")
WHOLE = {"good", "no last", "surplus", "too long"}


@pytest.fixture(scope="module", params=[MOST, SUMS], ids=lambda maxima: "-".join(maxima.operations))
def model(request: pytest.FixtureRequest) -> RuntimeModel:
    return RuntimeModel(RuntimeResyncCore(request.param), optimise="-O1")


def broken(turn: Turn, kind: str, rng: random.Random) -> Turn:
    """Return a frame whose marks, or whose number of beats, are not right."""
    size = turn.job.job.beats_in
    cut, more = rng.randrange(size), rng.randrange(1, size + 2)
    if kind in ("cut", "ends early"):
        size = max(1, cut)
    first, last = np.zeros((2, size), bool)
    first[0], last[-1] = kind != "no first", kind not in ("cut", "no last", "too long")
    if kind in ("surplus", "too long"):
        first = np.append(first, np.zeros(more, bool))
        last = np.append(last, np.arange(more) == more - 1)
    return replace(turn, marks=(FIRST * first + LAST * last).astype(np.uint8))


def marred(turns: Sequence[Turn], rng: random.Random) -> tuple[list[Turn], list[str], int]:
    """Break some of the frames; return what they are, and how many frames are counted."""
    found, kinds, count, lost = [], [], 0, False
    for k, turn in enumerate(turns):
        size, before = turn.job.job.beats_in, kinds[-1] if kinds else "good"
        some = [kind for kind in KINDS if size > 1 or kind not in ("cut", "ends early")]
        if before == "cut":  # whose rest a frame without a first beat would be
            some.remove("no first")
        kind = rng.choice(some) if rng.random() < 0.5 or k == 0 else "good"
        found.append(broken(turn, kind, rng))
        kinds.append(kind)
        count += before == "cut"
        if kind == "no first":
            count, lost = count + (not lost), True
            continue
        count += kind in ("ends early", "no last", "surplus", "too long")
        lost = kind not in ("good", "cut")
    return found, kinds, count


def left_of(turn: Turn, beats: int) -> list[np.ndarray]:
    """Return what leaves of a frame of which so many beats came, with either end behind them."""
    job = turn.job.job
    (rows,) = pack(job, turn.frame[None])
    rows = rows.reshape(-1, job.lanes)
    found = []
    for end in (job.input.low, job.input.high):
        filled = rows.copy()
        filled[beats:] = end
        frame = job.layout_in.unpack(filled).reshape(1, *job.shape)
        (golden,) = job.reference(frame)
        found.append(job.layout_out.pack(golden).reshape(-1, job.lanes).astype(np.int64))
    return found


def assert_right(turns: Sequence[Turn], kinds: Sequence[str], played: Played) -> None:
    """Check that each whole frame left whole, and of each other at most beats that are right."""
    first = played.marks >> 1 & 1
    assert not len(first) or first[0]
    starts = [*np.flatnonzero(first), len(first)]
    pieces = [slice(*ends) for ends in pairwise(starts)]
    ways = {0}
    for turn, kind in zip(turns, kinds, strict=True):
        job, further = turn.job.job, set[int]()
        spare = np.tile(job.layout_out.spare, (job.beats_out // job.fold, 1))
        whole = kind in WHOLE
        beats = job.beats_in if whole else len(turn.marks) if turn.marks is not None else 0
        low, high = left_of(turn, beats)
        mask = (1 << job.output.bits) - 1
        for at in ways:
            if not whole:
                further.add(at)
            if at == len(pieces) or kind == "no first":
                continue
            piece = played.beats[pieces[at]].astype(np.int64)
            size = len(piece)
            if size > job.beats_out:
                continue
            last = (played.marks[pieces[at]] & 1).tolist()
            right = all(
                not ((piece ^ each[:size]) & mask)[~spare[:size]].any() for each in (low, high)
            )
            ends = [0] * (job.beats_out - 1) + [1]
            if right and last == ends[:size] and (size == job.beats_out or not whole):
                further.add(at + 1)
        ways = further
        assert ways, f"a frame that is {kind} did not leave"
    assert len(pieces) in ways


def test_whole_frames_are_right_beside_broken_ones_and_across_jobs(model: RuntimeModel):
    changes = 0
    for seed in range(120):
        rng = random.Random(seed)
        turns, kinds, _ = marred(random_turns(seed, model.core.maxima), rng)
        stalls = rng.choice((0, 0, 0.1, 0.5)), rng.choice((0, 0, 0.1, 0.5))
        reset_at = rng.choice((None, None, rng.randint(1, 600)))
        played = model.run(turns, stalls=stalls, seed=seed, reset_at=reset_at)
        assert_right(turns, kinds, played)
        changes += sum(
            one.job is not other.job and "good" not in both
            for (one, other), both in zip(pairwise(turns), pairwise(kinds), strict=True)
        )
    assert changes > 60


def test_whole_frames_take_the_clocks_that_they_took(model: RuntimeModel):
    plain = RuntimeModel(RuntimePoolCore(model.core.maxima), optimise="-O0")
    for seed in range(10):
        turns = random_turns(seed, model.core.maxima)
        stalls = (0.3, 0.3) if seed % 2 else (0, 0)
        one, other = (each.run(turns, stalls=stalls, seed=seed) for each in (plain, model))
        assert fault(turns, other) is None
        for ours, theirs in (
            (one.in_cycles, other.in_cycles),
            (one.out_cycles, other.out_cycles),
        ):
            assert all(np.array_equal(*each) for each in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("changes", [False, True], ids=["same", "another"])
@pytest.mark.parametrize("kind", ["cut", "ends early"])
def test_what_a_broken_frame_costs(model: RuntimeModel, kind: str, changes: bool):
    maxima, numbers = model.core.maxima, np.random.default_rng(0)
    jobs = [RuntimeJob(PoolSpec("max", k, 2), (maxima.lanes * 8, 9, 9), maxima) for k in (3, 2)]
    turns = [Turn(jobs[number and changes], random_frame(numbers, jobs[0])) for number in (0, 0, 1)]
    turns = [replace(turn, job=jobs[changes and k == 2]) for k, turn in enumerate(turns)]
    marks = np.zeros(500, np.uint8)
    marks[0], marks[-1] = FIRST, LAST * (kind == "ends early")
    turns[1] = replace(turns[1], marks=marks)
    played = model.run(turns)
    assert_right(turns, ["good", kind, "good"], played)
    *_, (*_, before), (first, second, *_) = played.in_cycles
    waits = second - first if kind == "cut" else first - before
    assert waits == 3 + (kind == "cut") + MORE[changes]


MORE = {False: 6, True: 12}
"""Clocks beyond what a broken frame costs a fixed core, by whether the job changes there."""


def test_marks_and_maxima_that_are_none_are_refused():
    with pytest.raises(SpecError, match="none that a beat bears"):
        RuntimeResyncCore(MOST, ("start",))
    assert RuntimeResyncCore(MOST, MARKS[1:]).marks == ("last",)


class Host:
    """AXI4-Lite and AXI4-Stream, beat by beat."""

    def __init__(self, ctx: Any, axi: Any):
        self.ctx, self.axi = ctx, axi

    async def write(self, at: int, word: int) -> int:
        ctx, axi = self.ctx, self.axi
        ports: dict[str, Any] = {name: getattr(axi, f"s_axil_{name}") for name in LITE}
        for name, value in (("awaddr", at), ("wdata", word), ("wstrb", 15), ("bready", 1)):
            ctx.set(ports[name], value)
        waits = {"aw", "w"}
        for side in waits:
            ctx.set(ports[f"{side}valid"], 1)
        while waits:
            ready = {side for side in waits if ctx.get(ports[f"{side}ready"])}
            await ctx.tick()
            for side in ready:
                ctx.set(ports[f"{side}valid"], 0)
            waits -= ready
        *_, answer = await ctx.tick().sample(ports["bresp"]).until(ports["bvalid"])
        return answer

    async def read(self, at: int) -> int:
        ctx, axi = self.ctx, self.axi
        ctx.set(axi.s_axil_araddr, at)
        ctx.set(axi.s_axil_arvalid, 1)
        ctx.set(axi.s_axil_rready, 1)
        await ctx.tick().until(axi.s_axil_arready)
        ctx.set(axi.s_axil_arvalid, 0)
        *_, word = await ctx.tick().sample(axi.s_axil_rdata).until(axi.s_axil_rvalid)
        return word

    async def send(self, values: int, mark: int) -> None:
        ctx, axi = self.ctx, self.axi
        ctx.set(axi.s_axis_tdata, values)
        ctx.set(axi.s_axis_tuser, mark & FIRST)
        ctx.set(axi.s_axis_tlast, mark >> 1)
        ctx.set(axi.s_axis_tvalid, 1)
        await ctx.tick().until(axi.s_axis_tready)
        ctx.set(axi.s_axis_tvalid, 0)


LITE = ("awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bready", "bvalid")
LITE += ("bresp",)
SMALL = Maxima(lanes=1, max_fold=8, max_row=32, max_words=8, max_length=16)


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_ports_drop_a_broken_frame_and_count_it():
    axi = AxiRuntimeCore(RuntimeResyncCore(SMALL))
    at = {place.name: place.byte for place in axi.places}
    jobs = [RuntimeJob(PoolSpec("max", k, dtype="uint8"), (7, 4, 4), SMALL) for k in (2, 4)]
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (7, 4, 4)).astype(np.uint8) for _ in range(4)]
    left: list[tuple[int, int, int]] = []

    async def sink(ctx: Any) -> None:
        ctx.set(axi.m_axis_tready, 1)
        ports = axi.m_axis_tdata, axi.m_axis_tuser, axi.m_axis_tlast
        async for _, _, valid, *beat in ctx.tick().sample(axi.m_axis_tvalid, *ports):
            if valid:
                left.append((beat[0], beat[1], beat[2]))

    async def host(ctx: Any) -> None:
        it = Host(ctx, axi)

        async def tell(job: RuntimeJob) -> None:
            for address, word in job.writes:
                assert not await it.write(4 * address, word)

        async def send(frame: np.ndarray, beats: int) -> None:
            every = frame.transpose(1, 2, 0).reshape(-1)
            for k, value in enumerate(every[:beats]):
                await it.send(int(value), FIRST * (not k) + LAST * (k == len(every) - 1))

        await tell(jobs[0])
        await ctx.tick().repeat(14)
        await send(frames[0], 112)
        await send(frames[1], 40)  # cut, and the next one is of another job
        await tell(jobs[1])
        await ctx.tick().repeat(14)
        await send(frames[2], 112)
        await ctx.tick().repeat(60)
        assert await it.read(at["control_broken"]) == 1 == ctx.get(axi.broken_frames)
        assert ctx.get(axi.frame_error) and await it.read(at["control_begun"]) == 3
        assert await it.read(at["control_done"]) == 2
        assert not await it.write(at["core_reset"], 1)
        await ctx.tick().repeat(20)
        assert await it.read(at["control_broken"]) == 0 == ctx.get(axi.frame_error)
        await tell(jobs[0])
        await ctx.tick().repeat(14)
        await send(frames[3], 112)
        await ctx.tick().repeat(60)
        assert not await it.read(at["control_broken"])

    simulator = Simulator(axi)
    simulator.add_clock(1e-6)
    simulator.add_testbench(sink, background=True)
    simulator.add_testbench(host)
    simulator.run()
    ends = [k + 1 for k, (_, _, last) in enumerate(left) if last]
    firsts = [k for k, (_, first, _) in enumerate(left) if first]
    assert len(ends) == 3 and len(firsts) == 4
    for end, start, frame, job in zip(
        ends, [firsts[0], *firsts[2:]], [0, 2, 3], [*jobs, jobs[0]], strict=True
    ):
        (golden,) = job.job.reference(frames[frame][None])
        whole = golden[0].transpose(1, 2, 0).reshape(-1).tolist()
        assert [value for value, *_ in left[start:end]] == whole


def test_what_is_written_says_so(tmp_path: Path):
    written = write_runtime_verilog(SMALL, tmp_path, resync=True, marks=MARKS[1:])
    about = json.loads(written.about.read_text("utf-8"))
    assert about["resync"] is True and about["ports"]["broken_frames"] == ["output", 16]
    assert "s_axis_tuser" not in about["ports"]
    heading = written.verilog.read_text("utf-8").partition("module")[0]
    assert "broken_frames: how many such frames" in heading and "changes no data" not in heading
    assert packaged_verilator.lint("--top-module", about["name"], written.verilog) == ""
    core = RuntimeResyncCore(SMALL)
    with pytest.raises(SpecError, match="resync True has no meaning with a core that is there"):
        write_runtime_verilog(core, tmp_path, resync=True)
