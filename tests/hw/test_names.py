"""No name ends as Yosys' abc9 ends the names of bits: docs/yosys-abc9-names.md says why."""

import re
import subprocess

import pytest
from core_jobs import JOBS
from reference_gates import cores
from streampool_golden import PoolJob, PoolSpec, UnpoolJob
from streampool_hw import PoolCore
from streampool_hw.boards import BOARDS
from streampool_hw.boards.self_test import SelfTest
from streampool_hw.boards.top import Top
from streampool_hw.export import yosys
from streampool_hw.export.verilog import write_verilog
from streampool_hw.fpga import ToolError, tools
from streampool_hw.fpga.around import BetweenRegisters
from streampool_hw.fpga.flow import synthesize

CORES = dict(cores())
BRACKETS = re.compile(r"^ *(?:wire|memory|cell|process|module)\b.* \S*[\[\]]\S*$", re.MULTILINE)
ESCAPED = re.compile(r"\\\S*[\[\]]\S* ")


def test_amaranth_writes_such_names():
    job = JOBS["max k3 s2"]
    core = PoolCore(job)
    assert BRACKETS.search(yosys.amaranth_rtlil.convert(core, name="top", emit_src=False))


@pytest.mark.parametrize("name", CORES)
def test_no_core_has_one(name: str):
    assert not BRACKETS.search(yosys.to_rtlil(CORES[name](), "top"))


def test_no_core_between_registers_has_one():
    job = JOBS["max k3 s2"]
    between = BetweenRegisters(PoolCore(job, family="ecp5"))
    assert not BRACKETS.search(yosys.to_rtlil(between, "between"))


def test_what_yosys_gets_of_a_board_has_none(monkeypatch, tmp_path):
    board = BOARDS["ulx3s-85f"]
    job = JOBS["max k3 s2"]
    core = PoolCore(job, family="ecp5")
    top = Top(board, SelfTest(core, 2, blink=1), None)
    written = board.create_platform().prepare(top, "top", emit_src=False).files["top.il"]
    assert BRACKETS.search(str(written))
    monkeypatch.setattr(tools, "run", lambda *_: subprocess.CompletedProcess([], 1, "", "no"))
    with pytest.raises(ToolError):
        synthesize(str(written), board.chip, tmp_path)
    assert not BRACKETS.search((tmp_path / "design.il").read_text(encoding="utf-8"))


def test_no_verilog_has_one(tmp_path):
    job = JOBS["avg same"]
    at = PoolJob(PoolSpec("max", 3, indices="flat"), (5, 9, 9), 3)
    texts = [
        write_verilog(job, tmp_path, "pool").verilog,
        write_verilog(at, tmp_path, "at").verilog,
        write_verilog(UnpoolJob((3, 2, 3), (4, 6), 2), tmp_path).verilog,
    ]
    for path in texts:
        assert not ESCAPED.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("names", "become"),
    [
        ((r"\x[1]", r"\x"), (r"\x_1", r"\x")),
        ((r"\x[1]", r"\x_1"), (r"\x_1_", r"\x_1")),
        ((r"\x[1]", r"\x_1", r"\x_1_"), (r"\x_1__", r"\x_1", r"\x_1_")),
        ((r"\x[1][2]", r"\x_1[2]"), (r"\x_1_2", r"\x_1_2_")),
        ((r"\x[1].y", r"\x$3[0]"), (r"\x_1.y", r"\x$3_0")),
    ],
)
def test_names_stay_apart(names: tuple[str, ...], become: tuple[str, ...]):
    text = "".join(f"  wire width 3 {name}\n" for name in names)
    ends = f"  connect {names[0]} [2:1] {{ {names[-1]} [1] {names[-1]} [0] }}\n"
    meant = "".join(f"  wire width 3 {name}\n" for name in become)
    meant += f"  connect {become[0]} [2:1] {{ {become[-1]} [1] {become[-1]} [0] }}\n"
    assert yosys.plain_names(text + ends) == meant


def test_strings_stay():
    text = '  attribute \\enum_value "\\\\x[1]"\n  parameter \\INIT "a[0]"\n'
    assert yosys.plain_names(text) == text
