"""The MaxUnpool core: its maps, cycles, memory, and what it does with an index out of range."""

import json
import random
from functools import cache
from pathlib import Path

import numpy as np
import packaged_verilator
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from core_bench import drive
from streampool_golden import PoolJob, PoolSpec, SpecError, UnpoolJob, pool, unpool
from streampool_hw import (
    AxiCore,
    PoolCore,
    UnpoolCore,
    write_verilog,
)
from streampool_hw.asked import asked
from streampool_sim.engines import Trace, amaranth, fast
from streampool_sim.engines.model import Build, Model
from streampool_sim.frames import pack, unpack

VECTORS = Path(__file__).parents[1] / "golden" / "vectors"

JOBS = {
    "2-D": UnpoolJob((3, 2, 3), (4, 6), 2),
    "1-D": UnpoolJob((1, 4), (9,), 1, "uint5"),
    "a power of two": UnpoolJob((4, 2, 2), (4, 4), 4, "int12"),
    "as many out as in": UnpoolJob((2, 3, 3), (3, 3), 2),
    "one more out": UnpoolJob((1, 2, 3), (7, 1), 1),
    "one fewer out": UnpoolJob((1, 8), (7,), 1),
    "fewer out than in": UnpoolJob((5, 4, 4), (3, 3), 2),
    "lanes beyond the channels": UnpoolJob((2, 1, 2), (3, 3), 5, "uint1"),
    "one value": UnpoolJob((1, 1, 1), (1, 1), 1),
}
ONE_FRAME = ("1-D", "as many out as in")
CORES = [*((name, 2) for name in JOBS), *((name, 1) for name in ONE_FRAME)]


@cache
def built() -> dict[tuple[str, int], tuple[UnpoolCore, Model]]:
    cores = [UnpoolCore(JOBS[name], frames=frames) for name, frames in CORES]
    models = Build(cores, optimise="-O0").load()
    return dict(zip(CORES, zip(cores, models, strict=True), strict=True))


def run(name: str, values: np.ndarray, indices: np.ndarray, frames: int = 2, **options) -> Trace:
    core, model = built()[name, frames]
    return fast.run(core, pack(core.job, values, indices), model=model, **options)


def random_frames(job: UnpoolJob, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values, and indices any of which may come more than once."""
    rng, dtype = np.random.default_rng(seed), job.input
    shape = (count, *job.shape)
    values = rng.integers(dtype.low, dtype.high, shape, np.int64, endpoint=True)
    return values.astype(dtype.numpy), rng.integers(0, np.prod(job.out_size), shape)


def assert_maps(job: UnpoolJob, trace: Trace, values: np.ndarray, indices: np.ndarray) -> None:
    assert np.array_equal(unpack(job, trace.out), unpool(values, indices, job.out_size))
    ends = np.flatnonzero(trace.last) + 1
    assert ends.tolist() == [job.beats_out * (k + 1) for k in range(len(values))]


@pytest.mark.parametrize(("name", "frames"), CORES)
def test_maps_are_the_golden_model_s(name, frames):
    job = JOBS[name]
    values, indices = random_frames(job, 9)
    for stall, seed in ((0.0, 0), (0.2, 1), (0.5, 2), (0.8, 3)):
        trace = run(name, values, indices, frames, stall=stall, seed=seed)
        assert_maps(job, trace, values, indices)


@pytest.mark.parametrize("name", ["2-D", "as many out as in", "one value"])
def test_engines_agree_and_a_reset_leaves_nothing(name):
    job, (core, _) = JOBS[name], built()[name, 2]
    values, indices = random_frames(job, 3)
    quick = run(name, values, indices, stall=0.4, seed=7)
    plain = amaranth.run(core, pack(job, values, indices), stall=0.4, seed=7)
    assert np.array_equal(plain.out, quick.out)
    assert np.array_equal(plain.in_cycles, quick.in_cycles)
    assert np.array_equal(plain.out_cycles, quick.out_cycles)
    for cycle in (1, core.clear_cycles + job.beats_in // 2 + 1, quick.cycles // 2):
        again = run(name, values, indices, stall=0.4, seed=7, reset_at=cycle)
        assert np.array_equal(again.out, quick.out)
        assert np.array_equal(again.out_cycles, quick.out_cycles)


@pytest.mark.parametrize("frames", [1, 2])
def test_cycles_of_all_small_frames(frames):
    """The bound is met, and not passed, by some frame of the steady state, whatever the sizes."""
    jobs = [UnpoolJob((1, i), (o,), 1) for i in range(1, 7) for o in range(1, 7)]
    jobs += [UnpoolJob((2, i), (o,), 1) for i in range(1, 4) for o in range(1, 4)]
    jobs.append(UnpoolJob((2, 3, 3), (3, 3), 2))  # two lanes
    for job in jobs:
        core = UnpoolCore(job, frames=frames)
        values, indices = random_frames(job, 8)
        trace = amaranth.run(core, pack(job, values, indices))
        ends = trace.out_cycles[job.beats_out - 1 :: job.beats_out]
        assert np.diff(ends)[1:].max() == core.cycles_bound, job
        both = job.beats_in + job.beats_out + 2
        mean = both if frames == 1 else max(job.limit_cycles, both / 2)
        assert np.diff(ends)[1:].mean() == mean, job
        assert trace.in_cycles[0] == core.clear_cycles == job.beats_out
        assert trace.out_cycles[0] - trace.in_cycles[job.beats_in - 1] == core.latency


@pytest.mark.parametrize(("name", "frames"), CORES)
def test_cycles_latency_and_memory(name, frames):
    job, (core, _) = JOBS[name], built()[name, frames]
    values, indices = random_frames(job, 9)
    trace = run(name, values, indices, frames)
    ends = trace.out_cycles[job.beats_out - 1 :: job.beats_out]
    two = ends[2:] - ends[:-2]  # an odd number of clocks is shared by two frames
    most, both = max(job.beats_in, job.beats_out), job.beats_in + job.beats_out + 2
    assert core.cycles_bound == (both if frames == 1 else max(most, both - most))
    if frames == 1 or abs(job.beats_in - job.beats_out) >= 2:
        assert set(np.diff(ends).tolist()) == {core.cycles_bound}
        assert core.cycles_bound == (both if frames == 1 else most)
    else:
        assert set(two.tolist()) == {max(2 * most, both)}
        assert np.diff(ends)[1:].max() == core.cycles_bound
    assert trace.in_cycles[0] == core.clear_cycles == job.beats_out
    assert trace.out_cycles[0] - trace.in_cycles[job.beats_in - 1] == core.latency
    assert core.store_words == frames * job.fold * np.prod(job.out_size)
    assert core.store_bits == core.store_words * job.lanes * job.input.bits


def test_frames_torch_recorded():
    """Two of those in which values fall onto one another."""
    cases = json.loads((VECTORS / "unpool_torch.json").read_text())["cases"]
    some = [
        case
        for case in cases
        if len(case["size"]) == 2
        and all(len(np.unique(plane)) < np.size(plane) for plane in case["indices"][0])
        and np.prod(case["size"]) > 6
    ][:2]
    assert len(some) == 2
    for case in some:
        job = UnpoolJob(np.shape(case["x"])[1:], case["size"])
        beats = pack(job, np.array(case["x"]), np.array(case["indices"]))
        trace = amaranth.run(UnpoolCore(job), beats, stall=0.3)
        assert np.array_equal(unpack(job, trace.out), np.array(case["y"]))


class Flagged(wiring.Component):
    """A core whose flag is one more bit of its output."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, core: UnpoolCore):
        self.core = core
        bits = len(core.o.payload.as_value()) + 1
        i = core.i.signature.flip()
        super().__init__({"i": In(i), "o": Out(stream.Signature(bits))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self.core
        wiring.connect(m, wiring.flipped(self.i), core.i)
        m.d.comb += [
            self.o.valid.eq(core.o.valid),
            core.o.ready.eq(self.o.ready),
            self.o.payload.eq(Cat(core.o.payload.as_value(), core.index_error)),
        ]
        return m


def to_bits(job: UnpoolJob, values: np.ndarray, indices: np.ndarray) -> list[int]:
    beats = []
    for some, places in zip(
        *(each.reshape(-1, job.lanes).tolist() for each in pack(job, values, indices)),
        strict=True,
    ):
        fields = [(v, job.input.bits) for v in some] + [(v, job.index_in.bits) for v in places]
        word = low = 0
        for value, bits in fields:
            word |= (value & ((1 << bits) - 1)) << low
            low += bits
        beats.append(word)
    return beats


@pytest.mark.parametrize("name", ["2-D", "a power of two", "lanes beyond the channels"])
@pytest.mark.parametrize("wrong", ["the first beyond", "the last of all"])
def test_an_index_out_of_range_is_left_out_and_told(name, wrong):
    job = JOBS[name]
    area = int(np.prod(job.out_size))
    values, indices = random_frames(job, 3, seed=2)
    indices[1, -1] = area if wrong == "the first beyond" else job.index_in.high
    # what is out of range is as if it had not come
    kept = np.zeros((3, job.shape[0], area), values.dtype)
    for frame, channel, at in np.ndindex(3, job.shape[0], int(np.prod(job.size))):
        index = indices[frame, channel].flat[at]
        if index < area:
            kept[frame, channel, index] = values[frame, channel].flat[at]
    kept = kept.reshape(3, *job.out_shape)
    log = drive(
        Flagged(UnpoolCore(job)),
        to_bits(job, values, indices),
        clocks=6 * (job.beats_in + job.beats_out) + 40,
    )
    log.assert_stable()
    bits = job.input.bits * job.lanes
    flags = [word >> (bits + 1) for word in log.o_payload]
    assert flags == [0] * flags.count(0) + [1] * flags.count(1)  # sticky
    assert 0 < flags.count(1) < len(flags)
    assert flags[-1] == 1
    out = lanes_of(job, log.beats)
    assert np.array_equal(unpack(job, out), kept)


def lanes_of(job: UnpoolJob, beats: list[int]) -> np.ndarray:
    bits = job.input.bits
    mask, sign = (1 << bits) - 1, 1 << bits - 1 if job.input.signed else 0
    return np.array(
        [
            [((word >> (bits * lane) & mask) ^ sign) - sign for lane in range(job.lanes)]
            for word in beats
        ]
    )


def test_idle_lanes_tell_nothing_and_a_reset_takes_the_flag_back():
    """Indices of lanes without a channel are rubbish, some of it out of range."""
    job = JOBS["lanes beyond the channels"]
    values, indices = random_frames(job, 3)
    assert (pack(job, values, indices)[1] >= np.prod(job.out_size)).any()
    right = to_bits(job, values, indices)
    bits = job.input.bits * job.lanes
    log = drive(Flagged(UnpoolCore(job)), right, clocks=120)
    assert {beat >> (bits + 1) for beat in log.beats} == {0}
    indices[0] = job.index_in.high
    log = drive(Flagged(UnpoolCore(job)), to_bits(job, values, indices), clocks=120, resets=[60])
    flag = [word >> (bits + 1) for word in log.o_payload]
    assert (flag[60], flag[61], flag[-1]) == (1, 0, 1)


@pytest.mark.parametrize("name", ["2-D", "1-D", "fewer out than in"])
def test_gaps_between_beats_and_frames(name):
    job = JOBS[name]
    values, indices = random_frames(job, 4)
    rng = random.Random(name)
    gaps = [rng.choice([0, 0, 0, 1, 4]) for _ in range(4 * job.beats_in)]
    gaps[2 * job.beats_in] = 3 * job.beats_out + 20  # a frame that comes when all has left
    log = drive(
        UnpoolCore(job),
        to_bits(job, values, indices),
        gaps=gaps.__getitem__,
        clocks=sum(gaps) + 6 * (job.beats_in + job.beats_out) + 60,
    )
    log.assert_stable()
    assert np.array_equal(
        unpack(job, lanes_of(job, log.beats)), unpool(values, indices, job.out_size)
    )


class PoolAndUnpool(wiring.Component):
    """A pooling core with indices and a MaxUnpool core, joined port to port."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, pools: AxiCore, unpools: AxiCore):
        self.pools, self.unpools = pools, unpools
        shape = stream.Signature(len(pools.s_axis_tdata) + 1)
        out = stream.Signature(len(unpools.m_axis_tdata) + 1)
        super().__init__({"i": In(shape), "o": Out(out)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pools = first = self.pools
        m.submodules.unpools = then = self.unpools
        m.d.comb += [
            first.s_axis_tdata.eq(self.i.payload),
            first.s_axis_tlast.eq(self.i.payload[-1]),
            first.s_axis_tvalid.eq(self.i.valid),
            self.i.ready.eq(first.s_axis_tready),
            then.s_axis_tdata.eq(first.m_axis_tdata),
            then.s_axis_tvalid.eq(first.m_axis_tvalid),
            then.s_axis_tlast.eq(first.m_axis_tlast),
            first.m_axis_tready.eq(then.s_axis_tready),
            self.o.payload.eq(then.m_axis_tdata),
            self.o.valid.eq(then.m_axis_tvalid),
            then.m_axis_tready.eq(self.o.ready),
            self.o.payload[-1].eq(first.frame_error | then.frame_error | then.index_error),
        ]
        return m


@pytest.mark.parametrize("size", [(4, 6), (16, 16)])
def test_a_pooling_core_and_this_one_are_joined_port_to_port(size):
    """Every maximum is back where it was, over AXI4-Stream; 16 x 16 indices fill a byte."""
    spec = PoolSpec("max", 2, indices="plane")
    pools = AxiCore(PoolCore(spec, (3, *size), 2))
    job = UnpoolJob(pools.job.out_shape, size, 2)
    x = np.random.default_rng(0).integers(1, 100, (2, 3, *size)).astype(np.int8)
    words = []
    for frame in pack(pools.job, x)[0]:
        beats = [int(low) & 255 | (int(high) & 255) << 8 for low, high in frame]
        words += [*beats[:-1], beats[-1] | 1 << 16]
    log = drive(
        PoolAndUnpool(pools, AxiCore(UnpoolCore(job))),
        words,
        ready=lambda clock: clock % 5 > 0,
        clocks=5 * (pools.job.beats_in + job.beats_out) + 100,
    )
    assert len(log.beats) == 2 * job.beats_out
    assert all(beat >> 16 == 0 for beat in log.beats)
    lanes = np.array([[beat & 255, beat >> 8 & 255] for beat in log.beats], np.uint8)
    out = unpack(job, lanes.view(np.int8))
    values = pool(spec, x).repeat(2, -1).repeat(2, -2)
    first = np.where(x == values, x, 0)
    assert ((out == first) | (out == 0)).all()
    assert np.array_equal(pool(spec, out), pool(spec, x))
    assert np.count_nonzero(out) == x.size // 4


def test_padding_of_an_index_counts():
    """An index whose bytes hold more than the core's bits is out of range, not another one."""
    job = UnpoolJob((1, 1, 1), (2, 3), 1)
    for raw, wrong in ((5, 0), (6, 1), (0x80, 1), (0x88, 1)):
        assert index_error(AxiCore(UnpoolCore(job)), raw) == wrong


def index_error(core: AxiCore, raw: int) -> int:
    async def bench(ctx):
        ctx.set(core.s_axis_tdata, raw << 8)
        ctx.set(core.s_axis_tlast, 1)
        ctx.set(core.s_axis_tvalid, 1)
        await ctx.tick().until(core.s_axis_tready)
        ctx.set(core.s_axis_tvalid, 0)
        await ctx.tick().repeat(12)
        seen.append(ctx.get(core.index_error))

    seen: list[int] = []
    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen[0]


def test_verilog_with_indices_and_of_unpool(tmp_path):
    spec = PoolSpec("max", 3, 2, 1, indices="channels_last")
    written = write_verilog(PoolJob(spec, (3, 9, 20), 2), tmp_path, "pool", tkeep=True, tuser=True)
    about = json.loads(written.about.read_text())
    assert about["output"]["index"] == {"dtype": "uint10", "bits": 10, "offset": 8}
    assert about["output"]["lane_width"] == 24 and about["output"]["tdata_bits"] == 48
    assert about["ports"]["m_axis_tkeep"] == ["output", 6]
    assert "index, uint10, from bit 8 on" in written.verilog.read_text()
    assert packaged_verilator.lint(written.verilog) == ""

    job = UnpoolJob((3, 5, 10), (9, 20), 2)
    written = write_verilog(job, tmp_path, tkeep=True, frames=1)
    about = json.loads(written.about.read_text())
    core = asked(UnpoolCore(job, frames=1))
    assert about["spec"] == {"op": "unpool", "shape": [3, 5, 10], "size": [9, 20], "lanes": 2,
                             "dtype": "int8"}  # fmt: skip
    assert about["input"]["index"] == {"dtype": "uint8", "bits": 8, "offset": 8}
    assert about["input"]["tdata_bits"] == 32 and about["output"]["tdata_bits"] == 16
    assert about["cycles_per_frame"] == core.cycles_bound
    assert about["latency_cycles"] == core.latency
    kept = ("store_bits", "store_words", "clear_cycles")
    assert {name: about[name] for name in kept} == {name: getattr(core, name) for name in kept}
    assert about["frames_kept"] == 1
    assert "takes nothing for 360 clocks" in written.verilog.read_text()
    assert about["ports"]["index_error"] == ["output", 1]
    assert "streampool_unpool" in written.template.read_text()
    assert packaged_verilator.lint(written.verilog) == ""
    with pytest.raises(SpecError):
        write_verilog(job, tmp_path / "nowhere")
    with pytest.raises(SpecError, match="frames 3 cannot be kept; use 1 or 2"):
        write_verilog(job, tmp_path, frames=3)
