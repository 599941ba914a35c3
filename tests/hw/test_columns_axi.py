"""The ports of cores with several columns a beat: bytes, marks at lines' ends, what is said."""

import json

import numpy as np
import pytest
from amaranth.sim import Simulator
from core_bench import random_frames
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw import AxiCore, PoolCore
from streampool_hw.export.verilog import write_verilog
from streampool_sim.frames import pack, unpack

JOB = PoolJob(PoolSpec("max", 3, 2, 1, dtype="int12"), (3, 5, 11), 2, 4)


def stream(core: AxiCore, frames: np.ndarray, wrong: tuple[str, int] | None = None):
    """Send frames with all marks, one of them wrong at a beat; return the beats out, the error."""
    job, marks = core.job, {"tdata": [], "tkeep": [], "tlast": [], "tuser": []}
    layout = job.layout_in
    lines = layout.row_beats if core.marks_lines else layout.beats
    for beats in pack(job, frames)[0]:
        for at, beat in enumerate(beats):
            spare = layout.spare[at % layout.row_beats]
            marks["tdata"].append(sum((int(v) & 0xFFFF) << 16 * k for k, v in enumerate(beat)))
            marks["tkeep"].append(sum(3 << 2 * k for k, null in enumerate(spare) if not null))
            marks["tlast"].append(at % lines == lines - 1)
            marks["tuser"].append(at == 0)
    if wrong:
        marks[wrong[0]][wrong[1]] ^= 1
    out, errors = [], []

    async def run(ctx):
        sent = 0
        ctx.set(core.m_axis_tready, 1)
        for clock in range(3 * len(frames) * job.beats_in + 60):
            valid = sent < len(marks["tdata"]) and clock % 5 != 2
            ctx.set(core.s_axis_tvalid, valid)
            for mark, values in marks.items() if valid else ():
                ctx.set(getattr(core, f"s_axis_{mark}"), values[sent])
            sent += valid and ctx.get(core.s_axis_tready)
            if ctx.get(core.m_axis_tvalid):
                out.append([ctx.get(getattr(core, f"m_axis_{mark}")) for mark in marks])
            await ctx.tick()
        errors.append(ctx.get(core.frame_error))

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return out, errors[0]


@pytest.mark.parametrize("tlast", ["frame", "line"])
def test_every_byte_and_mark(tlast: str):
    frames = random_frames(JOB, 2)
    core = AxiCore(PoolCore(JOB), tkeep=True, tuser=True, tlast=tlast)
    out, error = stream(core, frames)
    assert not error
    layout = JOB.layout_out
    values = np.array([[word >> 16 * k & 0xFFFF for k in range(layout.values)] for word, *_ in out])
    values = values.astype(np.uint16).view(np.int16)
    assert np.array_equal(unpack(JOB, values), JOB.reference(frames)[0])
    lines = layout.row_beats if tlast == "line" else layout.beats
    for at, (_, keep, last, first) in enumerate(out):
        spare = layout.spare[at % layout.row_beats]
        assert keep == sum(3 << 2 * k for k, null in enumerate(spare) if not null)
        assert last == (at % lines == lines - 1)
        assert first == (at % layout.beats == 0)


@pytest.mark.parametrize("wrong", [("tlast", 3), ("tuser", 4), ("tkeep", 2)])
def test_a_mark_out_of_place_is_told(wrong):
    frames = random_frames(JOB, 1)
    core = AxiCore(PoolCore(JOB), tkeep=True, tuser=True, tlast="line")
    assert stream(core, frames, wrong)[1]


def test_what_is_written_says_which_value_is_where(tmp_path):
    written = write_verilog(JOB, tmp_path, tuser=True, tlast="line")
    about = json.loads(written.about.read_text("utf-8"))
    assert (about["lanes"], about["tlast"]) == (2, "line")
    for side, columns in (("input", 4), ("output", 2)):
        told = about[side]
        assert told["columns"] == columns
        assert told["tdata_bits"] == columns * 2 * 16
        assert told["values"] == [
            {"bit": 16 * (2 * column + lane), "column": column, "lane": lane}
            for column in range(columns)
            for lane in range(2)
        ]
    assert about["input"]["beat_order"] == JOB.layout_in.beat_order
    assert about["output"]["beat_order"] == JOB.layout_out.beat_order
    heading = written.verilog.read_text("utf-8").partition("module")[0]
    assert "s_axis: 30 beats per frame, 4 columns x 2 lanes of int12 in 16 bits each" in heading
    assert "tlast marks the last beat of each line" in heading


def test_tlast_marks_frames_or_lines(tmp_path):
    with pytest.raises(SpecError, match="tlast must be one of frame, line, not 'row'"):
        write_verilog(JOB, tmp_path, tlast="row")
    assert not list(tmp_path.iterdir())
