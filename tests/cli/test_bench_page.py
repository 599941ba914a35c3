"""`streampool bench --from` makes the table, the page and the plot of what was measured before."""

import json
import sys
from pathlib import Path
from typing import Any, cast

import page_reader
import pytest
from commands import Command

MEASURED = Path(__file__).parents[2] / "docs" / "bench.json"


def test_everything_comes_from_an_earlier_measurement(folder: Path, command: Command):
    done = command(
        *("bench", "--from", MEASURED, "--html", "a.html", "--plot", "a.svg", "--json", "a.json")
    )
    assert (done.status, done.err) == (0, "")
    results = json.loads(MEASURED.read_text("utf-8"))
    assert json.loads((folder / "a.json").read_text("utf-8")) == results
    for layer in results["layers"]:
        assert layer["title"] in done.out
        assert layer["layer"] in (folder / "a.svg").read_text("utf-8")
    reader = page_reader.read((folder / "a.html").read_text("utf-8"))
    assert len(reader.all("h1")) == 1


@pytest.mark.parametrize(
    "words", [("--html", "a.txt"), ("--plot", "a.png"), ("--html", "no/a.html")]
)
def test_what_cannot_be_written_is_refused_first(words: tuple[str, str], refused: Command):
    refused("bench", "--from", MEASURED, *words)


@pytest.mark.parametrize("words", [("--quick",), ("--net", "vgg16"), ("--shape", "8x8x8")])
def test_what_would_be_measured_is_refused(words: tuple[str, ...], refused: Command):
    assert words[0] in refused("bench", "--from", MEASURED, *words).err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("{", "no JSON"),
        ("[]", "schema None"),
        ('{"schema": "streampool-bench-0"}', "streampool-bench-0"),
        ('{"schema": "streampool-bench-1"}', "settings"),
    ],
)
def test_what_is_no_measurement_is_refused(
    text: str | None, says: str, folder: Path, refused: Command
):
    if text is not None:
        (folder / "in.json").write_text(text, encoding="utf-8")
    assert says in refused("bench", "--from", "in.json").err


def test_a_missing_extra_is_named(refused: Command, monkeypatch: pytest.MonkeyPatch):
    for name in list(sys.modules):
        if name.startswith("streampool_sim.bench.page"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("streampool_sim.bench.page", raising=False)
    monkeypatch.setitem(cast(Any, sys.modules), "jinja2", None)
    said = refused("bench", "--from", MEASURED, "--html", "a.html").err
    assert "jinja2" in said
    assert "streampool[report]" in said
