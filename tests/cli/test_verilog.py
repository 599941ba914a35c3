"""The verb `verilog`: what it writes, and that its options arrive."""

import json
from pathlib import Path

import pytest
from streampool_sim.cli import main

FILES = ("pool.v", "pool.json", "pool.core", "pool_inst.vh", "pool.sdc", "pool.xml")


def test_options_arrive(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = "verilog --kernel 2 --shape 3x8x8 --lanes 2 --name pool --family ice40 --freq 48"
    assert main([*words.split(), "--tkeep", "--tuser", "-o", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in said] == [str(tmp_path / name) for name in FILES]
    assert said[0].endswith("max 2x2, stride 2x2, shape 3x8x8, 2 lanes of int8")
    about = json.loads((tmp_path / "pool.json").read_text())
    assert about["family"] == "ice40"
    assert {"s_axis_tkeep", "m_axis_tuser"} <= about["ports"].keys()
    assert "-period 20.833" in (tmp_path / "pool.sdc").read_text()


def test_without_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["verilog", "--kernel", "2", "--shape", "1x4x4", "-o", str(tmp_path)]) == 0
    about = json.loads((tmp_path / "streampool_max.json").read_text())
    assert about["family"] == "generic" and about["black_boxes"] == []
    assert not any("tkeep" in port or "tuser" in port for port in about["ports"])
    assert "-period 10.000" in (tmp_path / "streampool_max.sdc").read_text()
