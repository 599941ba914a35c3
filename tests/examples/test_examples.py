"""The examples are built by the commands that their README gives."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import in_amaranth
import in_litex
import packaged_verilator
import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from pages import fenced
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.export.verilog import write_verilog

EXAMPLES = Path(__file__).parents[2] / "examples"


def build(folder: Path, commands: str) -> str:
    """Copy the examples, run commands there, and return what is said."""
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("build"))
    home = folder / "home"
    home.mkdir()
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=folder / "examples",
        env=packaged_verilator.variables() | {"HOME": os.fspath(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def wrong_pins(said: str) -> list[str]:
    """Return what Verilator says of the pins of an instance."""
    return re.findall(r"%(?:Warning|Error)-(?:PIN\w+|WIDTH\w+): .*(?:port connection|pin).*", said)


def test_the_commands_of_the_readme(tmp_path: Path):
    [commands] = fenced(EXAMPLES / "README.md", "sh")
    said = build(tmp_path, commands)
    assert "pool2.v: max 2x2" in said
    assert wrong_pins(said) == []
    for design in ("in_amaranth", "in_litex"):
        verilog = (tmp_path / "examples" / "build" / f"{design}.v").read_text()
        assert re.search(r"^ *pool2 ", verilog, re.MULTILINE)


def test_pins_that_do_not_fit_are_seen(tmp_path: Path):
    [commands] = fenced(EXAMPLES / "README.md", "sh")
    commands, _, _ = commands.partition("# in a design in Amaranth\n")
    wide = commands.replace("--shape 1x28x28", "--shape 2x28x28")
    assert wide != commands
    with pytest.raises(AssertionError) as failed:
        build(tmp_path, wide)
    assert wrong_pins(str(failed.value))


class Platform:
    """What the examples ask of a board's platform."""

    def __init__(self):
        self.files: list[str] = []

    def add_file(self, name: str, content: str) -> None:
        assert content == "// the core\n"
        self.files.append(name)

    def add_source(self, name: str) -> None:
        self.files.append(name)


def test_a_platform_is_given_the_verilog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool2.v").write_text("// the core\n")

    amaranth, litex = Platform(), Platform()
    rtlil.convert(in_amaranth.Pool2(), platform=amaranth)
    in_litex.Top(litex)
    assert amaranth.files == litex.files == ["pool2.v"]


# A source that sends from the start on, and counts what is taken while in_verilog.v is in reset
BENCH = """\
module bench;
  reg clk = 0, reset = 1, send = 0;
  reg [7:0] pixel = 0;
  integer sent = 0, got = 0, frames = 0;
  wire ready, valid, last, error;
  wire [7:0] pooled;
  always #5 clk = !clk;
  in_verilog dut (.clk(clk), .reset(reset), .pixel(pixel), .pixel_valid(send),
    .pixel_ready(ready), .pixel_last(sent % 784 == 783), .pooled(pooled),
    .pooled_valid(valid), .pooled_ready(1'b1), .pooled_last(last), .error(error));
  always @(posedge clk) begin
    if (send & ready) begin
      sent <= sent + 1;
      pixel <= (sent + 1) % 251;
    end
    if (valid) got <= got + 1;
    if (valid & last) frames <= frames + 1;
  end
  initial begin
    #3 send = 1;
    #34 reset = 0;
    wait (sent == 3 * 784);
    send = 0;
    #2000 $display("%0d beats taken, %0d left, %0d frames, error %b", sent, got, frames, error);
    $finish;
  end
  initial #100000 $finish;
endmodule
"""


def test_no_beat_is_lost_behind_the_reset(tmp_path: Path):
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    (tmp_path / "bench.v").write_text(BENCH)
    write_verilog(PoolJob(PoolSpec("max", 2, dtype="uint8"), (1, 28, 28), 1), tmp_path, "pool2")
    files = ["bench.v", "pool2.v", EXAMPLES / "in_verilog.v"]
    subprocess.run(["iverilog", "-g2005", "-o", "bench", *files], cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "2352 beats taken, 588 left, 3 frames, error 0\n"
