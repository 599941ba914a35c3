"""Benches of cores that follow their frames' marks: good frames and bad ones by turns."""

import random
import zlib
from typing import Any

import cocotb
from axis_jobs import RESYNCED
from axis_stream import gaps
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from marked_frames import Beat, assert_right, parts_of, payload, random_beats, tdata


class Ports:
    """The ports of a core, whose inputs change at the falling edge, where the outputs are read."""

    def __init__(self, dut: Any, name: str):
        self._dut, self._name = dut, name

    def __getitem__(self, port: str) -> Any:
        return getattr(self._dut, f"{self._name}_{port}")

    def __contains__(self, port: str) -> bool:
        return hasattr(self._dut, f"{self._name}_{port}")

    def offer(self, beat: Beat | None, job: Any, junk: random.Random) -> None:
        """Show a beat with its marks, or without one anything."""
        self["s_axis_tvalid"].value = beat is not None
        shown = {"tlast": junk.getrandbits(1), "tuser": junk.getrandbits(1)}
        shown["tdata"] = junk.getrandbits(len(self["s_axis_tdata"]))
        if beat is not None:
            shown = {"tlast": beat.last, "tuser": beat.first, "tdata": tdata(job, beat.values)}
        for part, value in {**shown, "tkeep": (1 << len(self["s_axis_tdata"]) // 8) - 1}.items():
            if f"s_axis_{part}" in self:
                self[f"s_axis_{part}"].value = value


@cocotb.test()
@cocotb.parametrize(name=list(RESYNCED), pauses=(("none", "none"), ("turns", "turns")))
async def broken_frames(dut: Any, name: str, pauses: tuple[str, str]) -> None:
    """Whole frames come out right, of others nothing wrong does, and they are counted."""
    (job, options), port = RESYNCED[name], Ports(dut, name)
    seed = zlib.crc32(f"{name} {pauses}".encode())
    lines = "tlast" in options
    line, line_out = (
        beats // size[0] if lines else None
        for beats, size in ((job.beats_in, job.size), (job.beats_out, job.out_size))
    )
    marks = ("first", "last") if "tuser" in options else ("last",)
    beats = random_beats(job, 60, random.Random(seed), line=line)
    frames, broken = parts_of(beats, job.beats_in, marks, line)
    idle, stall = gaps(pauses[0], seed), gaps(pauses[1], seed + 1)
    junk = random.Random(seed)

    port["aresetn"].value = 0
    port.offer(None, job, junk)
    clock = Clock(port["aclk"], 10, unit="ns")
    clock.start()
    for _ in range(3):
        await FallingEdge(port["aclk"])
    port["aresetn"].value = 1
    left: list[int] = []
    held: int | None = None
    at, offered, quiet = 0, False, 0
    while quiet < 200 + 4 * job.limit_cycles:
        ready = not next(stall)
        port["m_axis_tready"].value = ready
        if port["m_axis_tvalid"].value:
            last = int(port["m_axis_tlast"].value)
            first = int(port["m_axis_tuser"].value) if "m_axis_tuser" in port else 0
            word = payload(job, int(port["m_axis_tdata"].value), last=last, first=first)
            assert held in (None, word), "the beat changed while it waited"
            held = None if ready else word
            left += [word] if ready else []
        else:
            assert held is None, "tvalid fell while the beat waited"
        if not offered:
            offered = at < len(beats) and not next(idle)
            port.offer(beats[at] if offered else None, job, junk)
        if offered and port["s_axis_tready"].value:
            at, offered, quiet = at + 1, False, 0
        quiet += ready
        await FallingEdge(port["aclk"])
    assert at == len(beats)
    assert int(port["broken_frames"].value) == broken > 0
    assert port["frame_error"].value == 1
    assert_right(job, frames, left, line=line_out, first="tuser" in options)
    clock.stop()
