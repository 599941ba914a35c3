"""Synthesized cores, made of what their cells do, against the core: beat for beat, to the cycle."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib import wiring
from streampool_golden import BASES, OPS, PoolJob, PoolSpec
from streampool_hw import PoolCore, ResyncCore
from streampool_hw.boards import BOARDS, SelfTest
from streampool_hw.boards.link.core import LinkedCore
from streampool_hw.boards.link.protocol import about
from streampool_hw.boards.pattern import expected
from streampool_hw.boards.top import Top
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, Device, ToolError, place
from streampool_hw.fpga.flow import synthesize
from streampool_hw.fpga.netlist import netlist_gates
from streampool_hw.reduce.stage import BANK, AxisStage
from streampool_hw.schedule.counters import ModuloCounter
from streampool_sim.cases import case
from streampool_sim.engines import EngineError, fast
from streampool_sim.engines.model import Build
from streampool_sim.engines.netlist import Netlist
from streampool_sim.frames import pack
from streampool_sim.netlist_check import check_core, check_link, check_self_test
from streampool_sim.simulation import compare

JOINED = PoolJob(PoolSpec("max", 5, 1, 2), (4, 5, 64), 4)
"""A core of which Yosys' abc9 makes another one where names end in brackets."""
JOBS = {
    "A": PoolJob(PoolSpec("max", 2), (3, 8, 16), 1),
    "A, narrow": PoolJob(PoolSpec("max", 2, dtype="int3"), (2, 4, 8), 1),
    "B": PoolJob(PoolSpec("max", 3, 2, 1), (6, 9, 11), 2),
    "C'": PoolJob(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (4, 7, 9), 2),
    "F": PoolJob(PoolSpec("max", 5, 1, 2), (4, 6, 8), 2),
    "F, many blocks": PoolJob(PoolSpec("max", 5, 1, 2), (16, 4, 5), 8),  # they write in every clock
    "fewest positions of a RAM": PoolJob(
        PoolSpec("max", 3, 2, 1, ndim=1), (AxisStage.DEPTH, 11), 1
    ),
    "two banks": PoolJob(
        PoolSpec("max", 2, dtype="int3"), (BANK + 2, 4, 2 * AxisStage.DEPTH), BANK + 2
    ),
    "joined": JOINED,
    **{
        f"max {k}x{k}, {lanes} lanes": PoolJob(PoolSpec("max", k, 1, k // 2), (lanes, 5, 64), lanes)
        for k in (3, 5)
        for lanes in (2, 3, 5, 6, 8)
    },
    # rows grow by a program, and columns shrink by an accumulator
    "to a size": PoolJob(PoolSpec("avg", adaptive=(7, 28)), (2, 5, 45), 2),
    # Yosys' fault with names in brackets made 89 of 768 values of this one wrong
    "columns": PoolJob(PoolSpec("max", 3, 1, 1), (1, 6, 32), 1, 4),
    "columns, narrow": PoolJob(PoolSpec("max", 3, 2, 1, dtype="int3"), (1, 5, 11), 1, 4),
    "columns apart": PoolJob(PoolSpec("avg", 5), (9, 5, 21), 1, 2),
    "columns in block RAM": PoolJob(PoolSpec("sum", 3, 1, 1, dtype="int5"), (8, 3, 10), 1, 4),
    "columns with indices": PoolJob(PoolSpec("min", 2, indices="plane"), (2, 4, 10), 2, 4),
    "with indices": PoolJob(PoolSpec("max", 3, 2, 1, indices="flat"), (6, 7, 9), 4),
}
QUICK = {
    ("ecp5-25k-6", "A"),
    ("ice40-hx8k", "A, narrow"),
    ("ecp5-25k-6", "joined"),
    ("ecp5-25k-6", "with indices"),
    ("ecp5-25k-6", "to a size"),
    ("gowin-gw1nr9", "A"),
    ("ecp5-25k-6", "columns"),
    ("ice40-hx8k", "columns, narrow"),
    ("gowin-gw1nr9", "columns, narrow"),
}
ON = ("ecp5-25k-6", "ice40-hx8k", "gowin-gw1nr9")
CASES = [
    pytest.param(device, name, marks=[] if (device, name) in QUICK else [pytest.mark.long])
    for device in ON
    for name in JOBS
]
RANDOM, RANDOM_QUICK = 168, 4
"""Random designs, and how many of them are in every run."""


def random_job(number: int) -> PoolJob:
    """Return a random job of one to eight lanes; each operation has its turn.

    Some have several columns a beat, with eight values of it at most.
    """
    op = OPS[number % len(OPS)]
    found = next(each for each in (case(number, k).job for k in count()) if each.spec.op == op)
    lanes = 1 + number % 8
    if op in ("max", "min") and number % 2 == 0:
        base = BASES[number % len(BASES)]
        found = PoolJob(
            *(found.spec.replace(indices=base), found.shape, found.lanes, found.columns)
        )
    shape = (max(found.shape[0], lanes), *found.shape[1:])
    columns = min(found.columns, 8 // lanes)
    return PoolJob(found.spec, shape, lanes, columns)


def random_device(number: int) -> Device:
    return DEVICES[ON[number // len(OPS) % len(ON)]]


def held_against_core(job: PoolJob, device: Device, folder: Path) -> None:
    made = PoolCore(job, family=device.family)
    core = PoolCore(job)
    synthesize(yosys.to_rtlil(made, "top"), device, folder)
    netlist = Netlist(netlist_gates(folder, device))
    [model] = Build([made], optimise="-O0", netlists=[netlist]).load()
    [other] = Build([core], optimise="-O0").load()
    rng = np.random.default_rng(7)
    raw = job.input.raw
    bits = rng.integers(raw.low, raw.high, (4, *job.shape), np.int64, endpoint=True)
    frames = bits.astype(raw.numpy).view(job.input.numpy)
    beats = pack(job, frames)
    golden = job.reference(frames)
    for stall, reset_at in ((0.0, None), (0.3, None), (0.6, job.limit_cycles // 2)):
        seen = fast.run(made, beats, model=model, stall=stall, seed=5, reset_at=reset_at)
        meant = fast.run(core, beats, model=other, stall=stall, seed=5, reset_at=reset_at)
        assert compare(job, seen, *golden)[-1] is None
        assert np.array_equal(seen.last, meant.last)
        assert np.array_equal(seen.in_cycles, meant.in_cycles)
        assert np.array_equal(seen.out_cycles, meant.out_cycles)


@pytest.mark.parametrize(("device", "name"), CASES)
def test_a_netlist_does_what_the_core_does(device: str, name: str, tmp_path: Path):
    held_against_core(JOBS[name], DEVICES[device], tmp_path)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[] if number < RANDOM_QUICK else [pytest.mark.long])
        for number in range(RANDOM)
    ],
)
def test_a_random_netlist_does_what_the_core_does(number: int, tmp_path: Path):
    held_against_core(random_job(number), random_device(number), tmp_path)


def test_the_random_share_has_every_operation_indices_and_all_lanes_on_each_device():
    drawn = [(random_device(number).family, random_job(number)) for number in range(RANDOM)]
    for family in ("ecp5", "ice40", "gowin"):
        jobs = [job for device, job in drawn if device == family]
        assert {job.spec.op for job in jobs} == set(OPS)
        assert {job.lanes for job in jobs} == set(range(1, 9))
        assert sum(job.spec.indices is not None for job in jobs) > 1
        assert sum(job.has_columns for job in jobs) > 3


def test_a_netlist_of_joined_nets_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yosys, "plain_names", lambda rtlil: rtlil)
    device = DEVICES["ecp5-25k-6"]
    placement = place(JOINED, device, seeds=1, check=check_core)
    assert not (placement.placed or placement.netlist_checked)
    assert placement.reason is not None
    assert placement.reason.startswith("the netlist for ecp5-25k-6 is not what was simulated: ")
    assert placement.reason.endswith("; use --no-check to continue anyway.")


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-85f", "tang-nano-9k"])
def test_a_board_s_netlist_is_refused_where_its_test_fails(name: str, tmp_path: Path):
    board, job = BOARDS[name], PoolJob(PoolSpec("max", 2), (2, 6, 6), 2)
    right = expected([job], 2)
    for checksums in (right, (right[0], right[1] ^ 1)):
        core = PoolCore(job, family=board.chip.family)
        test = SelfTest(core, 2, checksums)
        platform = board.create_platform()
        rtlil = platform.prepare(Top(board, test, None), "test", emit_src=False).files["test.il"]
        synthesize(str(rtlil), board.chip, tmp_path)
        if checksums == right:
            check_self_test(test, board.chip, tmp_path)
        else:
            with pytest.raises(ToolError, match="the self-test finds its core wrong in it"):
                check_self_test(test, board.chip, tmp_path)


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-85f", "tang-nano-9k"])
def test_a_link_s_netlist_is_refused_where_its_core_is_another(name: str, tmp_path: Path):
    board, spec = BOARDS[name].with_link, PoolSpec("max", 2, dtype="uint8")
    jobs = [PoolJob(each, (3, 6, 6), 2) for each in (spec, replace(spec, op="min"))]
    family, clocks = board.chip.family, 12
    info = about(jobs[0], name, clocks * 1e6, jobs[0].cycles_bound)
    right, wrong = (LinkedCore(PoolCore(job, family=family), info, clocks) for job in jobs)
    for made in (right, wrong):
        platform = board.create_platform()
        rtlil = platform.prepare(Top(board, made), "test", emit_src=False).files["test.il"]
        synthesize(str(rtlil), board.chip, tmp_path)
        if made is right or family == "gowin":  # whose memories with contents have no model
            unchecked = check_link(right, name, clocks * 1e6, board.chip, tmp_path)
            assert (unchecked is not None) == (family == "gowin")
        else:
            with pytest.raises(ToolError, match="what comes back is not the golden model's"):
                check_link(right, name, clocks * 1e6, board.chip, tmp_path)


class Stuttering(PoolCore):
    """A core that begins each frame twice, so that the first of these is broken.

    Only cores have it whose first output takes more than a beat.
    """

    def __init__(self, job: PoolJob, family: str):
        super().__init__(job, family=family)
        # the frame before leaves first, at the latest with all that a whole frame takes
        self.cycles_bound += self.job.limit_cycles

    def elaborate(self, platform):
        Fragment.get(super().elaborate(platform), platform)  # not to be warned of what is unused
        m = Module()
        m.submodules.core = core = ResyncCore(PoolCore(self.job, family=self.family))
        m.submodules.frame = frame = ModuloCounter(self.job.beats_in)
        first, again = Signal(init=1), Signal(init=1)
        taken = core.i.valid & core.i.ready
        m.d.comb += [
            core.i.valid.eq(self.i.valid),
            core.i.payload.data.eq(self.i.payload),
            core.i.payload.first.eq(first),
            core.i.payload.last.eq(frame.last),
            self.i.ready.eq(core.i.ready & ~again),
            frame.step.eq(taken & ~again),
            self.o.valid.eq(core.o.valid),
            core.o.ready.eq(self.o.ready),
            self.o.payload.as_value().eq(core.o.payload.as_value()),  # the first mark is highest
        ]
        with m.If(taken):
            m.d.sync += again.eq(~again & frame.last)
        with m.If(taken & ~again):
            m.d.sync += first.eq(frame.last)
        return m


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("F", "ecp5-25k-6"),
        pytest.param("B", "gowin-gw1nr9", marks=pytest.mark.long),
        pytest.param("with indices", "ice40-up5k", marks=pytest.mark.long),
    ],
)
def test_a_netlist_drops_broken_frames(name: str, device: str, tmp_path: Path):
    cores = [Stuttering(JOBS[name], DEVICES[device].family) for _ in range(2)]
    synthesize(yosys.to_rtlil(cores[0], "top"), DEVICES[device], tmp_path)
    yosys.to_rtlil(cores[1], "top")  # not to be warned of a core that nobody uses
    assert check_core(cores[1], DEVICES[device], tmp_path) is None


def test_a_gate_of_another_kind_is_refused():
    module = {"ports": {}, "netnames": {}, "cells": {"c": {"type": "$_TBUF_", "connections": {}}}}
    with pytest.raises(EngineError, match=r"a cell \$_TBUF_, of which there is no model"):
        Netlist(module)


@pytest.mark.long
def test_a_netlist_without_a_model_is_placed_unchecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("streampool_hw.fpga.netlist.cell_models", lambda family: "")
    job = PoolJob(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (1, 5, 5), 1)
    device = DEVICES["gowin-gw1nr9"]
    core = PoolCore(job, family=device.family)
    synthesize(yosys.to_rtlil(core, "top"), device, tmp_path)
    said = check_core(core, device, tmp_path)
    assert said == "there is no model of MULT18X18, a cell of gowin-gw1nr9"


class Faulty(PoolCore):
    """A core whose output is wrong in a way that one frame of random values does not show."""

    def __init__(self, job: PoolJob, fault: str, family: str):
        self._fault = fault
        super().__init__(job.spec, job.shape, job.lanes, family=family)

    def elaborate(self, platform):
        m, right = Module(), PoolCore(self.job.spec, self.job.shape, self.job.lanes)
        m.submodules.right = right
        wiring.connect(m, wiring.flipped(self.i), right.i)
        wiring.connect(m, right.o, wiring.flipped(self.o))
        if self._fault == "constant":
            m.d.comb += [each.eq(127) for each in self.o.payload.data]
        elif self._fault == "second frame":
            second = Signal()
            with m.If(right.o.valid & right.o.ready & right.o.payload.last):
                m.d.sync += second.eq(1)
            m.d.comb += self.o.payload.data[0].eq(right.o.payload.data[0] ^ second)
        else:
            turn = Signal()
            m.d.sync += turn.eq(~turn)
            m.d.comb += [
                right.i.valid.eq(self.i.valid & turn),
                self.i.ready.eq(right.i.ready & turn),
            ]
        return m


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("constant", "left the core where the golden model has"),
        ("second frame", "frame 1, channel 0"),
        ("slow", "a frame takes 128 clocks, where 64 are stated"),
    ],
)
def test_a_netlist_of_a_faulty_core_is_refused(fault: str, said: str, tmp_path: Path):
    spec = PoolSpec("max", "global") if fault == "constant" else PoolSpec("max", 2)
    device = DEVICES["ecp5-25k-6"]
    job = PoolJob(spec, (1, 8, 8) if fault != "constant" else (1, 32, 32), 1)
    synthesize(yosys.to_rtlil(Faulty(job, fault, device.family), "top"), device, tmp_path)
    core = PoolCore(job, family=device.family)
    yosys.to_rtlil(core, "top")  # not to be warned of a core that nobody uses
    with pytest.raises(ToolError, match=said):
        check_core(core, device, tmp_path)


def test_indices_that_count_on_from_frame_to_frame_are_checked(tmp_path: Path):
    device = DEVICES["ice40-up5k"]
    core = PoolCore(PoolSpec("max", 2, indices="flat"), (1, 4, 4), family=device.family)
    synthesize(yosys.to_rtlil(core, "top"), device, tmp_path)
    assert check_core(core, device, tmp_path) is None


def test_a_deep_store_in_inferred_block_ram(tmp_path: Path):
    # Yosys puts the RAM there, with parameters that our own instances do not have
    job = PoolJob(PoolSpec("max", 2, dtype="int2"), (256, 2, 130), 1)
    held_against_core(job, DEVICES["ecp5-25k-6"], tmp_path)


def test_a_compiler_that_is_missing_is_said_as_such(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    core = PoolCore(PoolSpec("max", 2), (1, 4, 4), 1, family="ecp5")
    yosys.to_rtlil(core, "top")
    with pytest.raises(ToolError, match=r"cannot be checked: CXX names .* use --no-check"):
        check_core(core, DEVICES["ecp5-25k-6"], tmp_path)


def inverter(a: object, y: object) -> dict:
    return {"type": "$_NOT_", "connections": {"A": [a], "Y": [y]}}


def register(c: object, d: object, q: object) -> dict:
    return {"type": "$_DFF_P_", "connections": {"C": [c], "D": [d], "Q": [q]}}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([inverter(4, 4)], "loop"),
        ([inverter(3, 4), inverter(4, 5), inverter(5, 6), inverter(6, 5)], "two drivers"),
        ([inverter(3, 4), register(2, 3, 4)], "two drivers"),
        ([inverter(3, "1")], "two drivers"),
        ([inverter(9, 4)], "nothing drives"),
        ([register(2, 9, 4)], "nothing drives"),
        ([inverter(3, 4), register(4, 3, 5)], "another net than the clock"),
    ],
)
def test_a_netlist_that_cannot_be_is_refused(cells: list[dict], said: str):
    ports = {"clk": {"direction": "input", "bits": [2]}, "i": {"direction": "input", "bits": [3]}}
    module = {"ports": ports, "netnames": {}, "cells": dict(enumerate(cells))}
    with pytest.raises(EngineError, match=said):
        Netlist(module)
