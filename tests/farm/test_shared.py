"""The regressions and the table of placed cores on two workers, in processes of their own."""

import json
import os
import sys
from pathlib import Path

import pytest
import streampool_sim.sweep
from conformance import parts, run
from streampool_bench.fpga.placing import design_of, key_of, placing, versions_for
from streampool_bench.fpga.placing import run as place
from streampool_farm.task import TaskFailed
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.fpga.flow import Placement
from streampool_sim import cli
from streampool_sim.log import Log

pytest.importorskip("distributed")


@pytest.fixture(autouse=True)
def _packages_are_found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def made_by(store: Path) -> set[tuple[str, int]]:
    """Return the machines and processes of the workers that have made results."""
    found = [json.loads(path.read_text()) for path in (store / "results").iterdir()]
    return {tuple(each["by"]) for each in found}


@pytest.mark.slow
def test_two_workers_share_a_sweep_and_find_what_one_finds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streampool_sim.sweep, "BATCH", 2)
    store, results = tmp_path / "store", tmp_path / "sweep.jsonl"
    words = ["sweep", "4", "--seed", "4", "--jobs", "2", "--results", str(results)]
    assert cli.main([*words, "--scheduler", "local", "--store", str(store)]) == 0
    said = capsys.readouterr()
    assert "Dask's dashboard" in said.err
    assert len(made_by(store)) == 2
    assert len([*(store / "results").iterdir()]) == 2
    # nothing is left to do, and without a results file the store has it all
    results.unlink()
    assert cli.main([*words, "--scheduler", "local", "--store", str(store)]) == 0
    again = capsys.readouterr()
    assert "Dask's dashboard" not in again.err
    assert again.out == said.out
    shared = Log(results, 4).results
    alone = {each["index"]: each for each in streampool_sim.sweep.run_batch(4, range(4), tmp_path)}
    for lines in (shared, alone):
        for line in lines.values():
            line.pop("seconds", None)
    assert {index: shared[index] for index in alone} == alone


@pytest.mark.slow
def test_two_workers_share_the_placements_of_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    monkeypatch.setattr("streampool_bench.fpga.placing.RUN", "stand_in:placed")
    monkeypatch.setattr("streampool_hw.fpga.tools.versions", lambda placer: {"yosys": "1"})
    store, output = tmp_path / "store", tmp_path / "table.json"
    words = ["fpga", "--jobs", "A1,D1", "--devices", "ice40-hx8k,ecp5-25k-6", "--seeds", "1"]
    words += ["--folder", str(tmp_path), "--output", str(output), "--store", str(store)]
    assert cli.main([*words, "--workers", "2"]) == 0
    said = capsys.readouterr()
    assert "Dask's dashboard" in said.err and "3/3 " in said.err
    rows = json.loads(output.read_text())
    planned = [("A1", "ecp5-25k-6"), ("A1", "ice40-hx8k"), ("D1", "ice40-hx8k")]
    assert [(row["job"], row["device"], row["lut4"]) for row in rows] == [
        (*pair, 7) for pair in planned
    ]
    assert len(made_by(store)) == 2
    assert {path.stem for path in (store / "results").iterdir()} == {row["key"] for row in rows}
    # with the store alone the table is there again
    output.unlink()
    assert cli.main(words) == 0
    again = capsys.readouterr()
    assert json.loads(output.read_text()) == rows
    assert "Dask's dashboard" not in again.err


@pytest.mark.slow
def test_two_workers_share_a_run_of_conformance(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(run, "PART", 4)
    store, output = tmp_path / "store", tmp_path / "found.json"
    words = ["onnxruntime", "--count", "8", "--cores", "2", "--output", str(output)]
    words += ["--store", str(store), "--workers", "2"]
    assert run.main([*words, "--scheduler", "local"]) == 0
    [row] = json.loads(output.read_text())
    assert (sum(row["specifications"].values()), sum(row["in_cores"].values())) == (8, 2)
    assert not row["mismatches"] and row["every_sum"]
    assert len(made_by(store)) == 2
    # what was stopped finds what it had: no part is run again
    before = {path: path.stat().st_mtime_ns for path in (store / "results").iterdir()}
    capsys.readouterr()
    assert run.main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in (store / "results").iterdir()} == before
    assert json.loads(output.read_text()) == [row]
    # whole parts were drawn; those that are beyond the count say nothing
    assert run.main([*words[:2], "7", "--cores", "0", *words[5:]]) == 0
    [less] = json.loads(output.read_text())
    assert sum(less["specifications"].values()) == 7


def test_a_worker_with_another_runtime_refuses_a_part():
    payload = {"name": "onnxruntime", "version": "of before", "sources": parts.sources()}
    pytest.importorskip("onnxruntime")
    with pytest.raises(TaskFailed, match="this worker has onnxruntime"):
        parts.sums(payload)
    with pytest.raises(TaskFailed, match="other sources"):
        parts.cores(payload | {"sources": "of before"})


def test_a_worker_with_other_sources_refuses_a_batch():
    with pytest.raises(TaskFailed, match="other sources"):
        streampool_sim.sweep.run_task({"sources": "of before", "seed": 1, "indices": [0]})


def test_a_placement_is_a_task_under_the_hash_of_what_it_rests_on(monkeypatch):
    monkeypatch.setattr(
        "streampool_hw.fpga.tools.versions", lambda placer: {"yosys": "1", placer: "2"}
    )
    job = PoolJob(PoolSpec("max", 2), (1, 8, 8), 1)
    task = placing(job, "ecp5-25k-6", seeds=1, check=True)
    other = placing(job, "ecp5-25k-6", seeds=1, check=False)
    keys = {task.key, other.key, placing(job, "ecp5-85k-6", seeds=1, check=True).key}
    assert len(keys) == 3
    assert {"placed", "reason", "ff", "fmax_median_mhz"} < {*task.fields}
    facts = {"device": "", "part": "", "tools": {}, "spec": None, "shape": None, "lanes": 1}
    refused = Placement(**facts, cycles_per_frame=None, freq_mhz=1.0, reason="too small")
    assert refused.to_json().keys() == {*task.fields}
    assert versions_for("ecp5-25k-6") == ["1", "2"]
    with pytest.raises(TaskFailed, match="other sources or other tools"):
        place(task.payload | {"key": "another"})
    # what was checked will do where no check is asked for, and not the other way round
    assert (task.also, other.also) == ((), (task.key,))
    assert not task.keeps
    sliced = PoolJob(PoolSpec("max", 2), (2, 8, 8), 2, 4)
    by_seeds = [
        placing(sliced, "ecp5-25k-6", seeds=seeds, check=True, slices=2) for seeds in (1, 2)
    ]
    assert by_seeds[0].keeps == by_seeds[1].keeps != ""
    assert by_seeds[0].key != by_seeds[1].key
    design = design_of(task.payload)
    assert key_of(design, 1, check=True, versions=["1", "2"]) == task.key
    assert key_of(design, 1, check=True, versions=["1", "3"]) != task.key


def test_workers_have_no_meaning_where_nothing_is_shared(capsys):
    for words in (["--scheduler", "local", "--check"], ["--workers", "1", "--wide", "--check"]):
        assert cli.main(["fpga", *words]) == 2
        assert f"{words[0]} has no meaning with --check" in capsys.readouterr().err
    assert cli.main(["fpga", "--scheduler", "tcp://127.0.0.1:9", "--workers", "2"]) == 2
    assert "whose workers are there already" in capsys.readouterr().err
