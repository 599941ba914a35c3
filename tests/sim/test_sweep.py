"""The sweep: its cases, its results file, and that it finds what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import streampool_sim.log
import streampool_sim.sweep
from broken_cores import BrokenCore
from streampool_farm.farm import Farm
from streampool_golden import NANS, PoolJob, PoolSpec, unpool
from streampool_hw import PoolCore
from streampool_sim.cases import MOST_BEATS, OPS, ROUNDINGS, Case, case
from streampool_sim.cli import main
from streampool_sim.log import Log
from streampool_sim.sweep import check, run_batch, sweep


def test_cases_come_from_seed_and_index_alone():
    one, again = case(5, 17), case(5, 17)
    assert one == again
    assert one.frames(3).tobytes() == again.frames(3).tobytes()
    assert case(5, 18).job != one.job != case(6, 17).job


def test_cases_cover_what_there_is():
    cases = [case(1, index) for index in range(600)]
    specs = [what.job.spec for what in cases]
    jobs = [what.job for what in cases]
    assert {spec.ndim for spec in specs} == {1, 2, 3}
    assert {spec.ndim for spec in specs if spec.adaptive == "global"} == {1, 2, 3}
    assert any(isinstance(spec.adaptive, tuple) for spec in specs)
    assert {spec.op for spec in specs} == set(OPS)
    assert {spec.rounding for spec in specs if spec.op == "avg"} == set(ROUNDINGS)
    assert {spec.rounding for spec in specs if spec.op == "l2"} == set(ROUNDINGS)
    assert {"same", "same_lower", "valid"} < {spec.padding for spec in specs}
    assert {True, False} == {spec.ceil_mode for spec in specs}
    assert {True, False} == {spec.count_include_pad for spec in specs if spec.op == "avg"}
    assert any(spec.divisor_override is not None for spec in specs)
    assert any(spec.clamp for spec in specs)
    assert any(spec.saturate for spec in specs)
    assert any(max(spec.dilation) > 1 for spec in specs)
    assert len({spec.dtype for spec in specs}) > 40
    floats = [spec for spec in specs if spec.in_dtype.is_float]
    assert {spec.dtype for spec in floats} == {"float16", "bfloat16", "float32"}
    assert {(spec.op, spec.nan) for spec in floats} >= {("max", nan) for nan in NANS}
    axes = [axis for job in jobs for axis in job.axes]
    assert any(axis.before > axis.after for axis in axes)
    assert any(axis.before < 0 for axis in axes)
    assert any(axis.after < 0 for axis in axes)
    assert any(axis.outputs > axis.length for axis in axes)
    assert any(axis.span > axis.length for axis in axes)
    assert any(axis.length == 1 for axis in axes)
    assert any(not job.stages for job in jobs)
    assert any(job.cycles_bound > job.limit_cycles for job in jobs)
    assert any(job.shape[0] % job.lanes for job in jobs)
    assert any(job.fold > 1 and job.shape[0] % job.lanes == 0 for job in jobs)
    assert max(max(job.beats_in, job.beats_out) for job in jobs) <= MOST_BEATS


def test_frames_fill_the_dtype():
    what = next(c for c in (case(2, i) for i in range(50)) if np.prod(c.job.shape) > 200)
    frames, dtype = what.frames(12), what.job.spec.in_dtype
    assert frames.dtype == dtype.numpy
    assert (frames.min(), frames.max()) == (dtype.low, dtype.high)


def test_a_sweep_passes_and_resumes(tmp_path, capsys, monkeypatch):
    # Nobody's editing may come between the runs.
    monkeypatch.setattr(streampool_sim.log, "fingerprint", lambda: "these")
    path = tmp_path / "results.jsonl"
    words = ["sweep", "3", "--seed", "23", "--results", str(path), "--store", str(tmp_path / "s")]
    assert main([*words, "--jobs", "2"]) == 0
    said = capsys.readouterr()
    assert "0 failed; 1 went through both engines" in said.out
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["index"] for line in lines[1:]) == [0, 1, 2]
    for line in lines[1:]:
        assert line["faults"] == []
        assert PoolSpec.from_json(line["spec"]) == case(23, line["index"]).job.spec

    # A killed run leaves half a line; it is done again, the rest is not.
    path.write_text(path.read_text()[:-9])
    assert main([*words, "--jobs", "1"]) == 0
    assert "2 of 3 cases" in capsys.readouterr().err
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.parametrize("changed", ["seed", "sources"])
def test_results_of_something_else_are_dropped(changed, tmp_path):
    path = tmp_path / "results.jsonl"
    log = Log(path, seed=1)
    log.add([{"index": 0, "faults": []}])
    assert Log(path, seed=1).results.keys() == {0}
    head = dict(log.head) | {changed: "other"}
    path.write_text(path.read_text().replace(json.dumps(log.head), json.dumps(head)))
    assert not Log(path, seed=1).results
    assert len(path.read_text().splitlines()) == 1


def test_failures_are_counted_and_the_first_is_given_with_its_command(tmp_path, capsys):
    path = tmp_path / "results.jsonl"
    results = [{"index": i, "faults": ["too slow"] if i in (1, 2) else []} for i in range(3)]
    Log(path, seed=7).add(results)
    assert sweep(3, 7, path, Farm(tmp_path / "store")) == 2
    said = capsys.readouterr().out
    assert "case 1: too slow" in said
    assert "python -m streampool_sim sweep --seed 7 --case 1" in said
    assert "failed: 1, 2" in said


def test_one_case_alone(capsys):
    assert main(["sweep", "--seed", "2", "--case", "1"]) == 0
    said = capsys.readouterr().out
    assert repr(case(2, 1).job.spec) in said
    assert said.endswith("right\n")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("none", None),
        ("value", "stall 0.0: frame 1, channel 0, position (1, 1): "),
        ("last", "stall 0.0: last is 1 on output beat 10"),
        ("stuck", "stall 0.0: the core stopped after 17 of 60 output beats"),
        ("surplus", "stall 0.0: the core gave more than the 60 output beats"),
    ],
)
def test_check_finds_what_is_wrong(fault, message):
    core = BrokenCore(fault)
    core.latency = 2  # of its FIFO
    faults = check(core, Case(0, 0, core.job, 0.5), None, both=False)["faults"]
    if message is None:
        assert faults == []
    else:
        assert faults[0].startswith(message)


@pytest.mark.parametrize("index", [4, 5])  # a core of two frames, and one of one
def test_what_is_pooled_with_indices_is_unpooled_again(index, monkeypatch):
    job = PoolJob(PoolSpec("max", 2, indices="plane"), (3, 4, 6), 2)
    what, core = Case(0, index, job, 0.5), PoolCore(job)
    result = check(core, what, None, both=False)
    assert (result["unpooled"], result["faults"]) == (True, [])

    def off_by_one(*arguments):
        out = unpool(*arguments)
        out[0, 0, 0, 0] ^= 1
        return out

    monkeypatch.setattr("streampool_golden.unpooling.unpool", off_by_one)
    plain, stalled = check(core, what, None, both=False)["faults"]
    assert plain.startswith("unpooled, stall 0.0: frame 0, channel 0, position (0, 0): ")
    assert stalled.startswith("unpooled, stall 0.5: frame 0, channel 0, position (0, 0): ")


def test_check_holds_cycles_words_and_latency_against_their_limits(monkeypatch):
    core = BrokenCore("none")
    core.latency = 3
    monkeypatch.setattr(core, "store_words", {0: 5})
    monkeypatch.setattr(core, "cycles_bound", 11)
    faults = check(core, Case(0, 0, core.job, 0.5), None, both=False)["faults"]
    assert faults == [
        "axis 0 has 5 words in its store, limit 0",
        "a frame took 12 cycles, bound 11",
        "the first output came after 2 cycles, latency 3",
    ]


def test_a_core_that_cannot_be_made_is_a_failure_of_its_own(monkeypatch, tmp_path):
    real = streampool_sim.sweep.PoolCore

    def some(job):
        if job == case(2, 1).job:
            raise IndexError("no such port")
        return real(job)

    monkeypatch.setattr(streampool_sim.sweep, "PoolCore", some)
    results = {result["index"]: result["faults"] for result in run_batch(2, [0, 1, 2], tmp_path)}
    assert results == {0: [], 1: ["IndexError: no such port"], 2: []}


def test_workers_take_no_module_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # a sweep in this process has set it
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    for module in ("signal", "pickle", "struct", "socket"):
        (tmp_path / f"{module}.py").write_text(f"open('run-{module}', 'w')\n")
    # as the installed command starts: with -m, Python itself would look into the folder
    start = "import sys; sys.path.remove(''); from streampool_sim.cli import main; sys.exit(main())"
    words = ["sweep", "2", "--jobs", "2", "--results", "results.json"]
    done = subprocess.run(
        [sys.executable, "-c", start, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not list(tmp_path.glob("run-*"))
    assert done.returncode == 0, done.stderr
