"""A core between a source and a sink, word by word: what the benches in this folder share.

Inputs change at the clock's falling edge, and outputs are read there before: no output depends on
an input of the same clock.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from streampool_golden import Field, PoolJob, PoolSpec
from streampool_golden.beats import BeatLayout

CORES = Path(__file__).resolve().parents[1] / "cores"
MANY = 50_000
"""Cycles from which on few frames have to do."""
PATIENCE = 5_000
"""Clocks without a word from which on a core is stuck, beyond those of a frame."""


@dataclass
class Words:
    """Beats as numbers on tdata, with the bits that mean something, and where frames end."""

    values: list[int]
    used: list[int]
    last: list[bool]


@dataclass
class Seen:
    """The clocks in which the first word was taken, and in which frames' last words came."""

    first: int = 0
    ends: list[int] = field(default_factory=list)


class Core:
    """A core in the simulator, and what it is made for.

    Parameters
    ----------
    dut : cocotb handle
        The module.
    name : str
        What it is called.
    """

    def __init__(self, dut: Any, name: str) -> None:
        self.about = json.loads((CORES / f"{name}.json").read_text("utf-8"))
        spec = PoolSpec.from_json(self.about["spec"])
        self.job = PoolJob(spec, tuple(self.about["shape"]), self.about["lanes"])
        self.dut = dut
        self.clock = 0

    async def at_full_speed(self) -> None:
        """Check frames that follow each other without a gap: their values and their cycles."""
        await self._start()
        bound, limit = self.about["cycles_per_frame"], self.about["limit_cycles_per_frame"]
        frames = 6 if limit < MANY else 2
        seen = await self._run(*self._frames(frames, seed=1))
        # the first two still fill the pipeline, the last one's drain runs alone
        taken = [after - before for before, after in pairwise(seen.ends[1:-1])]
        assert all(limit <= clocks <= bound for clocks in taken), f"{taken}, not {limit}"
        whole = seen.ends[-1] - seen.first
        most = frames * bound + self.about["latency_cycles"] + self.job.beats_out
        assert whole <= most, f"{frames} frames take {whole} clocks, and {most} are the most"

    async def with_gaps_after_a_reset(self) -> None:
        """Check frames with gaps on both sides, after a reset in mid-frame."""
        await self._start()
        frames = 4 if self.about["limit_cycles_per_frame"] < MANY else 1
        words, due = self._frames(1, seed=2)
        await self._run(words, due, until=len(words.values) // 2)
        await self._reset()
        await self._run(*self._frames(frames, seed=3), idle=_gaps(4), stall=_gaps(5))

    def _frames(self, count: int, seed: int) -> tuple[Words, Words]:
        """Return frames of random bits as words, and the words that they have to become."""
        job, dtype = self.job, self.job.input
        rng = np.random.default_rng(seed)
        raw, shape = dtype.raw, (count, *job.shape)
        x = rng.integers(raw.low, raw.high, shape, np.int64, endpoint=True)
        if dtype.is_float:
            x = x.astype(raw.numpy).view(dtype.numpy)
        frames = x.astype(dtype.numpy, copy=False)
        arrays = job.reference(frames)
        return (
            _words(job.layout_in, job.fields_in, self.about["input"], [frames]),
            _words(job.layout_out, job.fields_out, self.about["output"], arrays),
        )

    async def _start(self) -> None:
        for port in ("s_axis_tdata", "s_axis_tvalid", "s_axis_tlast", "m_axis_tready", "aresetn"):
            getattr(self.dut, port).value = 0
        Clock(self.dut.aclk, 10, unit="ns").start()
        await self._reset()

    async def _reset(self) -> None:
        self.dut.s_axis_tvalid.value = 0
        self.dut.aresetn.value = 0
        for _ in range(2):
            await FallingEdge(self.dut.aclk)
        assert not self.dut.m_axis_tvalid.value, "tvalid in reset"
        self.dut.aresetn.value = 1

    async def _run(
        self,
        words: Words,
        due: Words,
        idle: Iterator[bool] | None = None,
        stall: Iterator[bool] | None = None,
        until: int | None = None,
    ) -> Seen:
        """Send words and check what comes, until all has come, or so many words are in."""
        dut, seen = self.dut, Seen()
        sent = came = quiet = 0
        offered = False
        patience = PATIENCE + 4 * self.about["cycles_per_frame"]
        end = len(words.values) if until is None else until
        while came < len(due.values) if until is None else sent < end:
            self.clock += 1
            ready = stall is None or not next(stall)
            dut.m_axis_tready.value = int(ready)
            if dut.m_axis_tvalid.value and ready:
                word, last = int(dut.m_axis_tdata.value), bool(dut.m_axis_tlast.value)
                assert came < len(due.values), f"a word {word:#x} beyond the last"
                right = due.values[came]
                word &= due.used[came]
                assert word == right, f"word {came} is {word:#x}, and has to be {right:#x}"
                assert last == due.last[came], f"word {came} has tlast {last}"
                if last:
                    seen.ends.append(self.clock)
                came, quiet = came + 1, 0
            if not offered:
                offered = sent < end and (idle is None or not next(idle))
                dut.s_axis_tvalid.value = int(offered)
                if offered:
                    dut.s_axis_tdata.value = words.values[sent]
                    dut.s_axis_tlast.value = int(words.last[sent])
            if offered and dut.s_axis_tready.value:
                seen.first = seen.first or self.clock
                sent, quiet, offered = sent + 1, 0, False
            quiet += 1
            assert quiet < patience, f"stuck: {sent} words in, {came} out"
            await FallingEdge(dut.aclk)
        dut.s_axis_tvalid.value = 0
        assert not dut.frame_error.value, "frame_error"
        return seen


def _words(layout: BeatLayout, fields: Any, about: dict[str, Any], arrays: Any) -> Words:
    """Return frames, an array for each field, as the words that a stream has."""
    width, used = about["lane_width"], about["lane_bits"]
    offsets = [0, *(about[each.name]["offset"] for each in fields[1:])]
    records = np.zeros(arrays[0].shape, object)
    for each, offset, array in zip(fields, offsets, arrays, strict=True):
        records |= _bits(each, array, about, each.name) << offset
        used = max(used, offset + about.get(each.name, {}).get("bits", 0))
    beats = layout.pack(records).reshape(-1, layout.values)
    marks = layout.pack(np.full(records.shape, (1 << used) - 1, object)).reshape(beats.shape)
    places = [lane * width for lane in range(layout.values)]
    return Words(
        [sum(int(v) << at for v, at in zip(beat, places, strict=True)) for beat in beats],
        [sum(int(v) << at for v, at in zip(mark, places, strict=True)) for mark in marks],
        [(number + 1) % layout.beats == 0 for number in range(len(beats))],
    )


def _bits(field: Field, array: np.ndarray, about: dict[str, Any], name: str) -> np.ndarray:
    """Return values as the bits that a lane has, objects."""
    bits = about.get(name, {}).get("bits", about["lane_bits"])
    if field.dtype.is_float:
        array = array.view(field.dtype.raw.numpy)
    return array.astype(object) & ((1 << bits) - 1)


def _gaps(seed: int) -> Iterator[bool]:
    """Yield, clock by clock, whether a side is idle: now and then for a while."""
    rng = random.Random(seed)
    while True:
        yield from [False] * rng.randint(1, 12)
        yield from [True] * rng.choice([1, 1, 2, 20])
