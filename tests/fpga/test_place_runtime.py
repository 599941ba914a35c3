"""Placing a core whose job changes while it runs."""

import json
from pathlib import Path

import pytest
from streampool_golden import SpecError
from streampool_hw.fpga import DEVICES, place_runtime
from streampool_hw.runtime.maxima import Maxima
from streampool_sim import cli

MAXIMA = Maxima(lanes=2, max_fold=8, max_row=16, max_words=4, max_length=16)
SIZES = [*("--lanes", "2", "--max-fold", "8", "--max-row", "16"), "--max-words", "4"]
SIZES += ["--max-length", "16"]
SYNTH = ["synth", "--runtime", "--device", "ecp5-85k-6", "--no-check"]


def test_it_has_a_clock_and_no_frames(fake):
    fake.clocks = {1: 190.0}
    placement = place_runtime(MAXIMA, DEVICES["ecp5-85k-6"], seeds=1)
    made = placement.to_json()
    assert json.loads(json.dumps(made)) == made | {"maxima": made["maxima"] | {
        "operations": ["max"]}}  # fmt: skip
    assert made["maxima"]["max_row"] == 16 and made["lanes"] == 2 and made["placed"] is True
    assert made["clock_mhz"] == 190.0 and made["values_per_second"] == 380e6
    none = ("spec", "shape", "cycles_per_frame", "frames_per_second")
    assert [made[name] for name in none] == [None] * 4


def test_the_command_line_says_so(fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "p.json"
    assert cli.main([*SYNTH, *SIZES, "--seeds", "1", "--json", str(path)]) == 0
    said = capsys.readouterr().out
    assert "values   400.0 million per second" in said and "frames " not in said
    assert json.loads(path.read_text())["maxima"]["max_words"] == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shape", "3x4x4"], "--shape has no meaning with --runtime; leave it out"),
        (["--max-words", "5"], "max-words 5 is no power of two; use one, as 16"),
    ],
)
def test_what_has_no_meaning_is_refused(fake, words, said, capsys: pytest.CaptureFixture[str]):
    assert cli.main([*SYNTH, *words]) == 2
    assert said in capsys.readouterr().err
    assert not fake.calls


def test_settings_that_cannot_be_are_refused(fake):
    with pytest.raises(SpecError, match="seeds must"):
        place_runtime(MAXIMA, "ecp5-85k-6", seeds=0)
    with pytest.raises(SpecError, match=r"freq_mhz 0\.0 is no clock"):
        place_runtime(MAXIMA, "ecp5-85k-6", freq_mhz=0)
