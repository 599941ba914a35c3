"""Benches of RGB video: lines of several pixels a clock, with the marks of AXI4-Stream video.

A source sends each line as a packet, with start of frame in ``tuser``, and a sink takes lines. What
is checked are the pixels of the golden model, as bytes in the order of the picture.
"""

from typing import Any

import cocotb
import numpy as np
from axis_jobs import VIDEO, payload
from axis_stream import gaps
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotb.utils import get_time_from_sim_steps
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from streampool_golden import PoolJob, pool

CLOCK_NS = 10
FRAMES = 2


def lines(frames: np.ndarray) -> list[bytes]:
    """Return the lines of frames, (frames, 3, rows, columns), as bytes: R, G, B, R, G, B, ..."""
    return [
        np.moveaxis(frame, 0, -1)[y].tobytes() for frame in frames for y in range(frame.shape[1])
    ]


@cocotb.test()
@cocotb.parametrize(name=list(VIDEO), pauses=(("none", "none"), ("bursts", "random")))
async def video(dut: Any, name: str, pauses: tuple[str, str]) -> None:
    """Lines come out right, marked as they went in, at so many pixels a clock."""
    job: PoolJob = VIDEO[name]
    clock, reset = getattr(dut, f"{name}_aclk"), getattr(dut, f"{name}_aresetn")
    reset.value = 0
    running = Clock(clock, CLOCK_NS, unit="ns")
    running.start()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, f"{name}_s_axis"), clock, reset, False)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, f"{name}_m_axis"), clock, reset, False)
    for _ in range(3):
        await RisingEdge(clock)
    reset.value = 1
    await RisingEdge(clock)
    source.set_pause_generator(gaps(pauses[0], 1))
    sink.set_pause_generator(gaps(pauses[1], 2))

    x = payload(job, "random", FRAMES, 5)
    for number, line in enumerate(lines(x)):
        first = number % job.size[0] == 0
        user = [int(first and at < job.columns * job.lanes) for at in range(len(line))]
        source.send_nowait(AxiStreamFrame(line, tuser=user))
    ends = []
    for number, line in enumerate(lines(pool(job.spec, x))):
        came = await sink.recv(compact=False)
        ends.append(get_time_from_sim_steps(came.sim_time_end, "ns"))
        width = job.columns_out * job.lanes
        first = number % job.out_size[0] == 0
        assert came.tuser == [int(first)] * width + [0] * (len(came.tdata) - width)
        came.compact()
        assert bytes(came.tdata) == line
    assert not getattr(dut, f"{name}_frame_error").value
    if pauses == ("none", "none"):  # a frame takes as many clocks as beats
        frame = (ends[-1] - ends[-1 - job.out_size[0]]) / CLOCK_NS
        assert frame == job.beats_in == job.limit_cycles
    running.stop()
