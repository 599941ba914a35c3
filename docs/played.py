"""Scenes of how-it-works.md: ``python docs/played.py`` takes their pictures.

A scene is a clock of a recorded run. Which one, and what is said of it, is found in the recording;
the pictures are of the page of `streampool show`, and need Chromium and selenium.
"""

import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import blocks
import numpy as np
from streampool_golden import PoolJob, PoolSpec
from streampool_sim import show
from streampool_sim.show import causes
from streampool_sim.show.stages import runs

IMAGES = blocks.ROOT / "docs" / "images"

MAX = PoolJob(PoolSpec("max", 3, 2, 1), (1, 8, 8), 1)
AVG = PoolJob(PoolSpec("avg", 3, 1, 1, count_include_pad=False), (1, 6, 7), 1)
SUM = PoolJob(PoolSpec("sum", 3, 1, 1, ndim=1), (1, 60), 1)

FRAMES = 2
WIDE = 1000
"""The window's width in pixels."""


@dataclass(frozen=True)
class Scene:
    """A clock of a run, and what is to be seen in it.

    Attributes
    ----------
    job, stall
        The run.
    clock : int
        The clock.
    selector : str
        The part of the page.
    alternative, caption : str
        What the picture shows, and what is said of it.
    """

    job: PoolJob
    stall: float
    clock: int
    selector: str
    alternative: str
    caption: str


@cache
def recorded(job: PoolJob, stall: float = 0.0) -> show.Recording:
    """Return a run of random frames."""
    frames = np.random.default_rng(0).integers(0, 100, (FRAMES, *job.shape)).astype(np.int8)
    return show.record(job, frames, count=FRAMES, clocks=2000, stall=stall, seed=1)


def windows() -> Scene:
    """Return an input that four windows take."""
    recording = recorded(MAX)
    clock = int(recording.trace.in_cycles[3 * 8 + 3])
    value = recording.frames[0, 0, 3, 3]
    return Scene(
        *(MAX, 0.0, clock, "#input"),
        "an 8 x 8 grid of values, half of them in; four outlined windows share the one that is new",
        f"Clock {clock}: the value {value} of row 3, column 3 comes in (counted from 0). It is a"
        " tap of four windows, which are outlined. What is below it has not come in yet. The dashed"
        " border is padding.",
    )


def store() -> Scene:
    """Return the clock in which the rows' store is full for the first time."""
    recording = recorded(MAX)
    rows = runs(recording)[-1]
    step = rows.live.index(rows.stage.store_words)
    return Scene(
        *(MAX, 0.0, rows.clocks[step], ".stage:last-child"),
        "the rows stage: a store of 4 words, all in use, above a line buffer of 16 words",
        f"Clock {rows.clocks[step]}: all {rows.live[step]} words of the rows' store are in use, one"
        f" for each of the {rows.shape.m} windows of a row. Below, to the same scale, is what a"
        " line buffer would have in their place.",
    )


def drain() -> Scene:
    """Return a step of the second frame in which a window of the first leaves."""
    recording = recorded(AVG)
    rows = runs(recording)[-1]
    whole = len(rows.leaves) // FRAMES
    step = next(
        n
        for n, (taken, out) in enumerate(zip(rows.taken, rows.leaves, strict=True))
        if taken and n >= whole and out >= 0
    )
    row, column = divmod(rows.leaves[step], rows.shape.m)
    return Scene(
        *(AVG, 0.0, rows.clocks[step], ".stage:nth-of-type(2)"),
        "the rows stage takes a value of the second frame in, and a window of the first one leaves",
        f"Clock {rows.clocks[step]}: the first row of the second frame comes in (marked with a"
        f" prime), and window ({row}, {column}) of the first frame leaves in the same step. It had"
        " all its taps before, but another window left in that step.",
    )


def stalled() -> Scene:
    """Return a clock in which the core refuses an input."""
    recording = recorded(SUM, 0.6)
    found = causes.causes(recording, runs(recording))
    clock = found.inputs.index(causes.REFUSED)
    return Scene(
        *(SUM, 0.6, clock, "#waves"),
        "the signals of both sides around a clock in which the input is valid and not ready",
        f"Clock {clock}: the input is valid and the core is not ready:"
        f" {found.sentences[found.refusals[clock]]}. Clocks with a stall have orange numbers.",
    )


SCENES: dict[str, Callable[[], Scene]] = {
    "played-windows": windows,
    "played-store": store,
    "played-drain": drain,
    "played-stalled": stalled,
}
"""By the names of the pictures, and of the blocks that show them."""


def block(name: str) -> str:
    """Return a scene's block: the picture, and what is said of it."""
    scene = SCENES[name]()
    said = textwrap.fill(scene.caption, 110)
    return f"![{scene.alternative}](images/{name}.png)\n\n{said}\n"


def take(names: Sequence[str] = tuple(SCENES)) -> list[Path]:
    """Take pictures; returns their files."""
    from browsing import Window, browsing, choose
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    taken = []
    with browsing() as browser, tempfile.TemporaryDirectory() as folder:
        choose(browser, Window(WIDE, 900, "light"))
        for name in names:
            scene = SCENES[name]()
            page = Path(folder) / f"{name}.html"
            page.write_text(show.html(recorded(scene.job, scene.stall)), encoding="utf-8")
            browser.get(f"{page.as_uri()}#{scene.clock}")
            WebDriverWait(browser, 30).until(
                lambda driver, clock=scene.clock: (
                    driver.execute_script("return document.documentElement.dataset.clock")
                    == str(clock)
                )
            )
            part = browser.find_element(By.CSS_SELECTOR, scene.selector)
            (IMAGES / f"{name}.png").write_bytes(part.screenshot_as_png)
            taken.append(IMAGES / f"{name}.png")
    return taken


def main() -> int:
    """Take all pictures; without a browser they stay as they are."""
    try:
        from browsing import NoBrowser
    except ImportError as error:
        print(f"without {error.name} the pictures of a run stay as they are", file=sys.stderr)
        return 0
    try:
        for path in take():
            print(path.relative_to(blocks.ROOT))
    except NoBrowser as error:
        print(f"the pictures of a run stay as they are: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
