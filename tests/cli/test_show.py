"""`streampool show`: what is written, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from commands import Command
from PIL import Image
from streampool_sim import show
from streampool_sim.show import document


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say nothing of progress, however slow the machine is."""
    monkeypatch.setattr("streampool_sim.progress.QUIET", 3600.0)


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record at most 200 clocks."""
    monkeypatch.setattr(show, "MOST_CLOCKS", 200)


def test_a_page_of_random_values(command: Command, folder: Path):
    done = command("show", "--kernel", "2", "--shape", "2x4x6", "--stall", "0.3", "--seed", "3")
    assert (done.status, done.err) == (0, "")
    text = (folder / "show.html").read_text("utf-8")
    assert done.out.startswith("show.html: ")
    assert done.out.endswith(
        f" clocks of max 2x2, stride 2x2 on 2x4x6 int8, {len(text.encode()):,} bytes\n"
    )
    assert "<h1>max 2x2, stride 2x2 on 2x4x6 int8</h1>" in text
    assert "2 frames of 2x4x6 int8" in text and "equals the golden model bit for bit" in text
    again = command("show", "--kernel", "2", "--shape", "2x4x6", "--stall", "0.3", "--seed", "3")
    assert again.out == done.out and (folder / "show.html").read_text("utf-8") == text


@pytest.mark.parametrize(
    "words",
    [
        "--op avg --kernel global --dtype float16 --shape 3x2x2 --lanes 2",
        "--kernel 2 --shape 1x2x4x4 --index-base plane",
        "--op l2 --kernel 2 --stride 1 --shape 2x9 --frames 1",
        "--kernel 1 --shape 1x3x3",
    ],
)
def test_whatever_is_pooled_is_shown(command: Command, folder: Path, words: str):
    done = command("show", *words.split(), "-o", "page.htm")
    assert (done.status, done.err) == (0, "")
    assert [path.name for path in folder.iterdir()] == ["page.htm"]


def test_a_picture_and_an_array(command: Command, folder: Path, monkeypatch):
    recorded = []
    record = show.record

    def noted(job, frames, **how):
        recorded.append((job, frames, how["count"]))
        return record(job, frames, **how)

    monkeypatch.setattr(show, "record", noted)
    colours = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    Image.fromarray(colours).save(folder / "x.png")
    np.save(folder / "x.npy", np.arange(2 * 8 * 3, dtype=np.int16).reshape(2, 8, 3))
    assert command("show", "x.png", "--kernel", "2x3").status == 0
    done = command("show", "x.npy", "--layout", "NWC", "--kernel", "2", "--lanes", "3")
    assert (done.status, done.err) == (0, "")
    (job, frames, count), (other, steps, _) = recorded
    assert (job.shape, str(job.input), count) == ((3, 5, 6), "uint8", 2)
    assert np.array_equal(frames[0], np.moveaxis(colours, -1, 0))
    assert (other.shape, str(other.input)) == ((3, 8), "int16")
    assert steps[1, 2].tolist() == list(range(26, 48, 3))


@pytest.mark.usefixtures("fewer")
def test_a_part_of_a_long_run(command: Command, folder: Path):
    done = command("show", "--shape", "1x40x40", "--clocks", "50:130")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("show.html: 80 clocks of ")
    done = command("show", "--kernel", "2", "--shape", "1x4x4", "--clocks", "20:200")
    assert done.out.startswith("show.html: 26 clocks of ")  # that is all there are


@pytest.mark.usefixtures("fewer")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--shape 1x40x40",
            "the run has more than 200 clocks; use --clocks 0:200 at most, or fewer or smaller "
            "frames",
        ),
        (
            "--clocks 0:201",
            "--clocks 0:201 ends after clock 200, the last that is recorded; use 0:200 at most",
        ),
        (
            "--shape 1x2x2 --clocks 100:200",
            "--clocks 100:200 begins after the run, which has 22 clocks; use A below that",
        ),
        (
            "--kernel 2 --shape 1x9x10 --stall 0.2",
            "the run has more than 200 clocks; use --clocks 0:200",
        ),
        ("--clocks 9:9", "--clocks 9:9 has no clock in it; use A:B with A below B"),
        ("--clocks 9", "--clocks '9' is no range of clocks; use A:B such as 0:2000"),
        ("-o page.png", "--output page.png would be a page; use a name such as show.html"),
        ("-o none/x.html", "the folder none of x.html is not there"),
        ("--layout NHWC", "--layout NHWC is for .npy files; use INPUT, or leave it out"),
        ("none.png", "none.png is not there"),
        ("--op unpool", "--op 'unpool' is not known; use one of max, min"),
        ("--shape 1x4x4 --kernel 9", "kernel 9 gives no output on 4 padded rows"),
        ("--lanes 2", "--lanes 2 is more than the channels; use 1 at most"),
    ],
)
def test_what_cannot_be_shown_is_refused(refused: Command, words: str, said: str):
    assert said in refused("show", *words.split()).err


@pytest.mark.usefixtures("fewer")
def test_an_overlong_run_is_refused_before_it_is_recorded(refused: Command, monkeypatch):
    monkeypatch.setattr(show, "record", None)
    said = refused("show", "--shape", "1x3000x4000", "--frames", "1", "--stall", "0.9").err
    assert "the run has more than 200 clocks" in said


def test_a_shape_beside_an_input_is_refused(command: Command, folder: Path):
    np.save(folder / "x.npy", np.zeros((4, 4), np.int8))
    done = command("show", "x.npy", "--shape", "1x4x4")
    assert done.status == 2
    assert "--shape 1x4x4 has no meaning with x.npy, which has its own; leave it out" in done.err


def test_bytes_that_do_not_fit_are_refused_with_what_does(refused: Command, command, monkeypatch):
    monkeypatch.setattr(document, "MOST_BYTES", 76_000)
    words = ("show", "--kernel", "2", "--shape", "1x20x20")
    said = refused(*words).err
    assert " has more than 76,000 bytes; use --clocks 0:" in said
    fits = said.partition("--clocks 0:")[2].partition(",")[0]
    assert command(*words, "--clocks", f"0:{fits}").status == 0


def test_a_wrong_core_is_shown_and_said(command: Command, folder: Path, monkeypatch):
    record = show.record

    def spoilt(*args, **how):
        recording = record(*args, **how)
        recording.golden[0, 0, 0, 0] += 1
        return recording

    monkeypatch.setattr(show, "record", spoilt)
    done = command("show", "--shape", "1x4x4")
    assert done.status == 1
    assert "show.html: what came out DIFFERS from the golden model" in done.out
    assert "DIFFERS from the golden model" in (folder / "show.html").read_text("utf-8")
