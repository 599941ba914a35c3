"""Linters and simulators have nothing to say about what `write_verilog` writes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import packaged_verilator
import pytest
from streampool_golden import PoolJob, PoolSpec, UnpoolJob
from streampool_hw.export.verilog import write_verilog
from verilog_jobs import JOBS, write


@pytest.mark.parametrize("job", JOBS)
def test_lint_verilator(job: str, tmp_path: Path):
    write(job, tmp_path, job)
    assert packaged_verilator.lint(tmp_path / f"{job}.v") == ""


@pytest.mark.parametrize("job", JOBS)
def test_lint_icarus(job: str, tmp_path: Path):
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    write(job, tmp_path, job)
    done = subprocess.run(
        ["iverilog", "-g2005", "-Wall", "-o", os.devnull, tmp_path / f"{job}.v"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("standard", ["2005", "2012"])
def test_nothing_is_undefined_after_reset(standard: str, tmp_path: Path):
    # In SystemVerilog an initial value is no event: a process that waits for one never runs.
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    write("avg_border", tmp_path, "pool")
    (tmp_path / "bench.v").write_text("""\
module bench;
  reg clock = 0, resetn = 0, valid = 0;
  wire ready, valid_out, last_out, frame_error;
  wire [15:0] data_out;
  integer left = 42;
  pool dut (clock, resetn, 16'h1234, valid, ready, 1'b0, data_out, valid_out, 1'b1, last_out,
            frame_error);
  always #5 clock = !clock;
  always @(negedge clock) begin
    if (^{ready, valid_out} === 1'bx || valid_out && ^{last_out, data_out} === 1'bx)
      $display("undefined");
    if (valid_out) left = left - 1;
    if (left == 0) $finish;
  end
  initial begin
    #12 resetn = 1;
    valid = 1;
  end
endmodule
""")
    command = ["iverilog", f"-g{standard}", "-o", "bench", "bench.v", "pool.v"]
    subprocess.run(command, cwd=tmp_path, check=True)
    ran = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_every_combinational_process_is_started(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    modules = verilog.split("endmodule")
    assert any("always @*" in module for module in modules)
    for module in modules:
        processes = module.count("always @* begin\n    if (process_start) begin end\n")
        assert processes == module.count("always @*")
        assert module.count("reg process_start;") == bool(processes)
        assert module.count("initial process_start = 1'h0;") == bool(processes)


@pytest.mark.parametrize("tkeep", [False, True])
def test_lint_of_unpool_cores(tkeep: bool, tmp_path: Path):
    for frames, lanes in ((2, 2), (1, 3)):
        job = UnpoolJob((3, 2, 3), (4, 6), lanes)
        written = write_verilog(job, tmp_path, frames=frames, tkeep=tkeep, tuser=not tkeep)
        assert packaged_verilator.lint(written.verilog) == ""


@pytest.mark.parametrize("base", ["plane", "flat", "flat_columns", "channels_last"])
def test_lint_of_cores_with_indices(base: str, tmp_path: Path):
    # a beat of all channels, whose lanes add constants, and several beats
    for shape, lanes in (((2, 6, 6), 2), ((5, 9, 4), 2), ((1, 1, 7), 1)):
        spec = PoolSpec("max", (1, 2), indices=base)
        written = write_verilog(PoolJob(spec, shape, lanes), tmp_path)
        assert packaged_verilator.lint(written.verilog) == ""


def test_lint_is_switched_off_for_the_generated_body_alone(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    wrapper, _, body = verilog.partition("endmodule")
    # but of the timescale, of which there is none in the whole file
    assert re.findall(r"lint_\w+ (\w+)", wrapper) == ["TIMESCALEMOD"]
    assert set(re.findall(r"lint_off (\w+)", body)) == {"UNUSEDSIGNAL", "DECLFILENAME"}
    off, on = (re.findall(rf"lint_{switch} (\w+)", verilog) for switch in ("off", "on"))
    assert sorted(off) == sorted(on)
    assert verilog.rstrip().splitlines()[-1].startswith("/* verilator lint_on")


def test_initial_values_are_in_no_declaration(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    assert "\n  initial frame_error = 1'h0;\n" in verilog
    assert not re.search(r"^ *reg .*=", verilog, re.MULTILINE)


@pytest.mark.parametrize("timed", ["`timescale 1ns/1ps\n", ""])
@pytest.mark.parametrize("first", [False, True])
def test_designs_with_a_timescale_and_without(timed: str, first: bool, tmp_path: Path):
    write("through", tmp_path, "pool")
    user = tmp_path / "user.v"
    user.write_text(
        f"{timed}module user (input wire a, output wire b);\n  assign b = a;\nendmodule\n"
    )
    files = [user, tmp_path / "pool.v"] if first else [tmp_path / "pool.v", user]
    assert packaged_verilator.lint("-Wno-MULTITOP", *files) == ""
    # the order in which a design without our waiver fails
    text = (tmp_path / "pool.v").read_text()
    (tmp_path / "pool.v").write_text(re.sub(r"/\* .* TIMESCALEMOD \*/\n", "", text))
    fails = bool(timed) and not first
    assert ("TIMESCALEMOD" in packaged_verilator.lint("-Wno-MULTITOP", *files)) == fails
