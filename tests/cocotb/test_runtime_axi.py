"""Run the benches of a run-time core behind AXI4-Lite, and see that its rules can be broken."""

import os
from pathlib import Path

import bench_models
import pytest
from axi_lite_rules import BOUND, CHANNELS, RULES, Rules, Sample
from cocotb_tools.check_results import get_results
from runtime_cases import CORE
from streampool_hw.export.runtime_verilog import write_runtime_verilog

BENCHES = 1 + 3 + 3 + 6 + 3


def test_a_core_behind_axi_lite(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    written = write_runtime_verilog(CORE, tmp_path, "pool")
    runner = bench_models.build([written.verilog], "pool", model_folder, monkeypatch)
    log = tmp_path / "run.log"
    try:
        results = runner.test(
            test_module="runtime_bench",
            hdl_toplevel="pool",
            hdl_toplevel_lang="verilog",
            timescale=("1ns", "1ps"),
            log_file=log,
            extra_env=dict(os.environ),
        )
    except SystemExit:  # the runner's way to say that a bench failed
        pytest.fail(log.read_text()[-10000:])
    assert get_results(results) == (BENCHES, 0)


IDLE = (False, True, (0,))


def clock(**channels: tuple[bool, bool, tuple[int, ...]]) -> Sample:
    """Return a clock in which all that is not said is idle."""
    return dict.fromkeys(CHANNELS, IDLE) | channels


def told(clocks: list[Sample], *resets: int) -> str | None:
    """Return the first rule that is broken."""
    rules = Rules()
    for number, sample in enumerate(clocks):
        if (broken := rules.look(sample, reset=number in resets)) is not None:
            return broken
    return None


MOVES, WAITS = (True, True, (0,)), (True, False, (0,))
WRITE = clock(aw=MOVES, w=MOVES)
BROKEN = {
    "reset": ([clock(), clock(b=WAITS)], (0, 1)),
    "held": ([WRITE, clock(b=WAITS), clock()], ()),
    "stable": ([WRITE, clock(b=WAITS), clock(b=(True, False, (2,)))], ()),
    "write first": ([clock(aw=MOVES), clock(b=MOVES)], ()),
    "read first": ([clock(r=MOVES)], ()),
    "response": ([WRITE, clock(b=(True, True, (3,)))], ()),
    "alive": ([WRITE] + [clock()] * (BOUND + 2), ()),
}


def test_every_rule_can_be_broken():
    assert {*BROKEN} == {*RULES} - {"known"}  # that one is of values that are no numbers
    for rule, (clocks, resets) in BROKEN.items():
        assert told(clocks, *resets) == rule
    for right in (
        [WRITE, clock(), clock(b=WAITS), clock(b=MOVES)],
        [clock(ar=MOVES), clock(r=MOVES)],
    ):
        assert told(right) is None
    assert told([clock(r=MOVES), clock(r=MOVES), clock()], 0) == "read first"
    # an address whose data never come owes nothing, and whatever is offered has to be taken
    assert told([clock(aw=MOVES)] + [clock()] * 3 * BOUND) is None
    assert told([clock(ar=WAITS)] * (BOUND + 2)) == "alive"
