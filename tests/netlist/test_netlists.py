"""Synthesized cores, made of what their cells do, against the core: beat for beat, to the cycle."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from streampool_golden import OPS, PoolJob, PoolSpec, pool, pool_with_indices
from streampool_hw import PoolCore
from streampool_hw.boards import BOARDS, SelfTest
from streampool_hw.boards.pattern import expected
from streampool_hw.boards.top import Top
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, Device, ToolError, place
from streampool_hw.fpga.flow import synthesize
from streampool_hw.fpga.netlist import NETLIST, netlist_gates
from streampool_hw.reduce.stage import BANK, AxisStage
from streampool_sim.cases import case
from streampool_sim.engines import EngineError, fast
from streampool_sim.engines.model import Build
from streampool_sim.engines.netlist import Netlist
from streampool_sim.frames import pack
from streampool_sim.netlist_check import check_core, check_self_test
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
    "with indices": PoolJob(PoolSpec("max", 3, 2, 1, indices="flat"), (6, 7, 9), 4),
}
QUICK = {
    ("ecp5-25k-6", "A"),
    ("ice40-hx8k", "A, narrow"),
    ("ecp5-25k-6", "joined"),
    ("ecp5-25k-6", "with indices"),
    ("gowin-gw1nr9", "A"),
}
ON = ("ecp5-25k-6", "ice40-hx8k", "gowin-gw1nr9")
CASES = [
    pytest.param(device, name, marks=[] if (device, name) in QUICK else [pytest.mark.long])
    for device in ON
    for name in JOBS
]
RANDOM, RANDOM_QUICK = 56, 4
"""Random designs, and how many of them are in every run."""
RANDOM_ON = ON[:2]


def random_job(number: int) -> PoolJob:
    """Return a random job of one to eight lanes; each operation has its turn."""
    op = OPS[number // 2 % len(OPS)]
    found = next(each for each in (case(number, k).job for k in count()) if each.spec.op == op)
    lanes = 1 + number % 8
    return PoolJob(found.spec, (max(found.shape[0], lanes), *found.shape[1:]), lanes)


def held_against_core(job: PoolJob, device: Device, folder: Path) -> None:
    made = PoolCore(job.spec, job.shape, job.lanes, family=device.family)
    core = PoolCore(job.spec, job.shape, job.lanes)
    synthesize(yosys.to_rtlil(made, "top"), device, folder)
    netlist = Netlist(netlist_gates(folder, device))
    [model] = Build([made], optimise="-O0", netlists=[netlist]).load()
    [other] = Build([core], optimise="-O0").load()
    rng = np.random.default_rng(7)
    raw = job.input.raw
    bits = rng.integers(raw.low, raw.high, (4, *job.shape), np.int64, endpoint=True)
    frames = bits.astype(raw.numpy).view(job.input.numpy)
    beats = pack(job, frames)
    golden = [pool(job.spec, frames)]
    if job.spec.indices is not None:
        golden = pool_with_indices(job.spec, frames)
    for stall, reset_at in ((0.0, None), (0.3, None), (0.6, 77)):
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
    held_against_core(random_job(number), DEVICES[RANDOM_ON[number % 2]], tmp_path)


def test_the_random_share_has_every_operation_indices_and_all_lanes():
    jobs = [random_job(number) for number in range(RANDOM)]
    assert {job.spec.op for job in jobs} == set(OPS)
    assert {job.lanes for job in jobs} == set(range(1, 9))
    assert any(job.spec.indices for job in jobs)


def test_a_netlist_of_joined_nets_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yosys, "plain_names", lambda rtlil: rtlil)
    device = DEVICES["ecp5-25k-6"]
    placement = place(JOINED.spec, JOINED.shape, JOINED.lanes, device, seeds=1, check=check_core)
    assert not (placement.placed or placement.netlist_checked)
    assert placement.reason is not None
    assert placement.reason.startswith(
        "the netlist for ecp5-25k-6 is not what was simulated: frame 0, channel "
    )
    assert placement.reason.endswith("; use --no-check to go on all the same.")


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-85f", "tang-nano-9k"])
def test_a_board_s_netlist_is_refused_where_its_test_fails(name: str, tmp_path: Path):
    board, job = BOARDS[name], PoolJob(PoolSpec("max", 2), (2, 6, 6), 2)
    right = expected(job, 2)
    for checksums in (right, (right[0], right[1] ^ 1)):
        core = PoolCore(job.spec, job.shape, job.lanes, family=board.chip.family)
        test = SelfTest(core, 2, checksums)
        platform = board.create_platform()
        rtlil = platform.prepare(Top(board, test, None), "test", emit_src=False).files["test.il"]
        synthesize(str(rtlil), board.chip, tmp_path)
        if checksums == right:
            check_self_test(test, board.chip, tmp_path)
        else:
            with pytest.raises(ToolError, match="the self-test finds its core wrong in it"):
                check_self_test(test, board.chip, tmp_path)


def test_a_cell_without_a_model_is_refused(tmp_path: Path):
    (tmp_path / NETLIST).write_text("{}")
    module = {"ports": {}, "netnames": {}, "cells": {"c": {"type": "$_TBUF_", "connections": {}}}}
    with pytest.raises(EngineError, match=r"a cell \$_TBUF_, of which there is no model"):
        Netlist(module)


def test_a_loop_of_gates_is_refused():
    gate = {"type": "$_NOT_", "connections": {"A": [2], "Y": [2]}}
    with pytest.raises(EngineError, match="loop"):
        Netlist({"ports": {}, "netnames": {}, "cells": {"c": gate}})
