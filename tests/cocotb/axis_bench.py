"""Benches that cocotb runs in the simulator: every generated core against the golden model."""

import json
import os
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import cocotb
from axis_jobs import JOBS, payload, words_in, words_out
from axis_stream import GAPS, Bench, Scoreboard, gaps

CORES = Path(os.environ["STREAMPOOL_CORES"])  # where NAME.v and NAME.json are
PAYLOADS = ("random", "extremes", "counting", "lowest")


def _frames(job: str, beats: int) -> int:
    """Return so many frames that `beats` go through, at least six."""
    return max(6, beats // max(JOBS[job].beats_in, JOBS[job].beats_out))


@cocotb.test()
@cocotb.parametrize(job=list(JOBS), kind=PAYLOADS, idle=GAPS, stall=GAPS)
async def matrix(dut: Any, job: str, kind: str, idle: str, stall: str) -> None:
    """Every payload with every pattern of gaps on both sides."""
    seed = zlib.crc32(f"{job} {kind} {idle} {stall}".encode())
    bench = Bench(dut, job)
    await bench.start()
    x = payload(bench.job, kind, _frames(job, 300), seed)
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(
        words_in(bench.job, x), board, gaps(idle, seed + 1), gaps(stall, seed + 2), seed=seed
    )
    assert board.empty
    assert not bench.read("frame_error")
    bench.stop()


@cocotb.test()
@cocotb.parametrize(job=list(JOBS))
async def long_run(dut: Any, job: str) -> None:
    """Many frames, with every pattern of gaps on either side, by turns."""
    bench = Bench(dut, job)
    await bench.start()
    x = payload(bench.job, "random", _frames(job, 3000), seed=8)
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words_in(bench.job, x), board, gaps("turns", 9), gaps("turns", 10))
    assert board.empty
    assert not bench.read("frame_error")
    bench.stop()


@cocotb.test()
@cocotb.parametrize(job=list(JOBS))
async def full_speed(dut: Any, job: str) -> None:
    """In the steady state a frame takes as many clocks as the larger of its beats in and out."""
    bench = Bench(dut, job)
    await bench.start()
    x = payload(bench.job, "random", 9, seed=1)
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words_in(bench.job, x), board)
    ends = board.frame_ends
    # the first two still fill the pipeline, the last one's drain runs alone
    cycles = [after - before for before, after in pairwise(ends[1:-1])]
    assert cycles == [bench.job.limit_cycles] * 6
    bench.stop()


@cocotb.test()
@cocotb.parametrize(job=list(JOBS))
async def latency(dut: Any, job: str) -> None:
    """The first word comes the stated clocks after the one that completes its window."""
    bench = Bench(dut, job)
    await bench.start()
    x = payload(bench.job, "random", 1, seed=2)
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words_in(bench.job, x), board)
    position = 0  # of the first window's last real tap, in raster order
    for axis in bench.job.axes:
        position = position * axis.length + axis.taps(0)[-1]
    completed = bench.input_clocks[position * bench.job.fold]
    about = json.loads((CORES / f"{job}.json").read_text())
    assert board.clocks[0] - completed == about["latency_cycles"]
    bench.stop()


@cocotb.test()
@cocotb.parametrize(job=list(JOBS), share=(0.1, 0.5, 0.9))
async def reset_within_a_frame(dut: Any, job: str, share: float) -> None:
    """A reset in mid-frame leaves nothing behind."""
    bench = Bench(dut, job)
    await bench.start()
    words = words_in(bench.job, payload(bench.job, "random", 3, seed=3))
    x = payload(bench.job, "random", 3, seed=4)
    cut = bench.job.beats_in + int(share * bench.job.beats_in) + 1  # in the second frame
    for stall in ("none", "bursts"):  # with an empty and with a full pipeline
        board = Scoreboard(words_out(bench.job, payload(bench.job, "random", 3, seed=3)))
        await bench.run(words, board, stall=gaps(stall, 5), until=cut)
        await bench.reset()
        board = Scoreboard(words_out(bench.job, x))
        await bench.run(words_in(bench.job, x), board)
        assert board.empty
        assert not bench.read("frame_error")
    bench.stop()


@cocotb.test()
@cocotb.parametrize(
    job=[name for name in JOBS if JOBS[name].beats_in > 1],
    fault=("missing", "early", "late", "always"),
)
async def misplaced_tlast(dut: Any, job: str, fault: str) -> None:
    """A tlast out of place changes no data and sets frame_error until reset."""
    bench = Bench(dut, job)
    await bench.start()
    beats = bench.job.beats_in
    x = payload(bench.job, "random", 4, seed=6)
    words = words_in(bench.job, x)
    lasts = list(words.last)
    end = 2 * beats - 1  # of the second frame
    if fault in ("missing", "late"):
        lasts[end] = False
    if fault in ("early", "late"):
        lasts[end + (1 if fault == "late" else -1)] = True
    if fault == "always":
        lasts = [True] * len(lasts)
    wrong = [
        at for at, (ours, right) in enumerate(zip(lasts, words.last, strict=True)) if ours != right
    ]

    # not before the first fault, and right after it
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words, board, lasts=tuple(lasts), until=wrong[0] or None)
    assert bench.read("frame_error") == 0 or wrong[0] == 0
    await bench.reset()
    await bench.run(words, Scoreboard(board.expected), lasts=tuple(lasts), until=wrong[0] + 1)
    assert bench.read("frame_error") == 1

    # the data as ever, and the error still there after good frames
    await bench.reset()
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words, board, lasts=tuple(lasts))
    assert board.empty
    assert bench.read("frame_error") == 1
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words, board)
    assert bench.read("frame_error") == 1
    await bench.reset()
    assert bench.read("frame_error") == 0
    bench.stop()


@cocotb.test()
@cocotb.parametrize(job=["through"])
async def missing_tlast_of_one_beat(dut: Any, job: str) -> None:
    """Where a frame is one beat, every beat has to have tlast."""
    bench = Bench(dut, job)
    await bench.start()
    x = payload(bench.job, "random", 3, seed=7)
    words = words_in(bench.job, x)
    board = Scoreboard(words_out(bench.job, x))
    await bench.run(words, board, lasts=(True, False, True))
    assert bench.read("frame_error") == 1
    bench.stop()
