"""`streampool bench --from` makes the table, the page and the plot of what was measured before."""

import json
import sys
from pathlib import Path
from typing import Any, cast

import page_reader
import pytest
from bench_results import few_layers
from commands import Command
from streampool_bench.report import report


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    path = tmp_path / "measured.json"
    path.write_text(report.text(few_layers()), encoding="utf-8")
    return path


def test_everything_comes_from_an_earlier_measurement(
    measured: Path, folder: Path, command: Command
):
    done = command(
        *("bench", "--from", measured, "--html", "a.html", "--plot", "a.svg", "--json", "a.json")
    )
    assert (done.status, done.err) == (0, "")
    results = few_layers()
    assert json.loads((folder / "a.json").read_text("utf-8")) == results
    for layer in results["layers"]:
        assert layer["title"] in done.out
        assert layer["layer"] in (folder / "a.svg").read_text("utf-8")
    reader = page_reader.read((folder / "a.html").read_text("utf-8"))
    assert len(reader.all("h1")) == 1


@pytest.mark.parametrize(
    "words", [("--html", "a.txt"), ("--plot", "a.png"), ("--html", "no/a.html")]
)
def test_what_cannot_be_written_is_refused_first(
    words: tuple[str, str], measured: Path, refused: Command
):
    refused("bench", "--from", measured, *words)


@pytest.mark.parametrize("words", [("--quick",), ("--net", "vgg16"), ("--shape", "8x8x8")])
def test_what_would_be_measured_is_refused(
    words: tuple[str, ...], measured: Path, refused: Command
):
    assert words[0] in refused("bench", "--from", measured, *words).err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON; use what --json writes"),
        ("[]", "schema None"),
        ('{"schema": "streampool-bench-2"}', "streampool-bench-2"),
        ('{"schema": "streampool-bench-3"}', "settings"),
    ],
)
def test_what_is_no_measurement_is_refused(
    text: str | None, says: str, folder: Path, refused: Command
):
    if text is not None:
        (folder / "in.json").write_text(text, encoding="utf-8")
    assert says in refused("bench", "--from", "in.json").err


@pytest.mark.parametrize("words", [("--freq", "50"), ("--rounds", "20"), ("--op", "avg")])
def test_what_says_nothing_of_an_earlier_measurement_is_refused(
    words: tuple[str, ...], measured: Path, refused: Command
):
    said = refused("bench", "--from", measured, *words).err
    assert f"--from measures nothing, so {words[0]} has no effect" in said


@pytest.mark.parametrize(
    "damage",
    [
        {"comparison": None},
        {"comparison": [1, 2]},
        {"software": "x"},
        {"machine": []},
        {"machine": {}},
        {"hardware": []},
        {"layers": [{}]},
        {"settings": {}},
    ],
)
def test_half_a_measurement_is_refused_and_nothing_written(
    damage: dict[str, Any], folder: Path, refused: Command
):
    (folder / "in.json").write_text(json.dumps(few_layers() | damage), encoding="utf-8")
    words = ("--json", "a.json", "--html", "a.html", "--plot", "a.svg")
    said = refused("bench", "--from", "in.json", *words).err
    assert "--from in.json is incomplete; use what --json writes" in said
    assert [path.name for path in folder.iterdir()] == ["in.json"]


def test_page_and_table_are_about_the_device_that_is_asked_for(
    measured: Path, folder: Path, command: Command
):
    words = ("--device", "ecp5-25k-6", "--json", "a.json", "--html", "a.html")
    done = command("bench", "--from", measured, *words)
    assert done.status == 0
    assert done.out.startswith("ecp5-25k-6, ")
    assert "Next to other logic, on LFE5U-25F-6, " in done.out
    found = json.loads((folder / "a.json").read_text("utf-8"))
    assert found["reading"][0]["values"]["part"]["value"] == "LFE5U-25F-6"
    page = (folder / "a.html").read_text("utf-8")
    assert "The fastest core on ecp5-25k-6 against software" in page
    assert "Next to other logic, on LFE5U-25F-6, " in page


def test_a_missing_extra_is_named(
    measured: Path, refused: Command, monkeypatch: pytest.MonkeyPatch
):
    for name in list(sys.modules):
        if name.startswith("streampool_bench.page"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("streampool_bench.page", raising=False)
    monkeypatch.setitem(cast(Any, sys.modules), "jinja2", None)
    said = refused("bench", "--from", measured, "--html", "a.html").err
    assert "jinja2" in said
    assert "streampool[report]" in said
