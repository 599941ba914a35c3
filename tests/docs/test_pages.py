"""README.md and docs/: their examples run, their figures are the code's, their links lead on."""

import re
import shlex
import tomllib
import xml.etree.ElementTree as ET
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import blocks
import figures
import numpy as np
import pytest
import tables
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from pages import fenced
from streampool_bench.page.svg import SVG
from streampool_golden import PoolSpec, pool
from streampool_sim.cli.common import job_of, spec_of
from streampool_sim.cli.registry import command_of
from texts import checks, cores

# of cores that are counted and not built
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

README = blocks.ROOT / "README.md"
DOCS = blocks.ROOT / "docs"
SMALL = ("YOLOv8n SPPF", "ResNet-50: global", "M5 speech")
"""Rows of the table of results that are simulated here; the others would take a minute."""


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").splitlines()) <= 130


def test_the_first_example_runs(capsys):
    [example] = fenced(README, "python")
    names: dict = {}
    exec(example, names)
    assert names["result"].output.shape == (1, 8, 14, 14)
    cycles = [int(word) for word in re.findall(r"\d+", capsys.readouterr().out)]
    assert cycles == [names["result"].stats["cycles_per_frame"], 28 * 28 * 2]


def test_the_example_in_amaranth_elaborates():
    [example] = fenced(DOCS / "integration.md", "python")
    names: dict = {}
    exec(example, names)
    assert "pool" in rtlil.convert(names["Relu6ThenPool"]())


def test_command_lines_are_taken():
    lines = [
        line
        for page in blocks.PAGES
        for text in fenced(page, "sh")
        for line in text.splitlines()
        if line.startswith("streampool ")
    ]
    known = {"run", "verilog", "explain", "show", "synth", "build", "bench"}
    assert {line.split()[1] for line in lines} >= known
    for line in lines:
        verb, *words = shlex.split(line)[1:]
        with command_of(verb).make_context(verb, words) as context:
            parsed = SimpleNamespace(**context.params)
        if verb not in known and not hasattr(parsed, "op"):
            continue  # it has no specification
        shape = getattr(parsed, "shape", None) or (8, 56, 56)
        if verb == "run":
            shape = (8, *(56 for axis in "DHW" if axis in (parsed.layout or "HW")))
        if parsed.op == "unpool":
            assert job_of(parsed, shape)[0].out_size == parsed.size, line
            continue
        assert isinstance(spec_of(parsed, shape, "uint8"), PoolSpec)


@pytest.mark.parametrize("name", sorted({**tables.EXACT, **tables.PICKED}.keys() - {"results"}))
def test_blocks_are_what_the_code_gives(name):
    [page] = [page for page in blocks.PAGES if name in blocks.read(page)]
    write = {**tables.EXACT, **tables.PICKED}[name]
    assert blocks.read(page)[name] == write(), f"python docs/tables.py {name}"


def test_every_block_is_filled_by_a_command():
    found = [name for page in blocks.PAGES for name in blocks.read(page)]
    assert sorted(found) == sorted([*tables.EXACT, *tables.PICKED, *tables.MEASURED, *tables.MADE])
    for page in blocks.PAGES:
        text = page.read_text("utf-8")
        assert text.count("<!-- begin ") == text.count("<!-- end ") == len(blocks.read(page))


def result_rows() -> dict[str, list[str]]:
    """Return the rows of the table of results by the names of their jobs."""
    _, _, *lines = blocks.read(DOCS / "results.md")["results"].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].rpartition(", on ")[0]: row for row in rows}


def test_results_are_what_the_elaborated_cores_have():
    rows = result_rows()
    assert list(rows) == list(cores.RESULTS)
    for name, row in rows.items():
        cycles = int(row[2].split(" / ")[0].replace(",", ""))
        assert row == [str(cell) for cell in cores.result_row(name, cycles)], (
            "python docs/tables.py results"
        )
        # Each of these jobs meets the limit exactly; the table is no place for one that does not.
        assert cycles == cores.RESULTS[name].limit_cycles


def test_cycles_of_results_are_what_the_simulation_counts():
    names = [name for name in cores.RESULTS if name.startswith(SMALL)]
    assert len(names) == len(SMALL)
    rows = result_rows()
    for name, stats in zip(
        names, cores.simulated([cores.RESULTS[name] for name in names], "-O0"), strict=True
    ):
        assert rows[name][2].split(" / ")[0] == f"{stats['cycles_per_frame']:,}"


def test_layers_are_what_the_elaborated_cores_have():
    """Of every fourth; elaborating all of them takes too long here."""
    _, _, _, _, *lines = blocks.read(DOCS / "conformance.md")["layers"].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    known = checks.layers_by_job()
    assert len(rows) == len(known), "python docs/tables.py layers"
    for (job, layers), row in list(zip(known.items(), rows, strict=True))[::4]:
        expected = [str(cell) for cell in checks.layer_row(layers, job.limit_cycles)]
        assert row == expected, "python docs/tables.py layers"


@pytest.mark.parametrize("page", blocks.PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)|src=\"([^\"]+)\"", text)
    for link, anchor, source in targets:
        if link.startswith("https://"):
            continue
        target = page.parent / (link or source or page.name)
        assert target.exists(), target
        if anchor:
            assert anchor in anchors(target), f"{link}#{anchor}"


@pytest.mark.parametrize(
    "page", [*blocks.PAGES, blocks.ROOT / "CHANGELOG.md"], ids=lambda page: page.name
)
def test_names_of_ours_are_there(page):
    for dotted in re.findall(r"`(streampool\w*(?:\.\w+)+)", page.read_text("utf-8")):
        package, *names = dotted.split(".")
        found = import_module(package)
        for name in names:
            package = f"{package}.{name}"
            if not hasattr(found, name):
                assert find_spec(package), dotted
                import_module(package)
            found = getattr(found, name)


def test_every_extra_is_used():
    extras = tomllib.loads((blocks.ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    users = [blocks.ROOT / "Makefile", *blocks.PAGES]
    text = "".join(user.read_text("utf-8") for user in users)
    for extra in extras:
        assert re.search(rf"\[(\w+,)*{extra}\b", text), extra


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are linked by."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_schedules_are_drawn_as_planned():
    for name, axis in figures.SCHEDULES.items():
        assert (figures.IMAGES / name).read_text("utf-8") == figures.schedule_svg(axis), name


def test_the_plot_of_throughput_is_of_the_measurement_that_is_stated():
    def said(text: str) -> tuple[list[str], int]:
        root = ET.fromstring(text)
        # Another matplotlib places them otherwise, which is no change.
        return [each.text or "" for each in root.iter(f"{{{SVG}}}text")], len(
            list(root.iter(f"{{{SVG}}}use"))
        )

    drawn = figures.throughput_svg()
    assert drawn is not None
    assert said((figures.IMAGES / figures.THROUGHPUT).read_text("utf-8")) == said(drawn)


def test_pictures_are_what_the_golden_model_gives():
    for name, picture in figures.pictures().items():
        assert np.array_equal(figures.read_picture(figures.IMAGES / name), picture), name
    after = pool(PoolSpec("max", 3, 2, 1, dtype="uint8"), figures.photograph())
    assert np.array_equal(figures.pictures()["chelsea-max.png"], np.moveaxis(after, 0, -1))
