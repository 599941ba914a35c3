"""`--slices` and `--own-streams` on the command line."""

import json

import numpy as np
import pytest


def test_slices_run_as_one_wide_stream(command, folder):
    x = np.random.default_rng(1).integers(-128, 128, (1, 6, 8, 12), np.int64).astype(np.int8)
    np.save(folder / "x.npy", x)
    done = command(
        *("run", "x.npy", "--kernel", 2, "--lanes", 6, "--columns", 4, "--slices", 3),
        *("--engine", "amaranth", "--stats", "x.json"),
    )
    assert done.status == 0
    stats = json.loads((folder / "x.json").read_text())
    assert stats["matches_golden"] and stats["slices"] == 3
    assert stats["cycles_per_frame"] == stats["limit_cycles_per_frame"] == 24


def test_slices_as_verilog(command, folder):
    words = ("--kernel", 2, "--shape", "6x8x12", "--lanes", 6, "--columns", 4, "--slices", 3)
    assert command("verilog", *words, "--name", "one").status == 0
    assert command("verilog", *words, "--name", "own", "--own-streams").status == 0
    one, own = (json.loads((folder / f"{name}.json").read_text()) for name in ("one", "own"))
    assert one["ports"]["s_axis_tdata"] == ["input", 192] and one["slices"] == 3
    assert own["ports"]["s2_axis_tdata"] == ["input", 64]
    assert own["latency_cycles"] == one["latency_cycles"] - 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verilog", "--slices", 4), "slices 4 do not divide the 6 lanes"),
        (("verilog", "--own-streams"), "--own-streams has no meaning with one slice"),
        (("verilog", "--slices", 7), "slices 7 do not divide the 6 lanes that they share out"),
        (("synth", "--slices", 4, "--device", "ecp5-85k-6"), "use 3, or other lanes"),
    ],
)
def test_what_cannot_be_cut_is_refused(refused, words, said):
    done = refused(*words, "--kernel", 2, "--shape", "6x8x12", "--lanes", 6)
    assert said in done.err


def test_slices_of_what_unpools_are_refused(refused):
    done = refused(
        *("verilog", "--op", "unpool", "--shape", "4x4x4", "--size", "8x8", "--slices", 2)
    )
    assert "--slices has no meaning with --op unpool; leave it out" in done.err


def test_jobs_of_the_wide_table_are_its_own(refused):
    assert "--jobs A1 is not one of --wide" in refused("fpga", "--wide", "--jobs", "A1").err
    assert "--jobs A8x32 is not a reference job" in refused("fpga", "--jobs", "A8x32").err
    done = refused("fpga", "--wide", "--columns")
    assert "--wide has no meaning with --columns; leave it out" in done.err
