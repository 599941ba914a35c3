"""Which names `write_verilog` takes, and which files it leaves: all or none."""

import re
from pathlib import Path

import packaged_verilator
import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw.export.names import KEYWORDS
from streampool_hw.export.verilog import write_verilog
from verilog_jobs import JOBS, write

FILES = ("pool.v", "pool.json", "pool.core", "pool_inst.vh", "pool.sdc", "pool.xml")


def test_the_same_job_gives_the_same_files_and_no_paths(tmp_path: Path):
    once, again = tmp_path / "once", tmp_path / "again"
    once.mkdir()
    again.mkdir()
    assert write("avg_border", once) == write("avg_border", again)
    for path in once.iterdir():
        text = path.read_text()
        assert ".py" not in text
        assert str(tmp_path) not in text and str(Path(__file__).parents[2]) not in text
        assert "(* src" not in text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2pool",
        "my-pool",
        "a b",
        "pool\n",
        "é",
        "../pool",
        "a.b",
        "a$b",
        "module",
        "logic",
        "aclk",
        "m_axis_tdata",
        "x" * 201,
        "bool",
        "wone",
        "wreal",
        "std",
        "TOP",
    ],
)
def test_refused_names(name: str, tmp_path: Path):
    with pytest.raises(SpecError) as refused:
        write("through", tmp_path, name)
    assert refused.value.field == "name"
    assert "\n" not in str(refused.value) and "use " in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_names_that_are_ours_inside(tmp_path: Path):
    for name in ("core", "clk", "rst", "_x9", "left"):
        write("avg_border", tmp_path, name)
        assert packaged_verilator.lint(tmp_path / f"{name}.v") == ""


def test_two_cores_live_in_one_design(tmp_path: Path):
    names = ("pool", "pool_core", "pool__core", "core")
    for name in names:
        write("avg_border", tmp_path, name)
    files = [tmp_path / f"{name}.v" for name in names]
    assert packaged_verilator.lint("-Wno-MULTITOP", *files) == ""
    modules = re.findall(r"^module (\S+)", "".join(map(Path.read_text, files)), re.MULTILINE)
    assert len(modules) == len(set(modules))


def test_no_name_is_that_of_a_vendor_s_cell(tmp_path: Path):
    with pytest.raises(SpecError, match="is a cell of the vendor's"):
        write_verilog(
            PoolJob(PoolSpec("max", 2), (8, 4, 224), 8), tmp_path, "PDPW16KD", family="ecp5"
        )
    assert not list(tmp_path.iterdir())


def test_keywords_are_those_of_the_standard():
    assert len(KEYWORDS) == 248  # IEEE 1800-2017 table B.1


def test_refused_directories(tmp_path: Path):
    job = JOBS["through"]
    (tmp_path / "file").write_text("")
    for directory in ("nowhere", "file"):
        with pytest.raises(SpecError) as refused:
            write_verilog(job, tmp_path / directory)
        assert refused.value.field == "directory"
        assert directory in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_refused_jobs_leave_nothing(tmp_path: Path):
    spec = PoolSpec(op="max", kernel=3)
    for shape, lanes in (((1, 2, 2), 1), ((1, 9), 1), ((1, 9, 9), 0)):
        with pytest.raises(SpecError):
            write_verilog(PoolJob(spec, shape, lanes), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blocked", FILES)
@pytest.mark.parametrize("old", [None, "old"])
def test_all_files_or_none(blocked: str, old: str | None, tmp_path: Path):
    others = [name for name in FILES if name != blocked]
    (tmp_path / blocked).mkdir()
    if old is not None:
        for other in others:
            (tmp_path / other).write_text(old)
    with pytest.raises(IsADirectoryError):
        write("through", tmp_path, "pool")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {blocked} | (set(others) if old is not None else set())
    assert old is None or {(tmp_path / other).read_text() for other in others} == {old}


def test_files_are_replaced(tmp_path: Path):
    first, _ = write("through", tmp_path, "pool")
    second, about = write("max_fold", tmp_path, "pool")
    assert first != second and about["shape"] == [3, 9, 8]
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
