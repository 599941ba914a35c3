"""Run the benches on generated Verilog, one simulation model for all of them.

With Verilator from the development environment; ``SIM=icarus`` takes Icarus Verilog instead.
"""

from pathlib import Path

import bench_models
import pytest
from axis_jobs import CORES, JOBS, MARKED, PROBED, RESYNCED, VIDEO, WATCHED, top_verilog
from cocotb_tools.check_results import get_results
from streampool_hw.export.verilog import write_verilog

# of each job: the matrix, the long run, the speed, the latency, resets, tlasts
OWN_BENCHES = sum(36 + 1 + 1 + 1 + 3 + (4 if job.beats_in > 1 else 1) for job in JOBS.values())
# of each core: gaps, the speed, resets; of the marked ones: marks out of place
FRAME_BENCHES = (4 + 1 + 1) * len(JOBS | MARKED) + 3 * len(MARKED)
# of each core: whether it kept to the rules; of each rule and of none: whether that is noticed
RULE_BENCHES = len(WATCHED) + len(PROBED.rules) + 1


def test_generated_cores(tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch):
    # One model: most of what is compiled does not depend on how many cores there are.
    sources = [
        write_verilog(job, tmp_path, name, **options).verilog
        for name, (job, options) in CORES.items()
    ]
    sources.append(tmp_path / "bench.v")
    sources[-1].write_text(top_verilog())
    monkeypatch.setenv("STREAMPOOL_CORES", str(tmp_path))
    runner = bench_models.build(sources, "bench", model_folder, monkeypatch)
    log = tmp_path / "run.log"
    try:
        results = runner.test(
            test_module=["axis_bench", "axis_frames", "axis_video", "axis_resync", "axis_kept"],
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            timescale=("1ns", "1ps"),
            log_file=log,
        )
    except SystemExit:  # the runner's way to say that a bench failed
        pytest.fail(log.read_text()[-10000:])
    others = 2 * (len(VIDEO) + len(RESYNCED))
    benches = OWN_BENCHES + FRAME_BENCHES + others + RULE_BENCHES
    assert get_results(results) == (benches, 0)
