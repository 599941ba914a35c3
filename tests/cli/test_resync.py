"""Cores that follow their frames' marks, on the command line."""

import json

import numpy as np
import pytest


def test_a_run_takes_the_clocks_that_it_took(command, folder):
    np.save(folder / "x.npy", np.arange(-60, 60, dtype=np.int8).reshape(1, 3, 4, 10))
    words = ("run", "x.npy", "--kernel", 2, "--lanes", 2, "--stall", 0.3, "--stats", "-")
    stats = []
    for more in (("amaranth",), ("amaranth", "--resync"), ("fast", "--resync")):
        done = command(*words, "--engine", *more)
        assert done.status == 0
        stats.append(json.loads(done.out))
    assert [each["engine"] for each in stats] == ["amaranth", "amaranth", "fast"]
    assert [each.get("resync") for each in stats] == [None, *[["first", "last"]] * 2]
    assert len({each["cycles"] for each in stats}) == 1


def test_waveforms_show_the_core_inside(command, folder):
    np.save(folder / "x.npy", np.zeros((1, 1, 4, 10), np.int8))
    done = command(*("run", "x.npy", "--kernel", 2, "--resync", "--vcd", "x.vcd", "--frames", 1))
    assert done.status == 0
    view = (folder / "x.gtkw").read_text()
    assert "{control word} bench.core.pool.rows.sequencer.word" in view
    assert "{the next frame starts anew} bench.core.resync.restart" in view
    assert "bench.columns.window" in view


def test_verilog_says_which_marks(command, folder):
    done = command(
        *("verilog", "--kernel", 2, "--shape", "1x4x6", "--resync", "--tuser", "--tlast", "line")
    )
    assert done.status == 0
    about = json.loads((folder / "streampool_max.json").read_text())
    assert about["resync"] is True and about["ports"]["broken_frames"] == ["output", 16]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "verilog --op unpool --size 8x8",
            "--resync has no meaning with --op unpool; leave it out",
        ),
        ("verilog --tlast line", "resync finds no frame where tlast marks lines alone; use tuser"),
        ("run --engine board:/dev/none", "--resync has no meaning on a board; leave it out"),
    ],
)
def test_refusals(refused, words: str, sentence: str):
    shape = () if words.startswith("run") else ("--shape", "1x4x4")
    assert sentence in refused(*words.split(), *shape, "--resync").err
