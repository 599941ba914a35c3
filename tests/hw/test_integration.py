"""The files beside the Verilog: FuseSoC takes the core, the instance fits, a clock is asked for."""

import json
import re
import subprocess
from pathlib import Path

import packaged_verilator
import pytest
import yaml
from streampool_golden import PoolJob, PoolSpec, UnpoolJob, __version__
from streampool_hw.export.verilog import Written, write_verilog

# block RAM where the family has it, spare lanes, one lane, a lane of several bytes
JOBS = {
    "max_wide": PoolJob(PoolSpec("max", 2), (5, 4, 224), 4),
    "sum_one": PoolJob(PoolSpec("sum", 3, dtype="int16"), (1, 6, 6), 1),
}


def write(job: str, folder: Path, **options) -> Written:
    """Write a job's files."""
    return write_verilog(JOBS[job], folder, job, **options)


def fusesoc_lints(name: str, folder: Path, verilator: str) -> None:
    """Run the core file's lint target, and have nothing to say."""
    command = ["fusesoc", "--cores-root", folder, "run", "--target", "lint"]
    done = subprocess.run(
        [*command, "--build-root", folder / "build", f"streampool::{name}"],
        env=packaged_verilator.wanted(verilator) | {"HOME": str(folder / "home")},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "WARNING" not in said and "%Warning" not in said
    [options] = (folder / "build").rglob("*.vc")
    assert f"--top-module {name}" in options.read_text()


@pytest.mark.parametrize("verilator", ["packaged", "system"])
@pytest.mark.parametrize("family", ["generic", "ecp5"])
def test_fusesoc_lints_the_core(family: str, verilator: str, tmp_path: Path):
    written = write("max_wide", tmp_path, family=family)
    black_boxes = json.loads(written.about.read_text())["black_boxes"]
    assert bool(black_boxes) == (family == "ecp5")
    fusesoc_lints("max_wide", tmp_path, verilator)


@pytest.mark.parametrize("verilator", ["packaged", "system"])
def test_fusesoc_lints_a_core_of_multipliers(verilator: str, tmp_path: Path):
    spec = PoolSpec("avg", 3, dtype="uint8", padding=1, count_include_pad=False)
    written = write_verilog(PoolJob(spec, (2, 9, 9), 2), tmp_path, "mean", family="ecp5")
    assert json.loads(written.about.read_text())["black_boxes"] == ["MULT18X18D"]
    fusesoc_lints("mean", tmp_path, verilator)


@pytest.mark.parametrize("verilator", ["packaged", "system"])
def test_fusesoc_lints_an_unpooling_core(verilator: str, tmp_path: Path):
    write_verilog(UnpoolJob((3, 2, 3), (4, 6), 2), tmp_path, "unpool")
    fusesoc_lints("unpool", tmp_path, verilator)


@pytest.mark.parametrize("name", ["on", "true", "NO", "null_", "y", "_1e3"])
def test_fusesoc_takes_names_that_are_words_of_yaml(name: str, tmp_path: Path):
    write_verilog(JOBS["sum_one"], tmp_path, name)
    core = yaml.safe_load((tmp_path / f"{name}.core").read_text().partition("\n")[2])
    assert [target["toplevel"] for target in core["targets"].values()] == [name, name]
    fusesoc_lints(name, tmp_path, "packaged")


def test_fusesoc_core_file(tmp_path: Path):
    written = write("sum_one", tmp_path)
    head, _, body = written.core.read_text().partition("\n")
    assert head == "CAPI=2:"
    core = yaml.safe_load(body)
    assert core["name"] == f"streampool::sum_one:{__version__}"
    assert core["description"].startswith("sum_one: sum pooling of 1x6x6 to 1x2x2")
    for path in (written.verilog, written.core, written.template):
        text = path.read_text()
        assert "sent channels last" in text and "channels first" not in text
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
