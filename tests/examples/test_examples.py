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
