"""Cores cut into slices: behind one wide stream, and with streams of their own."""

import json
import random
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator
from core_bench import drive, from_bits, random_frames, same, to_bits
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.slices import slice_job
from streampool_hw import SlicedCore, Slices, StreamSlices, make_core
from streampool_hw.export import yosys
from streampool_hw.export.verilog import write_verilog
from streampool_hw.fpga import DEVICES
from streampool_hw.fpga.around import around
from streampool_hw.fpga.flow import synthesize
from streampool_hw.vendor.ecp5 import LUT_WORDS
from streampool_sim.engines import fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack
from streampool_sim.netlist_check import check_core
from streampool_sim.simulation import compare
from streampool_sim.stats import frame_cycles

FRAMES = 5
JOBS = {
    "max k2 s2, columns": (4, PoolJob(PoolSpec("max", 2), (4, 6, 32), 4, 8)),
    "max k3 s1, spare lanes": (
        3,
        PoolJob(PoolSpec("max", 3, 1, 1, indices="plane"), (10, 5, 8), 6, 4),
    ),
    "avg k3 s2, lanes alone": (
        2,
        PoolJob(PoolSpec("avg", 3, 2, 1, count_include_pad=False), (8, 7, 9), 4),
    ),
    "mean of all": (2, PoolJob(PoolSpec("avg", "global"), (8, 3, 7), 4, 7)),
    "grows": (5, PoolJob(PoolSpec("max", 2, 1, 1), (5, 4, 6), 5, 2)),
}
"""Slices, and what they do together."""


@cache
def built() -> dict[str, tuple[SlicedCore, Model]]:
    """Every job's core, all compiled at once."""
    cores = [SlicedCore(job, slices) for slices, job in JOBS.values()]
    models = Build(cores, optimise="-O0").load()
    return dict(zip(JOBS, zip(cores, models, strict=True), strict=True))


@pytest.mark.parametrize("name", JOBS)
def test_one_wide_stream_is_the_golden_model_at_a_beat_per_clock(name):
    core, model = built()[name]
    job = core.job
    frames = random_frames(job, FRAMES, 1)
    right = job.reference(frames)
    beats = pack(job, frames, seed=3)
    for stall, seed in ((0.0, 0), (0.3, 1), (0.7, 2)):
        trace = fast.run(core, beats, model=model, stall=stall, seed=seed)
        _, mismatch = compare(job, trace, *right)
        assert mismatch is None
    trace = fast.run(core, beats, model=model)
    taken = frame_cycles(trace, job.beats_out).tolist()
    assert set(taken) == {max(job.beats_in, job.beats_out)} == {core.cycles_bound}


@pytest.mark.parametrize("name", JOBS)
def test_a_reset_in_mid_frame_leaves_clean_slices(name):
    core, model = built()[name]
    job = core.job
    frames = random_frames(job, 2, 5)
    right, beats = job.reference(frames), pack(job, frames, seed=3)
    fresh = fast.run(core, beats, model=model, stall=0.3, seed=7)
    for cycle in range(1, fresh.cycles, 1 + fresh.cycles // 25):
        again = fast.run(core, beats, model=model, stall=0.3, seed=7, reset_at=cycle)
        found, _ = compare(job, again, *right)
        assert all(map(same, found, right)), cycle
        assert np.array_equal(again.out_cycles, fresh.out_cycles), cycle


def test_the_joint_handshake_costs_latency_alone():
    slices, job = JOBS["max k2 s2, columns"]
    core, model = built()["max k2 s2, columns"]
    [alone] = (each := Slices(job, slices)).cores[:1]
    for made in each.cores:
        Fragment.get(made, None)
    assert core.latency == alone.latency + SlicedCore.JOINT == alone.latency + 6
    assert core.cycles_bound == alone.cycles_bound
    trace = fast.run(core, pack(job, random_frames(job, 2, 2), seed=3), model=model)
    # the first windows leave with the first beat of the second row
    assert trace.out_cycles[0] - trace.in_cycles[job.layout_in.row_beats] == core.latency


def test_slices_behind_one_stream_do_the_same_in_every_clock():
    """In Amaranth's simulator: gaps, stalls, a reset, and the handshakes inside."""
    slices, job = JOBS["max k3 s1, spare lanes"]
    core, rng = SlicedCore(job, slices), random.Random(1)
    frames = random_frames(job, 2)
    sides = [*core.streams.i, *core.streams.o]
    log = drive(
        core,
        to_bits(job, frames),
        gaps=lambda beat: rng.choice([0, 0, 0, 2, 9]),
        ready=lambda clock: rng.random() < 0.6,
        resets={70},
        clocks=14 * job.beats_in,
        watch=[getattr(side, end) for end in ("valid", "ready") for side in sides],
    )
    for bits in log.watched:
        for first in range(0, len(bits), slices):
            assert len(set(bits[first : first + slices])) == 1
    assert len({bits[0] for bits in log.watched}) == 2
    log.assert_stable({70})


def test_streams_of_their_own_wait_for_nobody():
    slices, job = 3, PoolJob(PoolSpec("max", 3, 1, 1), (10, 5, 8), 6, 4)
    core, frames = StreamSlices(job, slices), random_frames(job, 2)
    each, rng = core.slices.slice_job, random.Random(2)
    parts = []
    for number in range(slices):
        channels = core.slices.channels(number)
        part = np.zeros((len(frames), *each.shape), frames.dtype)
        part[:, : len(channels)] = frames[:, channels]
        parts.append((channels, part))
    assert sorted(c for channels, _ in parts for c in channels) == list(range(job.shape[0]))
    came: list[list[int]] = [[] for _ in range(slices)]

    async def run(ctx):
        beats = [to_bits(each, part) for _, part in parts]
        sent = [0] * slices
        for _ in range(8 * each.beats_in):
            valid = [
                at < len(own) and rng.random() < 0.8 for at, own in zip(sent, beats, strict=True)
            ]
            ready = [number > 0 and rng.random() < 0.7 for number in range(slices)]  # 0 never
            for number in range(slices):
                ctx.set(core.i[number].valid, valid[number])
                if valid[number]:
                    ctx.set(core.i[number].payload.as_value(), beats[number][sent[number]])
                ctx.set(core.o[number].ready, ready[number])
            for number in range(slices):
                sent[number] += valid[number] and ctx.get(core.i[number].ready)
                if ready[number] and ctx.get(core.o[number].valid):
                    came[number].append(ctx.get(core.o[number].payload.as_value()))
            await ctx.tick()

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    assert came[0] == []
    for number in range(1, slices):
        channels, part = parts[number]
        out, last = from_bits(each, came[number])
        assert same(out, each.reference(part)[0])
        assert last == ([0] * (each.beats_out - 1) + [1]) * len(frames)


@pytest.mark.parametrize(
    ("slices", "said"),
    [
        (0, "slices must be a positive integer that divides the lanes, not 0."),
        (3, "slices 3 do not divide the 4 lanes that they share out; use 2, or other lanes."),
        (8, "slices 8 do not divide the 4 lanes that they share out; use 4, or other lanes."),
    ],
)
def test_what_cannot_be_cut_is_refused(slices, said):
    with pytest.raises(SpecError) as refusal:
        slice_job(PoolJob(PoolSpec("max", 2), (8, 6, 6), 4), slices)
    assert (str(refusal.value), refusal.value.field) == (said, "slices")


def test_indices_that_number_all_channels_are_refused():
    job = PoolJob(PoolSpec("max", 2, indices="flat"), (4, 6, 6), 4)
    with pytest.raises(SpecError, match="slices 2 has no meaning with the index base 'flat'"):
        slice_job(job, 2)
    assert slice_job(job, 1) == job


def test_slices_are_an_option_of_a_pooling_core():
    slices, job = JOBS["mean of all"]
    core = make_core(job, slices=slices)
    Fragment.get(core, None)
    assert isinstance(core, SlicedCore) and core.job == job
    assert core.facts() == {"slices": 2, "store_bits": core.store_bits}
    with pytest.raises(SpecError, match=r"slices must be .*, not True"):
        make_core(job, slices=True)


def test_a_sliced_netlist_is_the_core_and_its_slices_stay_apart(tmp_path):
    """Synthesis may not find that slices do the same: each keeps its own control and its store."""
    job, device = PoolJob(PoolSpec("max", 2), (3, 4, 32), 3, 4), DEVICES["ecp5-25k-6"]
    core = SlicedCore(job, 3, family="ecp5")
    alone = SlicedCore(slice_job(job, 3), 1, family="ecp5")
    counts = synthesize(yosys.to_rtlil(core, "core"), device, tmp_path / "three")
    one = synthesize(yosys.to_rtlil(alone, "core"), device, tmp_path / "one")
    assert job.beats_in // 4 <= LUT_WORDS and counts["block_ram"] == 0 < counts["lut_ram"]
    assert counts["ff"] > 2.8 * one["ff"] and counts["carry"] >= 3 * one["carry"]
    assert check_core(core, device, tmp_path / "three") is None


def test_every_stream_has_ports_of_its_own(tmp_path):
    job = PoolJob(PoolSpec("max", 2), (6, 4, 8), 4, 2)
    written = write_verilog(Slices(job, 2), tmp_path, "wide", tuser=True)
    about = json.loads(written.about.read_text())
    sides = [("s0_axis", "m0_axis"), ("s1_axis", "m1_axis")]
    assert [(each["in"], each["out"]) for each in about["streams"]] == sides
    assert [each["channels"] for each in about["streams"]] == [[0, 1, 4, 5], [2, 3]]
    assert (about["slices"], about["shape"], about["whole_shape"]) == (2, [4, 4, 8], [6, 4, 8])
    for into, out in sides:
        assert about["ports"][f"{into}_tdata"] == ["input", 32]
        assert about["ports"][f"{out}_tdata"] == ["output", 16]
        assert f"<spirit:name>{into}</spirit:name>" in written.component.read_text()


def test_no_bit_of_a_slice_is_out_of_the_measure():
    """Around slices, every input is a register's and every output goes into one."""
    job = PoolJob(PoolSpec("max", 2), (2, 4, 4), 2, 2)
    rtlil = yosys.to_rtlil(around(StreamSlices(job, 2)), "between")
    script = f"read_rtlil <<rtlil\n{rtlil}\nrtlil\nproc\nopt_clean\nwrite_json"
    module = json.loads(yosys.run(script))["modules"]["between"]
    registers = [
        cell["connections"] for cell in module["cells"].values() if cell["type"].startswith("$")
        and "Q" in cell["connections"]
    ]  # fmt: skip
    held = {bit for each in registers for bit in each["Q"]}
    taken = {bit for each in registers for bit in each["D"]}
    core = module["cells"]["core"]
    ways = core["port_directions"]
    for port, bits in core["connections"].items():
        if port not in ("clk", "rst"):
            assert set(bits) <= (held if ways[port] == "input" else taken), port
