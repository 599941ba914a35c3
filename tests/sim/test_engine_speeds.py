"""The benchmark of the engines: that it runs and says what it measured."""

import json

import streampool_bench.engines
from streampool_bench.engines import REFERENCE, main
from streampool_golden import PoolJob, PoolSpec


def test_figures_as_text_and_json(monkeypatch, capsys, tmp_path):
    job = PoolJob(PoolSpec("max", 2), (1, 6, 6), 1)
    monkeypatch.setattr(streampool_bench.engines, "JOBS", {REFERENCE: job})
    path = tmp_path / "bench.json"
    assert main(["--seconds", "0.01", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    [result] = figures["jobs"].values()
    assert result["fast"] / result["amaranth"] == result["ratio"] == figures["ratio"]
    assert f"{figures['ratio']:.0f}" in capsys.readouterr().out

    assert main(["--seconds", "0.01", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"].keys() == {REFERENCE}


def test_without_a_compiler_there_is_nothing_to_compare(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(
        streampool_bench.engines, "JOBS", {REFERENCE: PoolJob(PoolSpec("max", 2), (1, 2, 2), 1)}
    )
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 1
    assert "no C++ compiler" in capsys.readouterr().err
