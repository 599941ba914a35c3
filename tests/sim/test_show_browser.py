"""The page that plays a run in headless Chromium, where the machine has one with its driver."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Window, resize
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from show_pages import WINDOWS, at, opened, press
from show_runs import FRAMES, JOBS, SOME, odd, recorded
from streampool_golden import PoolJob, PoolSpec
from streampool_sim import show
from streampool_sim.show import causes
from streampool_sim.show.stages import runs

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
MINUS, PRIME = "\u2212", "\u2032"

GRID = """
function grid(id) {
  return Array.from(document.querySelectorAll(`#${id} [data-position]`), each =>
    [each.getAttribute("class"), each.nextSibling.textContent.replace("\\u2212", "-")]);
}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("show")
    found = {name: folder / f"{name}.html" for name in JOBS}
    for name, path in found.items():
        path.write_text(show.html(recorded(name)), encoding="utf-8")
    return found


@pytest.mark.parametrize("name", JOBS)
def test_the_output_grid_fills_as_the_core_s_and_golden_s_do(browser, pages, name: str):
    """Step through the whole run by the button, and read the grids in each clock."""
    recording = recorded(name)
    opened(browser, pages[name])
    seen = browser.execute_script(
        GRID
        + """const found = [];
        for (;;) {
          const clock = Number(document.documentElement.dataset.clock);
          found.push([clock, document.querySelector("#out-h").textContent, grid("out"),
            grid("golden"), document.querySelector("#golden .note").textContent]);
          document.querySelector("#forth").click();
          if (Number(document.documentElement.dataset.clock) === clock) return found;
        }"""
    )
    job, out = recording.job, recording.trace.out_cycles
    assert [clock for clock, *_ in seen] == list(range(recording.clocks))
    full = set()
    for clock, title, cells, golden, note in seen:
        given = int(np.searchsorted(out, clock, side="right"))
        leaving = clock in out.tolist()
        frame = min(FRAMES - 1, (given - leaving) // job.beats_out)
        assert title == f"Output frame {frame + 1} of {FRAMES}"
        right = [str(each) for each in recording.golden[frame, 0].ravel()]
        assert [text for _, text in golden] == right
        done = given - frame * job.beats_out  # channel 0 is in the first group of beats
        there = [position * job.fold < done for position in range(len(right))]
        assert [text for _, text in cells] == [
            value if out else "" for value, out in zip(right, there, strict=True)
        ], clock
        assert [kind.startswith("cell in") for kind, _ in cells] == there
        assert note == "What has come out is the same."
        full |= {frame} if all(there) else set()
    assert full == set(range(FRAMES))
    assert browser.get_log("browser") == []


def test_each_clock_says_what_comes_and_leaves_and_why_not(browser, pages):
    recording = recorded("steps")
    found = causes.causes(recording, runs(recording))
    opened(browser, pages["steps"])
    for state, said in (
        (causes.TAKEN, "comes in"),
        (causes.IDLE, "Stall: the source offers no input in this clock."),
        (causes.REFUSED, "Stall: the input is refused: "),
        (causes.ENDED, "All inputs are in."),
    ):
        clock = found.inputs.index(state)
        opened(browser, pages["steps"], clock)
        text = browser.find_element(By.ID, "now").text
        assert said in text, text
        if state == causes.REFUSED:
            assert found.sentences[found.refusals[clock]] in text
    for state, said in (
        (causes.GIVEN, "leaves with"),
        (causes.STALLED, "is offered, but the receiver is not ready."),
        (causes.TAPS, "still waits for its last tap, input 1."),
        (causes.PIPELINE, "and is in the pipeline."),
    ):
        opened(browser, pages["steps"], found.outputs.index(state))
        text = browser.find_element(By.ID, "now").text
        assert said in text, text


def test_stages_show_queue_store_and_drain_of_the_recording(browser, pages):
    recording = recorded("avg")
    [_, rows] = runs(recording)
    step = next(
        n
        for n, (taken, out) in enumerate(zip(rows.taken, rows.leaves, strict=True))
        if taken and out >= 0 and n >= 42 and out < 42
    )  # the second frame's first row: the first frame's last row drains
    opened(browser, pages["avg"], rows.clocks[step])
    panel = browser.find_elements(By.CSS_SELECTOR, ".stage")[1]
    chips = [each.text.split("\n") for each in panel.find_elements(By.CSS_SELECTOR, ".chip")]
    assert chips[0][0] == f"w(5, {rows.leaves[step] % 7})"
    assert chips[0][-1] == f"leaves with {rows.values[0][rows.leaves[step]]}".replace("-", MINUS)
    assert [each[0] for each in chips[1:]] == [f"w({i}, {step % 7}){PRIME}" for i in (0, 1)]
    assert "of the frame before, drains" in panel.find_element(By.CSS_SELECTOR, ".step").text
    said = (
        "Drain: in the rows stage a window of the frame before leaves, while the next frame comes"
    )
    assert said in browser.find_element(By.ID, "now").text
    title = panel.find_element(By.CSS_SELECTOR, ".store-title").text
    assert title.startswith(f"Store: {rows.live[step]} of 14 words in use (limit")
    level = recording.values["core.rows.fifo.level"][rows.clocks[step]]
    assert f"FIFO {level} of 16" in panel.text
    # a word for each partial, with the window that it belongs to
    words = browser.execute_script(
        """return Array.from(document.querySelectorAll(".stage")[1].querySelectorAll(
        ".word.f0 title, .word.f1 title"), each => each.textContent.split(" = ")[0])"""
    )
    assert len(words) == len(set(words)) == rows.live[step]
    counts = browser.find_element(By.ID, "counts").text
    assert f"live partials, rows {rows.live[step]} at most 14 so far; limit 14" in counts


def test_keys_buttons_and_the_slider_move_the_clock(browser, pages):
    recording = recorded("avg")
    found = causes.causes(recording, runs(recording))
    outs = recording.trace.out_cycles.tolist()
    stalled = [
        into in (causes.IDLE, causes.REFUSED) or out == causes.STALLED
        for into, out in zip(found.inputs, found.outputs, strict=True)
    ][: recording.clocks]
    begins = [n for n, each in enumerate(stalled) if each and not (n and stalled[n - 1])]
    opened(browser, pages["avg"])
    assert press(browser, Keys.ARROW_RIGHT) == 1
    assert press(browser, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_LEFT) == 0
    assert press(browser, "o") == outs[0] and press(browser, "o") == outs[1]
    assert press(browser, "O") == outs[0]
    assert press(browser, Keys.HOME) == 0
    assert press(browser, "s") == next(each for each in begins if each > 0)
    assert press(browser, Keys.END) == recording.clocks - 1
    assert press(browser, "S") == begins[-1]
    browser.find_element(By.ID, "back").click()
    assert at(browser) == begins[-1] - 1
    browser.find_element(By.ID, "output").click()
    assert at(browser) == next(each for each in outs if each > begins[-1] - 1)
    browser.execute_script(
        """const at = document.querySelector("#at");
        at.value = 33; at.dispatchEvent(new Event("input"));"""
    )
    assert at(browser) == 33
    press(browser, Keys.HOME, " ")  # plays
    WebDriverWait(browser, 20).until(lambda _: at(browser) > 2)
    press(browser, " ")
    paused = at(browser)
    assert browser.find_element(By.ID, "play").text == "▶ play"
    assert press(browser, Keys.ARROW_RIGHT) == paused + 1
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(("said", "clock"), [("7.9", 7), ("x", 0), ("-3", 0), ("1e9", 137)])
def test_an_address_that_names_no_clock_of_the_run_opens_the_nearest(
    browser, pages, said: str, clock: int
):
    opened(browser, pages["max"], 20)
    browser.execute_script("location.hash = arguments[0]", said)
    WebDriverWait(browser, 20).until(lambda _: at(browser) == clock)
    browser.refresh()
    WebDriverWait(browser, 20).until(lambda _: at(browser) == clock)
    assert browser.get_log("browser") == []


def test_the_space_bar_plays_after_a_click_and_presses_what_the_tab_key_led_to(browser, pages):
    opened(browser, pages["max"])
    browser.find_element(By.ID, "output").click()
    first, second = recorded("max").trace.out_cycles[:2]
    assert at(browser) == first
    press(browser, " ")
    assert browser.find_element(By.ID, "play").text == "❚❚ pause"
    press(browser, " ", Keys.HOME)
    browser.execute_script("document.querySelector('#forth').focus()")
    press(browser, Keys.TAB, " ")
    assert at(browser) == first
    assert press(browser, " ") == second
    assert browser.get_log("browser") == []


def test_a_pointer_shows_taps_and_windows(browser, pages):
    opened(browser, pages["max"], 40)

    def over(frame: str, position: int) -> tuple[list[Any], str]:
        cell = browser.find_element(By.CSS_SELECTOR, f"#{frame} [data-position='{position}']")
        webdriver.ActionChains(browser).move_to_element(cell).perform()
        marks = browser.execute_script(
            """return [document.querySelectorAll("#input .window.hovered").length,
            document.querySelectorAll("#input .tap").length,
            document.querySelectorAll("#out .window.hovered").length]"""
        )
        return marks, browser.find_element(By.CSS_SELECTOR, f"#{frame} .note").text

    [marks, said] = over("out", 5)  # window (1, 1): rows and columns 1 to 3
    assert marks == [1, 9, 1]
    took, left = (recorded("max").trace.in_cycles[3 * 8 + 3], recorded("max").trace.out_cycles[5])
    assert said == (
        f"Window (1, 1) leaves in clock {left}. It has 9 taps; the last is input (3, 3), "
        f"in clock {took}."
    )
    [marks, said] = over("out", 0)  # at the corner: four real taps
    assert marks == [1, 4, 1]
    [marks, said] = over("input", 3 * 8 + 3)
    assert marks == [4, 4, 4]
    assert "Taken by 4 windows: (1, 1), (1, 2), (2, 1), (2, 2)." in said
    browser.find_element(By.CSS_SELECTOR, "#out [data-position='5']").click()
    assert at(browser) == left
    assert browser.get_log("browser") == []


WINDOWS_OF = {
    "uneven": PoolSpec("max", adaptive=(5, 4)),
    "dilated past the border": PoolSpec("max", 3, 1, 1, 2, indices="plane"),
    "cropped": PoolSpec("max", 3, 2, ((-2, 1), (1, -1))),
    "ceil": PoolSpec("avg", 3, (2, 3), 1, 1, True),
}


@pytest.mark.parametrize("name", WINDOWS_OF)
def test_windows_are_those_of_golden(browser, tmp_path: Path, name: str):
    """Which windows take an input, which taps a window has, and how far its outline reaches."""
    job = PoolJob(WINDOWS_OF[name], (1, 7, 19), 1)
    x = np.random.default_rng(1).integers(-9, 9, (1, *job.shape)).astype(np.int8)
    path = tmp_path / "windows.html"
    path.write_text(show.html(show.record(job, x, count=1, clocks=999)), encoding="utf-8")
    opened(browser, path)
    axes = browser.execute_async_script(
        """const done = arguments[0];
        unpacked(document.querySelector("#data").textContent).then(data => done(data.axes.map(
          axis => [Array.from({length: axis.length}, (_, at) => windowsOf(axis, at)),
            Array.from({length: axis.outputs}, (_, i) => tapsOf(axis, i)),
            Array.from({length: axis.outputs}, (_, i) => reachOf(axis, i))])));"""
    )
    for axis, (takers, taps, reach) in zip(job.axes, axes, strict=True):
        real = [list(axis.taps(i)) for i in range(axis.outputs)]
        assert taps == real
        assert takers == [
            [i for i, each in enumerate(real) if at in each] for at in range(axis.length)
        ]
        for (start, end), each in zip(reach, real, strict=True):
            inside = range(max(0, start), min(axis.length - 1, end) + 1)
            assert each[0] in inside and each[-1] in inside
            assert end - start <= axis.span - 1


def test_indices_are_shown_beside_golden_s(browser, tmp_path: Path):
    job = PoolJob(PoolSpec("max", 2, indices="plane"), (1, 4, 6), 1)
    x = np.random.default_rng(1).integers(-9, 9, (2, *job.shape)).astype(np.int8)
    recording = show.record(job, x, count=2, clocks=999)
    path = tmp_path / "indices.html"
    path.write_text(show.html(recording), encoding="utf-8")
    assert recording.indices is not None
    for n in (4, 10):  # of either frame
        opened(browser, path, int(recording.trace.out_cycles[n]))
        index = recording.indices.ravel()[n]
        assert f", index {index}." in browser.find_element(By.ID, "now").text
        cell = browser.find_element(By.CSS_SELECTOR, "#out [data-position='4']")
        webdriver.ActionChains(browser).move_to_element(cell).perform()
        assert f", with index {index}. It has 4 taps" in browser.find_element(By.ID, "out").text
        golden = browser.find_element(By.CSS_SELECTOR, "#golden .note").text
        assert golden == "What has come out is the same, indices too."
    assert "its index" in browser.find_element(By.ID, "waves").text


def test_an_index_that_differs_is_crossed_out(browser, tmp_path: Path):
    job = PoolJob(PoolSpec("max", 2, indices="plane"), (1, 4, 6), 1)
    recording = show.record(job, np.zeros((1, *job.shape), np.int8), count=1, clocks=999)
    assert recording.indices is not None
    recording.indices[0, 0, 1, 1] += 1
    path = tmp_path / "wrong.html"
    path.write_text(show.html(recording), encoding="utf-8")
    opened(browser, path, recording.clocks - 1)
    said = browser.find_element(By.CSS_SELECTOR, "#golden .note").text
    assert said == "1 value DIFFERS, crossed out here."
    wrong = browser.find_elements(By.CSS_SELECTOR, "#golden .wrong")
    assert [each.get_attribute("data-position") for each in wrong] == ["4"]


@pytest.mark.parametrize("name", SOME)
def test_odd_jobs_are_drawn(browser, tmp_path: Path, name: str):
    """Whatever the axes, pipelines and values are, the page shows every clock."""
    recording = odd(name, 0.6)
    path = tmp_path / "odd.html"
    path.write_text(show.html(recording), encoding="utf-8")
    opened(browser, path)
    browser.execute_script(
        """document.querySelector("#registers").open = true;
        for (let k = 0; k < 40; k++) document.querySelector("#forth").click();
        document.querySelector("#output").click();"""
    )
    outs = recording.trace.out_cycles
    assert at(browser) == next(clock for clock in outs if clock > 40)
    assert press(browser, Keys.END) == recording.clocks - 1
    assert browser.find_element(By.ID, "now").text == "All inputs are in.\nAll outputs are out."
    cells = browser.execute_script(GRID + "return grid('out').map(each => each[1])")
    shown = browser.execute_script(GRID + "return grid('golden').map(each => each[1])")
    assert cells == shown and all(cells) and len(cells) == recording.golden[0, 0].size
    assert browser.get_log("browser") == []


def test_a_part_of_a_large_map_is_drawn(browser, tmp_path: Path):
    job = PoolJob(PoolSpec("max", 2), (1, 90, 70), 1)
    x = np.random.default_rng(1).integers(-9, 9, (1, *job.shape)).astype(np.int8)
    path = tmp_path / "large.html"
    recording = show.record(job, x, count=1, clocks=2200)
    path.write_text(show.html(recording, 2000, 2200), encoding="utf-8")
    opened(browser, path, 2100)
    positions = browser.execute_script(
        """return Array.from(document.querySelectorAll("#input [data-position]"),
        each => Number(each.dataset.position))"""
    )
    now = browser.execute_script(
        "return Number(document.querySelector('#input .now').dataset.position)"
    )
    assert now == int(np.searchsorted(recording.trace.in_cycles, 2100)) in positions
    assert len(positions) < 90 * 70 and positions[0] % 70 == 0
    assert "What has come out is the same." in browser.find_element(By.ID, "golden").text
    assert browser.get_log("browser") == []


def test_registers_have_their_names_and_values(browser, pages):
    recording = recorded("max")
    opened(browser, pages["max"], 31)
    rows = browser.execute_script(
        """document.querySelector("#registers").open = true;
        return new Promise(done => setTimeout(() => done(Array.from(
          document.querySelectorAll("#registers tbody tr"),
          row => Array.from(row.cells, each => each.textContent))), 200));"""
    )
    assert {row[0] for row in rows} == recording.names.keys() - {"cycle"}
    for path, plain, bits, value in rows:
        assert plain == recording.names[path].plain and int(bits) == recording.bits[path]
        assert int(value.split(" = ")[0], 0) == recording.values[path][31], path


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
@pytest.mark.parametrize("name", JOBS)
def test_it_fits_the_window_and_a_screenshot_is_kept(browser, pages, name: str, window: Window):
    opened(browser, pages[name], 50, window)
    scroll, width = browser.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    assert scroll <= width == window.width
    labels = browser.execute_script(
        """return Array.from(document.querySelectorAll("[role=img]"), each =>
        each.getAttribute("aria-label") ?? "")"""
    )
    assert len(labels) > 8 and all(len(each) > 10 for each in labels)
    squares = browser.execute_script(
        """return Array.from(document.querySelectorAll(".stage rect.word, .cell, #waves .beat"),
        each => each.getClientRects().length ? each.getBoundingClientRect().width : 0)"""
    )
    assert len(squares) > 60 and min(squares) > 8
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    dark = sum(int(part) for part in ground.strip("rgb()").split(",")) < 384
    assert dark == (window.scheme == "dark")
    height = browser.execute_script("return document.documentElement.scrollHeight")
    resize(browser, window._replace(height=height))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    target = SCREENSHOTS / f"show-{name}-{window.width}-{window.scheme}.png"
    target.unlink(missing_ok=True)
    assert browser.save_screenshot(target)
    assert target.stat().st_size > 10_000
    assert browser.get_log("browser") == []
