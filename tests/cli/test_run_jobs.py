"""Lists of jobs in turn through one run-time core, on the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command
from streampool_golden import PoolSpec, pool
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.runtime import joblist

MAX: dict[str, Any] = {"op": "max", "kernel": 3, "stride": 2, "padding": 1}
MIN: dict[str, Any] = {"op": "min", "kernel": 2, "dtype": "uint8"}
LINE: dict[str, Any] = {"op": "max", "kernel": 4, "stride": 3, "ndim": 1}


def write(folder: Path, jobs: Any, name: str = "jobs.json") -> None:
    (folder / name).write_text(jobs if isinstance(jobs, str) else json.dumps(jobs))


def test_jobs_in_turn_leave_their_outputs_and_what_each_took(command: Command, folder: Path):
    rng = np.random.default_rng(0)
    several = rng.integers(-128, 128, (3, 16, 9, 10), np.int64).astype(np.int8)
    one = rng.integers(0, 256, (15, 8, 8), np.int64)  # of a type that no core has
    (folder / "in").mkdir()
    np.save(folder / "in" / "a.npy", several)
    np.save(folder / "in" / "b.npy", one)
    jobs = [
        {"spec": MAX, "shape": [16, 9, 10], "input": "a.npy", "output": "y.npy"},
        {"spec": MIN, "shape": [15, 8, 8], "input": "b.npy", "output": "z.npy"},
        {"spec": LINE, "shape": [16, 60]},
        {"spec": MAX, "shape": [16, 9, 10], "input": None, "output": "../in/w.npy"},
    ]
    write(folder / "in", jobs)
    sizes = ("--lanes", 2, "--max-row", 40, "--max-words", 16)
    done = command("run", "--runtime", "in/jobs.json", *sizes, "--stats", "s.json")
    assert done.status == 0
    assert done.out.count("equal") == 4
    assert np.array_equal(np.load(folder / "in" / "y.npy"), pool(PoolSpec(**MAX), several))
    small = pool(PoolSpec(**MIN), one[None].astype(np.uint8))[0]
    assert np.array_equal(np.load(folder / "in" / "z.npy"), small)
    assert np.load(folder / "in" / "w.npy").shape == (1, 16, 5, 5)
    stats = json.loads((folder / "s.json").read_text())
    maxima = Maxima(2, 8, ("max", "min"), 1, 8, 40, 16, 60, 2, 1)
    assert stats["maxima"] == json.loads(json.dumps(vars(maxima)))
    rows, before = stats["jobs"], None
    assert [row["frames"] for row in rows] == [3, 1, 1, 1]
    for row, said in zip(rows, jobs, strict=True):
        spec = PoolSpec.from_json({"ndim": len(said["shape"]) - 1, **said["spec"]})
        job = RuntimeJob(spec, tuple(said["shape"]), maxima)
        assert row["equal"] is True and row["shape"] == said["shape"]
        assert row["spec"] == spec.to_json()
        assert row["writes"] == len(job.writes)
        assert row["limit_cycles"] == row["frames"] * job.limit_cycles
        lost = job.bubble_after(before) if before else 0
        assert row["most_clocks_lost"] == lost and row["clocks_lost"] <= lost
        at_work = row["frames"] * job.cycles_bound
        assert row["limit_cycles"] <= row["cycles"] <= at_work + row["clocks_lost"]
        before = job
    assert sum(row["clocks_lost"] for row in rows) == 0
    assert rows[0]["cycles"] == 3 * 9 * 10 * 8 and rows[3]["cycles"] == 9 * 10 * 8


def test_statistics_on_standard_output_and_stalls(command: Command, folder: Path):
    write(folder, [{"spec": MAX, "shape": [8, 5, 6]}, {"spec": MIN, "shape": [8, 4, 4]}])
    done = command(*("run", "--runtime", "jobs.json", "--lanes", 1, "--stats", "-"))
    assert done.status == 0
    plain = json.loads(done.out)["jobs"]
    assert [row["cycles"] for row in plain] == [8 * 30, 8 * 16]
    assert [row["limit_cycles"] for row in plain] == [8 * 30, 8 * 16]
    more = ("--stall", 0.4, "--seed", 3, "--frames", 2)
    done = command(*("run", "--runtime", "jobs.json", "--lanes", 1, "--stats", "-"), *more)
    assert done.status == 0
    rows = json.loads(done.out)["jobs"]
    assert all(row["equal"] and row["clocks_lost"] is None and row["frames"] == 2 for row in rows)
    assert all(2 * a["cycles"] < b["cycles"] for a, b in zip(plain, rows, strict=True))


def test_cores_that_follow_marks_take_the_same_clocks(command: Command, folder: Path):
    write(folder, [{"spec": MAX, "shape": [8, 5, 6]}, {"spec": MIN, "shape": [8, 4, 4]}])
    words = ("run", "--runtime", "jobs.json", "--lanes", 1, "--stats", "-")
    plain, other = (json.loads(command(*words, *more).out) for more in ((), ("--resync",)))
    assert plain["jobs"] == other["jobs"] and plain["cycles"] == other["cycles"]
    assert other["resync"] == ["first", "last"] and "resync" not in plain


def test_a_mismatch_is_told(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch):
    write(folder, [{"spec": MAX, "shape": [8, 5, 6]}, {"spec": MIN, "shape": [8, 4, 4]}])
    run = joblist.RuntimeModel.run

    def spoiled(*arguments: Any, **options: Any) -> Any:
        played = run(*arguments, **options)
        played.frames[1][0, 0, 0] ^= 1
        return played

    monkeypatch.setattr(joblist.RuntimeModel, "run", spoiled)
    done = command("run", "--runtime", "jobs.json", "--lanes", 1, "--stats", "s.json")
    assert done.status == 1 and "DIFFERS" in done.out
    stats = json.loads((folder / "s.json").read_text())
    assert [row["equal"] for row in stats["jobs"]] == [True, False]
    assert stats["matches_golden"] is False


GOOD = {"spec": MAX, "shape": [8, 5, 6]}
LARGE = {"op": "max", "kernel": 20, "stride": 1}
BAD: list[tuple[Any, str]] = [
    ("{", "jobs.json is not JSON, line 1; use a list of objects"),
    ("[1,\n}", "jobs.json is not JSON, line 2"),
    ("[" * 100_000, "jobs.json is not JSON"),
    ("\xff", "jobs.json is not JSON"),
    ({}, "jobs.json has no list, but {}; use a list"),
    ([], "jobs.json has no jobs"),
    ([3], "jobs.json: job 1: 3 is no object"),
    ([GOOD, {"spec": MAX}], "jobs.json: job 2: shape is missing"),
    ([{"shape": [8, 5, 6]}], "jobs.json: job 1: spec is missing"),
    ([{**GOOD, "ouput": "y.npy"}], "job 1: ouput is no key of a job, did you mean output"),
    ([{**GOOD, "spec": "max"}], "job 1: spec must be an object of its fields, not 'max'"),
    ([{**GOOD, "spec": {"kernel": 3}}], "job 1: op "),
    ([{**GOOD, "spec": {**MAX, "kernal": 3}}], "job 1: kernal is no field of a specification"),
    ([{**GOOD, "spec": {**MAX, "kernel": 0}}], "job 1: kernel must"),
    ([{**GOOD, "shape": [7]}], "job 1: shape must be a list of channels, rows and columns"),
    ([{**GOOD, "shape": "7x5x6"}], "job 1: shape must be a list"),
    ([{**GOOD, "shape": [8, 0, 6]}], "job 1: shape must"),
    ([{**GOOD, "shape": [8, 5.5, 6]}], "job 1: shape must"),
    ([{**GOOD, "shape": [8, 2, 3, 3]}], "job 1: shape (8, 2, 3, 3) has three axes"),
    ([GOOD, {**GOOD, "spec": {**MAX, "dtype": "int16"}}], "job 2: dtype int16 does not fit"),
    ([{**GOOD, "spec": {**MAX, "dtype": "float16"}}], "job 1: dtype float16 does not fit"),
    (
        [{**GOOD, "spec": {**MAX, "op": "l2"}}],
        "job 1: op l2 is nothing that a run-time core has; use max,",
    ),
    ([{**GOOD, "spec": {**MAX, "indices": "plane"}}], "job 1: indices plane is nothing"),
    ([{**GOOD, "input": 3}], "job 1: input must be the name of a .npy file, not 3"),
    ([{**GOOD, "input": "none.npy"}], "job 1: none.npy is not there"),
    ([{**GOOD, "input": "."}], ". is a folder; use a .npy file"),
    ([{**GOOD, "input": "jobs.json"}], "jobs.json is no .npy file"),
    ([{**GOOD, "input": "wide.npy"}], "wide.npy has the shape (8, 5, 9); use (8, 5, 6), or"),
    ([{**GOOD, "input": "big.npy"}], "has values from 0 to 300, and int8 holds -128 to 127; use"),
    ([{**GOOD, "input": "half.npy"}], "half.npy is an array of float64; use an array of integers"),
    ([{**GOOD, "output": "y.png"}], "job 1: output y.png would hold an array; use .npy"),
    ([{**GOOD, "output": "no/y.npy"}], "the folder no of y.npy is not there"),
    ([{**GOOD, "output": ""}], "job 1: output must be the name of a .npy file"),
    ([{**GOOD, "output": "y.npy"}, {**GOOD, "output": "./y.npy"}], "is written, too"),
    ([{**GOOD, "input": "wide.npy", "output": "wide.npy"}], "wide.npy is an input, too"),
    ([{"spec": LARGE, "shape": [1, 50, 50]}], "job 1: 19 partials a position are"),
    ([{**GOOD, "shape": [200_000, 5, 6]}], "job 1: 25,000 beats per position are more than"),
]


@pytest.fixture
def inputs(folder: Path) -> None:
    np.save(folder / "wide.npy", np.zeros((8, 5, 9), np.int8))
    np.save(folder / "big.npy", np.full((8, 5, 6), 300) * (np.arange(6) > 2))
    np.save(folder / "half.npy", np.zeros((8, 5, 6)))


def test_maxima_grow_to_what_sums_need(command: Command, folder: Path):
    write(folder, [{"spec": {"op": "sum", "kernel": 3}, "shape": [1, 4, 4]}])
    done = command("run", "--runtime", "jobs.json", "--stats", "-")
    assert done.status == 0
    made = json.loads(done.out)
    assert made["maxima"]["max_taps"] >= 9 and made["jobs"][0]["equal"]


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(("jobs", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_list_is_refused(refused: Command, folder: Path, jobs: Any, said: str):
    write(folder, jobs)
    assert said in refused("run", "--runtime", "jobs.json", "--stats", "s.json").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--runtime none.json", "none.json is not there"),
        ("--runtime .", ". is a folder; use a .json file"),
        ("--runtime jobs.json --kernel 3", "--kernel has no meaning with --runtime; leave it out"),
        ("x.npy --runtime jobs.json", "INPUT has no meaning with --runtime; leave it out"),
        ("--runtime jobs.json --op max", "--op has no meaning with --runtime"),
        ("--runtime jobs.json --engine amaranth", "--engine amaranth runs no list of jobs"),
        ("--max-row 9", "--max-row has no meaning without --runtime JOBS.json; leave it out"),
        ("--runtime jobs.json --max-words 12", "max-words 12 is no power of two; use one, as 16"),
        ("--runtime jobs.json --max-row 3", "max-row must"),
        ("--runtime jobs.json --max-row x", "--max-row 'x' is not possible"),
        (
            "--runtime jobs.json --lanes 1 --max-row 20",
            "job 1: 24 beats of a row of outputs are more than max-row 20; make a core with"
            " max-row=24",
        ),
        ("--runtime jobs.json --max-partials 1", "job 1: 2 partials a position are more than"),
        ("--runtime jobs.json --stats jobs.json", "jobs.json is what --runtime reads, too"),
        ("--runtime jobs.json --stats s.txt", "--stats s.txt would write JSON"),
    ],
)
def test_bad_words_are_refused(refused: Command, folder: Path, words: str, said: str):
    write(folder, [GOOD, {**GOOD, "spec": {**MAX, "stride": 1}}])
    if "max-partials" in words:
        write(folder, [{**GOOD, "spec": {**MAX, "stride": 1}}])
    assert said in refused("run", *words.split()).err
