"""Simulation models for cocotb, built quickly.

What Verilator builds is small beside the headers that it reads and beside the Python that drives
it. So a model is one file, nothing is optimized, and only the ports of the top can be seen.
"""

import os
import time
from pathlib import Path

import packaged_verilator
import pytest
from cocotb_tools.runner import Runner, get_runner

SIMULATOR = os.environ.get("SIM", "verilator")


def build(sources: list[Path], top: str, folder: Path, patch: pytest.MonkeyPatch) -> Runner:
    """Return a runner of a model, built in a folder where others were, or will be.

    They share the objects of Verilator's own library, which are most of what is compiled.
    """
    arguments = []
    if SIMULATOR == "verilator":
        for name, value in packaged_verilator.variables().items():
            patch.setenv(name, value)
        patch.setenv("CXXFLAGS", "--std=c++20")
        patch.setenv("MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0")
        # cocotb would have all signals public: each would be kept, and worked out anew whenever an
        # input changes, which takes longer than the benches do
        ports = sources[-1].with_name("ports.vlt")
        ports.write_text(f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n')
        sources = [ports, *sources]
        arguments = ["--no-public-flat-rw", "--output-split", "0"]
    patch.setenv("COCOTB_LOG_LEVEL", "WARNING")
    runner = get_runner(SIMULATOR)
    runner.build(
        sources=sources,
        hdl_toplevel=top,
        build_dir=folder,
        build_args=arguments,
        timescale=("1ns", "1ps"),
        log_file=folder / f"{top}.log",
    )
    # or the next model's makefile, which is newer, would have them compiled again
    later = time.time() + 3600
    for library in folder.glob("verilated*.o"):
        os.utime(library, (later, later))
    return runner
