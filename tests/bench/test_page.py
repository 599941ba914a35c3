"""The page has the JSON's numbers and sentences, fetches nothing, and says what its plots show."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import page_reader
import pytest
from bench_results import all_layers, few_layers
from matplotlib.figure import Figure
from streampool_bench.page import figures, html, page, plots, svg, tables, waveform

RESULTS = few_layers()

NOT_SHOWN = re.compile(r"\.(spec|links\.\w+\.link_frames_per_second)\b")
"""Of a layer's title, and of a link and a layer whatever the core."""


@pytest.fixture(scope="module")
def text() -> str:
    return html(RESULTS)


@pytest.fixture(scope="module")
def reader(text: str) -> page_reader.Reader:
    return page_reader.read(text)


def leaves(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """Walk over all numbers of a JSON."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from leaves(each, f"{path}.{at}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path.removeprefix("."), value


def test_every_number_of_the_json_is_on_the_page_and_no_other(reader: page_reader.Reader):
    wanted = {
        path: value
        for path, value in leaves({k: v for k, v in RESULTS.items() if k != "reading"}, "")
        if not NOT_SHOWN.search(path)
    }
    found = {each.path: each.shown for each in reader.numbers if each.path.count(".")}
    assert len(wanted) > 1000
    assert found.keys() == wanted.keys()
    for path, value in wanted.items():  # to three digits
        shown = page_reader.amount(found[path])
        assert shown == pytest.approx(value, rel=0.0051, abs=1e-12), path


def test_no_number_is_shown_twice_as_something_else(reader: page_reader.Reader):
    shown: dict[str, set[float]] = {}
    for each in reader.numbers:
        if each.path.count("."):
            shown.setdefault(each.path, set()).add(page_reader.amount(each.shown))
    for path, values in shown.items():
        assert max(values) == pytest.approx(min(values), rel=0.0051), path


def test_the_sentences_are_the_json_s_and_their_figures_stand_in_them(reader: page_reader.Reader):
    said = [
        (each.attributes["data-sentence"], each.text)
        for each in reader.all("li")
        if "data-sentence" in each.attributes
    ]
    assert said == [(each["id"], each["text"]) for each in RESULTS["reading"]]
    for sentence in RESULTS["reading"]:
        for name, figure in sentence["values"].items():
            assert figure["shown"] in sentence["text"], (sentence["id"], name)


def test_nothing_is_fetched(text: str, reader: page_reader.Reader):
    for element in reader.elements:
        for name, value in element.attributes.items():
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                assert value.startswith("#") or value == "data:,", (element.tag, value)
            assert not re.search(r"url\((?!#)", value), value
    tags = {each.tag for each in reader.elements}
    assert not tags & {"script", "iframe", "object", "embed", "img", "image"}
    [style] = reader.all("style")
    assert "url(" not in style.text and "@import" not in style.text
    rest = re.sub(r'xmlns(:xlink)?="http://www\.w3\.org/[^"]*"', "", text)
    assert "http:" not in rest and "https:" not in rest


def test_ids_are_unique_and_lead_somewhere(reader: page_reader.Reader):
    ids = [each.attributes["id"] for each in reader.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for element in reader.elements:
        for name in ("href", "xlink:href"):
            target = element.attributes.get(name, "")
            if target.startswith("#"):
                assert target[1:] in ids, target
        if "aria-labelledby" in element.attributes:
            assert element.attributes["aria-labelledby"] in ids
        for target in re.findall(r"url\(#([^)]+)\)", " ".join(element.attributes.values())):
            assert target in ids


def test_every_plot_says_what_it_shows_and_has_a_table_behind_it(text: str):
    sections = re.findall(r"<section.*?</section>", text, re.DOTALL)
    drawn = [page_reader.read(section) for section in sections if "<figure>" in section]
    assert len(drawn) == 5
    for section in drawn:
        labels = [each.attributes["aria-label"] for each in section.all("svg")]
        assert labels and all(len(label) > 60 for label in labels)
        assert all(each.attributes["role"] == "img" for each in section.all("svg"))
        assert section.all("figcaption") and section.all("details") and section.all("table")


def test_tables_have_heads_and_scroll_by_themselves(text: str, reader: page_reader.Reader):
    assert len(reader.all("table")) == len(reader.all("caption"))
    assert all(each.attributes.get("scope") in ("row", "col") for each in reader.all("th"))
    assert text.count("<table") == len(re.findall(r'class="scroll[^>]*>\s*<table', text))


def test_plots_have_no_colours_of_their_own(reader: page_reader.Reader):
    inside = [each for each in reader.elements if each.tag in ("g", "path", "use", "text", "rect")]
    assert len(inside) > 100
    for element in inside:
        for name in ("style", "fill", "stroke"):
            assert not re.search(r"#[0-9a-f]{3}", element.attributes.get(name, ""), re.IGNORECASE)
    [style] = reader.all("style")
    rules = dict(re.findall(r"\.(p\d+)\{([^}]*)\}", style.text))
    used = {name for each in reader.elements for name in each.attributes.get("class", "").split()}
    assert rules.keys() == {name for name in used if re.fullmatch(r"p\d+", name)}
    assert len(rules) > 10 and "#" not in "".join(rules.values())


def schemes() -> list[dict[str, str]]:
    """Return the page's variables, light and dark."""
    style = (Path(page.__file__).parent / "page.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    found = [dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in (light, dark)]
    assert found[0].keys() == found[1].keys()
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: dict[str, str]):
    def contrast(one: str, other: str) -> float:
        low, high = sorted([luminance(scheme[one]), luminance(scheme[other])])
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "soft", "link", "good", "bad"):
        assert contrast(name, "paper") >= 4.5, name
    for name in (name for name in scheme if re.fullmatch(r"c\d", name)):
        assert contrast(name, "paper") >= 3, name
    for name in (name for name in scheme if re.fullmatch(r"w\d", name)):
        assert contrast("ink", name) >= 4.5, name


def test_the_light_plots_have_the_page_s_colours():
    light, _ = schemes()
    assert {name: light[name] for name in svg.COLOURS} == svg.COLOURS


def test_what_is_drawn_was_placed_or_measured_right(monkeypatch: pytest.MonkeyPatch):
    drawn: dict[str, dict[str, float]] = {}

    def keep(layers: list[str], series: list[plots.Series], unit: str) -> Any:
        for each in series:
            named = (layers[int(row)].partition(":")[0] for row in each.y)
            drawn[each.name] = dict(zip(named, each.x, strict=True))
        return lambda narrow: Figure()

    monkeypatch.setattr(plots, "throughput", keep)
    wrong = dict(RESULTS["software"][0], contender="broken", correct=False)
    assumed = [row["device"] for row in RESULTS["hardware"] if row["freq_source"] == "assumed"]
    assert assumed
    figures.throughput(RESULTS | {"software": [*RESULTS["software"], wrong]})
    values = {layer["layer"]: layer["values_in"] for layer in RESULTS["layers"]}
    cores = {name.removeprefix("core, ") for name in drawn if name.startswith("core, ")}
    assert len(cores) == len({name.partition("-")[0] for name in cores}) >= 2
    best: dict[tuple[str, str], float] = {}
    for row in RESULTS["hardware"]:
        if row["freq_source"] == "placed" and row["device"] in cores:
            key = (f"core, {row['device']}", row["layer"])
            rate = values[row["layer"]] * row["freq_mhz"] * 1e6 / row["cycles"]
            best[key] = max(rate, best.get(key, 0))
    found = {
        (name, layer): x for name in drawn if "core" in name for layer, x in drawn[name].items()
    }
    assert found == pytest.approx(best)
    assert "broken" not in drawn
    usual = {
        row["layer"]: row["median_s"]
        for row in sorted(RESULTS["software"], key=lambda row: -(row["median_s"] or 0))
        if (row["contender"], row["dtype"], row["layout"]) == ("torch", "float32", "NCHW")
        and row["cache"] == "warm"
    }
    assert usual
    assert drawn["torch float32 NCHW, the usual call"] == pytest.approx(
        {layer: values[layer] / median for layer, median in usual.items()}
    )


@pytest.mark.parametrize("width", plots.WIDTHS)
def test_marks_stand_where_their_numbers_are(width: str):
    values, rows = [3e5, 2e6, 7e7, 9e9], [0, 1, 2, 3]
    draw = plots.throughput(
        list("abcd"), [plots.Series("s", values, rows, 0, 0)], "values per second"
    )
    root = ET.fromstring(plots.drawn(draw)[width])
    # The legend's mark comes last.
    uses = [
        each
        for group in root.iter(f"{{{svg.SVG}}}g")
        if group.get("id", "").startswith("line2d")
        for each in group.iter(f"{{{svg.SVG}}}use")
        if svg.COLOURS["c0"] in each.get("style", "")
    ]
    at = np.array([[float(each.get(axis, "nan")) for axis in "xy"] for each in uses])[:4]
    slopes = np.diff(at[:, 0]) / np.diff(np.log10(values))
    assert slopes == pytest.approx(slopes[0], rel=1e-4) and slopes[0] > 0
    steps = np.diff(at[:, 1])
    assert steps == pytest.approx(steps[0], rel=1e-4) and steps[0] > 0  # the first on top


def test_the_waveform_is_what_naive_loops_give():
    shown = waveform.diagram()
    rows, columns = shown.frame.shape
    windows = [
        [(y, x) for y in (i, i + 1) for x in (j, j + 1)]
        for i in range(0, rows, 2)
        for j in range(0, columns, 2)
    ]
    outs = [row for row in shown.rows if row["out"] is not None]
    assert [row["out"] for row in outs] == [max(shown.frame[at] for at in each) for each in windows]
    for number, (taps, row) in enumerate(zip(windows, outs, strict=True)):
        assert row["out_window"] == number
        assert {shown.windows[at] for at in taps} == {number}
        last = max(y * columns + x for y, x in taps)  # a value goes in each clock, from clock 0
        assert row["cycle"] == last + shown.latency
    assert [row["value"] for row in shown.rows[: rows * columns]] == shown.frame.ravel().tolist()


def test_the_waveform_s_lanes_are_as_long_as_its_clocks():
    shown = waveform.diagram()
    lanes = [
        lane
        for entry in shown.wave["signal"]
        for lane in (entry[1:] if isinstance(entry, list) else [entry])
    ]
    assert {len(lane["wave"]) for lane in lanes} == {1 + len(shown.rows)}  # the reset's before
    for lane in lanes:
        assert sum(mark in "3456" for mark in lane["wave"]) == len(lane.get("data", []))


@pytest.mark.slow
def test_the_page_of_every_layer_is_small():
    results = all_layers()
    assert len(results["software"]) > 3000 and len(results["hardware"]) > 1000
    text = html(results)
    reader = page_reader.read(text)
    rows = sum(len(results[name]) for name in ("software", "hardware", "comparison"))
    assert len([each for each in reader.elements if each.tag == "tr"]) > rows
    assert len(text.encode()) < 1_500_000


def test_what_rows_share_stands_above_the_table(text: str):
    rows = [{"a": 1, "n": 5, "t_s": 2e-3}, {"a": 1, "n": 5, "t_s": 7e-6}, {"a": 2, "n": 5}]
    made = tables.table("x", "x", "X", rows)
    assert [(column.key, value) for column, value in made.shared] == [("n", "5")]
    assert made.body == (
        "<tr data-row=0><th scope=row rowspan=2><span>1</span><td>2.00"
        "<tr><td>0.00700<tr><th scope=row>2<td>\N{EN DASH}"
    )
    assert [column.head for column in made.columns] == ["a", "t, ms"]


def test_a_page_without_software_is_a_page():
    reader = page_reader.read(html(RESULTS | {"software": [], "comparison": []}))
    assert reader.all("svg")
    assert not [each for each in reader.numbers if each.path.startswith("software.")]


def test_sentences_are_text_and_never_markup():
    odd = {"id": "wins-x", "text": "1 < 2 & <script>", "values": {}}
    empty = {name: [] for name in ("software", "hardware", "comparison", "placements")}
    reader = page_reader.read(html(RESULTS | empty | {"reading": [odd]}))
    [said] = [each.text for each in reader.all("li") if "data-sentence" in each.attributes]
    assert said == odd["text"]
    assert not reader.all("script")
