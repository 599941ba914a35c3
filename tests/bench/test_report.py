"""The report: its fields, what is resumed, and that its sentences are its figures."""

import json
import re
import statistics

import numpy as np
import pytest
from bench_results import all_layers
from blocks import ROOT
from streampool_bench import page
from streampool_bench.fpga import clocks, placed, wide
from streampool_bench.report import basis, digest, layers, reading, report, table
from streampool_bench.report.layers import Layer, Layers
from streampool_bench.report.report import Settings
from streampool_bench.software import contenders
from streampool_bench.software.task import Contender, Ready
from streampool_golden import PoolSpec

SETTINGS = Settings(threads=(1, 2))
LAYERS = Layers(
    (
        Layer("net-1", PoolSpec("max", 3, 2, 1), (16, 9, 9), {"net": 2}),
        Layer("net-2", PoolSpec("avg", 2), (8, 6, 6), {"net": 1}),
    ),
    {"net": ("net-1", "net-2", "net-1")},
)
STATED = json.loads((ROOT / "docs" / "bench.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def made():
    return report.make(LAYERS, settings=SETTINGS, runtimes=("NumPy",))


@pytest.fixture(scope="module")
def whole():
    return all_layers()


def test_it_is_json_a_row_a_line(made):
    text = report.text(made)
    assert json.loads(text) == made
    lines = text.splitlines()
    assert sum(line.lstrip().startswith('{"layer": "net-1"') for line in lines) > 20


def documented() -> dict[str, set[str]]:
    """Return the words in code style of each part of docs/bench.md that describes a list."""
    page = (ROOT / "docs" / "bench.md").read_text("utf-8")
    parts = re.split(r"^\*\*`", page, flags=re.MULTILINE)[1:]
    return {part.split("`")[0]: set(re.findall(r"`([a-z_0-9]+)`", part)) for part in parts}


@pytest.mark.parametrize(
    "name",
    ["layers", "software", "hardware", "comparison", "networks", "shares", "placements", "reading"],
)
@pytest.mark.parametrize("source", ["made", "whole"])
def test_every_field_is_documented(name, source, request):
    results = request.getfixturevalue(source)
    rows = results[name]
    assert rows or name == "shares"
    keys = {key for row in rows for key in row}
    if name == "comparison":
        for nested in ("best", "usual", "tie"):
            keys |= {key for row in rows for key in row[nested] or ()}
        keys |= {key for row in rows for link in row["links"].values() for key in link}
    assert keys <= documented()[name]
    assert set(results) == set(report.FIELDS)


def test_software_rows(made):
    for row in made["software"]:
        assert row["correct"] and row["wrong"] is None
        assert row["rounds"] >= 15 and row["calls"] >= 1
        assert 0 < row["min_s"] <= row["q1_s"] <= row["median_s"] <= row["q3_s"] <= row["max_s"]
        assert row["frames_per_second"] == pytest.approx(row["crop_share"] / row["median_s"])
        assert (row["crop"] is None) == (row["contender"] != "numpy-naive")
    ways = {(row["contender"], row["dtype"]) for row in made["software"]}
    assert {("numpy-separable", "int8"), ("numpy-separable", "float32")} <= ways
    assert {row["cache"] for row in made["software"]} == {"warm", "cold"}


def test_what_is_recorded_of_the_machine(made):
    assert made["machine"]["processor"] and made["machine"]["processors"] >= 1
    assert {"streampool", "python", "numpy", "amaranth"} <= made["versions"].keys()
    assert made["settings"]["threads"] == [1, 2]


def test_what_gives_a_wrong_result_is_not_timed(monkeypatch):
    calls = []

    def make(task, layout, threads):
        def run():
            calls.append(1)
            return np.zeros_like(task.expected("half_even"))

        return Ready(run, lambda y: y)

    liar = Contender("liar", "NumPy", "zeros", ("int8",), ("NCHW",), make)
    honest = contenders.load(("NumPy",))[0]
    rows, _ = report.measure_layer(LAYERS.layers[0], [liar, *honest], SETTINGS)
    [row] = [row for row in rows if row["contender"] == "liar"]
    assert len(calls) == 1
    assert row["correct"] is False and "values differ" in row["wrong"]
    assert row["median_s"] is None and row["frames_per_second"] is None and row["rounds"] == 0


def test_threads_are_only_for_those_that_have_them():
    seen = []

    def make(task, layout, threads):
        seen.append(threads)
        right = task.expected("half_even")
        return Ready(lambda: right, lambda y: y)

    for threaded in (True, False):
        each = Contender("x", "X", "x", ("int8",), ("NCHW",), make, threaded)
        report.measure_layer(LAYERS.layers[1], [each], SETTINGS)
    assert seen == [1, 2, 1]


def test_what_was_stopped_goes_on(tmp_path, monkeypatch):
    measured = []
    measure = report.measure_layer

    def watched(layer, *more):
        measured.append(layer.name)
        return measure(layer, *more)

    monkeypatch.setattr(report, "measure_layer", watched)

    def stop(done, total, what):
        if done == 1:
            raise KeyboardInterrupt

    folder = tmp_path / "kept"
    options = {"settings": SETTINGS, "runtimes": ("NumPy",), "folder": folder}
    with pytest.raises(KeyboardInterrupt):
        report.make(LAYERS, progress=stop, **options)
    assert measured == ["net-1"] and len(list(folder.iterdir())) == 1
    kept = []
    made = report.make(LAYERS, kept=kept, **options)
    assert measured == ["net-1", "net-2"]
    assert {row["layer"] for row in made["software"]} == {"net-1", "net-2"}
    assert sorted(kept) == sorted(folder.iterdir())
    kept[0].write_text(kept[0].read_text("utf-8")[:50], encoding="utf-8")
    report.make(LAYERS, **options)  # what is not whole is measured again, the other is not
    assert measured == ["net-1", "net-2", "net-1"]


def test_other_settings_are_not_resumed(tmp_path):
    first = report.Settings(rounds=15), report.Settings(rounds=16)
    names = {report._kept_name(LAYERS.layers[0], [], settings, "x") for settings in first}
    names.add(report._kept_name(LAYERS.layers[0], [], first[0], "another machine"))
    assert len(names) == 3


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)


@pytest.mark.parametrize("source", ["made", "whole", "stated"])
def test_sentences_are_made_of_their_values(source, request):
    results = STATED if source == "stated" else request.getfixturevalue(source)
    if source != "stated":
        assert results["reading"] == reading.sentences(results)
    assert len({each["id"] for each in results["reading"]}) == len(results["reading"]) >= 9
    types = {"32", "8"}  # of float32 and int8
    for each in results["reading"]:
        shown = [value["shown"] for value in each["values"].values()]
        assert all(value in each["text"] for value in shown)
        known = {number for value in shown for number in numbers(value)}
        assert set(numbers(each["text"])) <= known | types, each["text"]


def values(results, name):
    [found] = [each["values"] for each in results["reading"] if each["id"] == name]
    return {key: each["value"] for key, each in found.items()}


@pytest.mark.parametrize("source", ["made", "whole", "stated"])
def test_sentences_agree_with_the_rows(source, request):
    results = STATED if source == "stated" else request.getfixturevalue(source)
    device = reading.device_of(results)
    here = [row for row in results["comparison"] if row["device"] == device]
    assert len({row["layer"] for row in here}) == len(here) == len(results["layers"])
    with_clock = [row for row in here if row["freq_source"] == "placed"]
    out = len(here) - len(with_clock)
    if with_clock and out:
        assert values(results, "left_out")["layers"] == out
    here = with_clock or here
    won = [row["ratio_best"] for row in here if row["ratio_best"] > 1]
    wins = values(results, "wins")
    assert (wins["wins"], wins["layers"]) == (len(won), len(here))
    if won:
        assert wins["most"] == max(won)
        assert wins["middle"] == statistics.median(won)
    lost = [row["ratio_best"] for row in here if row["ratio_best"] < 1]
    if lost:
        assert values(results, "loses")["losses"] == len(lost)
        assert values(results, "loses")["times"] == 1 / min(lost)
    if source == "stated":
        return
    links = values(results, "links")
    for link in results["links"][1:]:
        fast = sum(row["links"][link["link"]]["ratio_best"] > 1 for row in here)
        assert links[f"{link['link']}_wins"] == fast
    clocks = values(results, "clocks")
    assert clocks["same"] + clocks["stand"] + clocks["assumed"] == len(results["hardware"])
    assumed = sum(row["freq_source"] == "assumed" for row in results["hardware"])
    assert clocks["assumed"] == assumed
    assert clocks["unfit"] == sum(row["fits"] is False for row in results["hardware"])


@pytest.mark.parametrize("source", ["whole", "stated"])
def test_only_sets_of_cores_that_fit_together_pass_frames_at_once(source, request):
    results = STATED if source == "stated" else request.getfixturevalue(source)
    rows = [row for row in results["networks"] if row["device"] == reading.device_of(results)]
    rows = [row for row in rows if row["freq_source"] == "placed"]
    said = values(results, "networks")
    assert said["nets"] == len(rows)
    assert said["together"] == sum(row["device_share"] <= 1 for row in rows) < len(rows)
    fast = [row for row in rows if row["device_share"] <= 1 and row["pipelined_ratio_best"] > 1]
    assert said["pipelined"] == len(fast)


def test_where_no_clock_is_placed_the_sentences_say_that_it_is_assumed(made):
    rows = [row | {"freq_source": "assumed", "placed_job": None} for row in made["comparison"]]
    found = reading.sentences(made | {"comparison": rows})
    text = next(each["text"] for each in found if each["id"] == "wins")
    assert "no placed core stands for any of these layers" in text
    assert "at an assumed clock the fastest core would beat" in text
    assert not any(each["id"] == "left_out" for each in found)


def test_one_is_singular():
    def said(**values: int) -> str:
        return basis.say("x", "{a} layers, {b} lanes and {c:,} layers", **values)["text"]

    assert said(a=1, b=1, c=1001) == "1 layer, 1 lane and 1,001 layers"
    assert said(a=0, b=21, c=1) == "0 layers, 21 lanes and 1 layer"


@pytest.mark.parametrize(("load", "said"), [(None, False), (0.1, False), (1.1, True)])
def test_a_busy_machine_is_owned_up_to(load, said, made):
    busy = made | {"machine": made["machine"] | {"load": load, "processors": 2}}
    found = [each for each in reading.sentences(busy) if each["id"] == "load"]
    assert len(found) == said
    if found:
        assert "kept 1.1 of 2 processors busy" in found[0]["text"]


def test_the_digest_says_what_the_report_says(whole):
    small = digest.digest(whole)
    device = reading.device_of(whole)
    assert device is not None and reading.device_of(small) == device
    for names in (None, layers.QUICK):
        assert table.rows(small, device, names) == table.rows(whole, device, names)
    assert table.network_rows(small, device) == table.network_rows(whole, device)
    assert small["reading"] == whole["reading"]
    for name in ("machine", "versions", "settings"):
        assert small[name] == whole[name]
    assert page.plot(drawn(small)) == page.plot(drawn(whole))
    assert len(report.text(small)) < 100_000 < 1_000_000 < len(report.text(whole))


def drawn(results):
    kept = ("layers", "software", "hardware", "comparison")
    return results | {
        name: [row for row in results[name] if row["layer"] in layers.QUICK] for name in kept
    }


def test_the_digest_is_written_from_a_file(tmp_path, whole, capsys):
    (tmp_path / "bench.json").write_text(report.text(whole), encoding="utf-8")
    words = [str(tmp_path / "bench.json"), str(tmp_path / "small.json")]
    assert digest.main(words) == 0
    assert json.loads((tmp_path / "small.json").read_text("utf-8")) == digest.digest(whole)
    (tmp_path / "bench.json").write_text("{", encoding="utf-8")
    assert digest.main([words[0], str(tmp_path / "other.json")]) == 2
    assert "is no measurement" in capsys.readouterr().err
    assert not (tmp_path / "other.json").exists()


@pytest.fixture(scope="module")
def again(whole):
    return digest.again(digest.digest(whole))


def test_cores_are_counted_again_beside_software_as_it_was_measured(whole, again):
    """With the same placements nothing changes, so that a digest is enough to count from."""
    before = digest.digest(whole)
    assert again.keys() == before.keys()
    assert json.loads(json.dumps(again)) == before


def test_cores_that_are_counted_again_have_the_clocks_of_today(whole, monkeypatch):
    before = digest.digest(whole)
    slow = {"clock_mhz": 10.0, "bound_by": "silicon"}
    rows, sliced = (
        tuple(row | slow for row in found) for found in (placed.placements(), placed.wide())
    )
    monkeypatch.setattr(placed, "placements", lambda: rows)
    monkeypatch.setattr(clocks, "placements", lambda: rows)
    monkeypatch.setattr(placed, "wide", lambda: sliced)
    wide.cores_of.cache_clear()
    now = digest.again(before)
    wide.cores_of.cache_clear()
    assert {row["freq_mhz"] for row in now["comparison"] if row["freq_source"] == "placed"} == {10}
    assert [row["best"] for row in now["comparison"]] == [
        row["best"] for row in before["comparison"]
    ]
    assert values(now, "wins")["wins"] < values(before, "wins")["wins"]
    assert values(now, "clocks")["simulated"] == values(before, "clocks")["simulated"]


def test_sentences_of_software_stay_where_a_digest_lacks_what_made_them(whole):
    before = digest.digest(whole)
    rows = [row | {"cold_s": None} for row in before["comparison"]]
    now = digest.again(before | {"shares": [], "comparison": rows})
    said = {each["id"]: each["text"] for each in now["reading"]}
    assert list(said) == [each["id"] for each in before["reading"]]
    for each in before["reading"]:
        assert each["text"] == said[each["id"]]


def test_a_digest_is_counted_again_from_a_file(tmp_path):
    path = tmp_path / "stated.json"
    path.write_text(report.text(STATED), encoding="utf-8")
    assert digest.main([str(path), str(path)]) == 0
    now = json.loads(path.read_text("utf-8"))
    assert now == STATED, "the cores or their placements have changed: make bench-clocks"
    path.write_text(report.text(STATED | {"layers": [{"layer": "no-1"}]}), encoding="utf-8")
    assert digest.main([str(path), str(tmp_path / "other.json")]) == 2
    assert not (tmp_path / "other.json").exists()


def test_what_the_pages_state_is_a_digest():
    assert STATED["schema"] == digest.SCHEMA
    assert digest.digest(STATED) | {"schema": digest.SCHEMA} == STATED


def test_the_table_has_a_row_for_each_layer(made):
    text = table.terminal(made)
    for layer in LAYERS.layers:
        assert layer.title in text
    for each in made["reading"]:
        assert each["text"].split(",")[0][:30] in text
    device = reading.device_of(made)
    assert device is not None
    cells = table.rows(made, device)
    assert [len(row) for row in cells] == [len(table.HEADS)] * 2
    assert all("numpy-" in row[1] for row in cells)
