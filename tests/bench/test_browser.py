"""The page in headless Chromium, where the machine has one with its driver."""

from pathlib import Path
from typing import Any

import page_reader
import pytest
from bench_results import all_layers, few_layers
from browsing import PHONE, Window, choose, resize
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from streampool_bench.page import html, waveform

ROOT = Path(__file__).parents[2]
RESULTS = few_layers()
SCREENSHOTS = ROOT / "build" / "screenshots"


WINDOWS = {"phone": Window(PHONE, 844, "dark"), "desk": Window(1280, 900, "light")}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "bench.html"
    path.write_text(html(RESULTS), encoding="utf-8")
    return path


@pytest.fixture(params=WINDOWS.values(), ids=list(WINDOWS))
def window(request: pytest.FixtureRequest) -> Window:
    return request.param


@pytest.fixture
def opened(browser: webdriver.Chrome, file: Path, window: Window) -> webdriver.Chrome:
    """Return the browser with the page open in a window."""
    choose(browser, window)
    browser.get(file.as_uri())
    return browser


def test_numbers_can_be_read_off_the_page(opened: webdriver.Chrome):
    shown = opened.execute_script(
        """for (const each of document.querySelectorAll("details")) each.open = true;
        const found = [];
        for (const table of document.querySelectorAll("table[data-path]")) {
          let at = -1;
          for (const row of table.tBodies[0].rows) {
            at = row.dataset.row === undefined ? at + 1 : Number(row.dataset.row);
            const heads = Array.from(table.tHead.rows[0].cells).slice(-row.cells.length);
            for (const [n, cell] of Array.from(row.cells).entries())
              if (heads[n].dataset.key && cell.innerText != "\u2013")
                found.push([`${table.dataset.path}.${at}`, heads[n].dataset.key,
                  heads[n].dataset.unit || "", cell.innerText, cell.getClientRects().length > 0]);
          }
        }
        return found;"""
    )
    assert len(shown) > 1000
    for row, key, unit, text, visible in shown:
        several = key.endswith(".*")
        for place, part in page_reader.parts(text).items() if several else [("", text)]:
            path = f"{row}.{key.removesuffix('.*')}{place}"
            value: Any = RESULTS
            for name in path.split("."):
                value = value[int(name) if isinstance(value, list) else name]
            assert visible, path
            amount = page_reader.amount(f"{part} {unit}".strip())
            assert amount == pytest.approx(value, rel=0.0051, abs=1e-12), path


def test_nothing_scrolls_sideways_and_the_console_is_empty(
    opened: webdriver.Chrome, window: Window
):
    for opening in ("false", "true"):
        opened.execute_script(
            f"for (const each of document.querySelectorAll('details')) each.open = {opening};"
        )
        scroll, width = opened.execute_script(
            "return [document.documentElement.scrollWidth, innerWidth]"
        )
        assert scroll <= width == window.width
    assert opened.get_log("browser") == []


def test_the_plot_for_the_window_s_width_is_seen(opened: webdriver.Chrome, window: Window):
    boxes = opened.execute_script(
        """return Array.from(document.querySelectorAll("figure > .wide, figure > .narrow"),
        each => [each.className, each.getBoundingClientRect().width]);"""
    )
    seen = {kind for kind, width in boxes if width > 0}
    assert seen == {"narrow" if window.width == WINDOWS["phone"].width else "wide"}
    sizes = opened.execute_script(
        """return Array.from(document.querySelectorAll("figure svg text"),
        each => each.getBoundingClientRect().height).filter(height => height > 0);"""
    )
    assert len(sizes) > 50
    assert min(sizes) > 9  # pixels: as small as it may get on a phone


def test_the_scheme_is_the_user_s(opened: webdriver.Chrome, window: Window):
    ground, ink = opened.execute_script(
        """const style = getComputedStyle(document.body);
        const label = document.querySelector("figure svg text");
        return [style.backgroundColor, getComputedStyle(label).fill];"""
    )

    def dark(colour: str) -> bool:
        return sum(int(part) for part in colour.strip("rgb()").split(",")) < 384

    is_dark = window.scheme == "dark"
    assert dark(ground) == is_dark
    assert dark(ink) != is_dark


def test_keys_alone_reach_what_there_is(opened: webdriver.Chrome):
    def focused() -> Any:
        return opened.switch_to.active_element

    def press(key: str) -> None:
        webdriver.ActionChains(opened).send_keys(key).perform()

    press(Keys.TAB)
    assert focused().text == "To the content"
    press(Keys.ENTER)
    assert opened.execute_script("return document.activeElement.id") == "main"
    for _ in range(30):
        press(Keys.TAB)
        if focused().tag_name == "summary":
            break
    outline = focused().value_of_css_property("outline-style")
    assert (focused().tag_name, outline) == ("summary", "solid")
    press(Keys.ENTER)
    assert focused().find_element(By.XPATH, "..").get_attribute("open")


def test_the_timing_diagram_shows_all_outputs(opened: webdriver.Chrome, window: Window):
    [labels] = opened.execute_script(
        """return Array.from(document.querySelectorAll(".wave svg"))
        .filter(each => each.getClientRects().length > 0)
        .map(drawing => Array.from(drawing.querySelectorAll("text"), each => {
          const box = each.getBoundingClientRect();
          return [each.textContent, box.left, box.right, box.height]; }));"""
    )
    outs = [str(row["out"]) for row in waveform.diagram().rows if row["out"] is not None]
    seen = [text for text, left, right, _ in labels if left >= 0 and right <= window.width]
    assert len(seen) == len(labels)
    assert set(outs) <= set(seen) and len(outs) == 4
    assert min(height for *_, height in labels) > 9


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "all.html"
    path.write_text(html(all_layers()), encoding="utf-8")
    return path


def test_the_main_table_shows_all_columns_on_a_desk(browser: webdriver.Chrome, whole: Path):
    resize(browser, WINDOWS["desk"])
    browser.get(whole.as_uri())
    width, room, columns = browser.execute_script(
        """const table = document.querySelector("#table-summary");
        return [table.scrollWidth, table.parentElement.clientWidth,
          table.tHead.rows[0].cells.length];"""
    )
    assert columns >= 15
    assert width <= room


def test_the_page_of_every_layer_fits_a_phone(browser: webdriver.Chrome, whole: Path):
    path = whole
    resize(browser, WINDOWS["phone"])
    browser.get(path.as_uri())
    WebDriverWait(browser, 60).until(
        lambda each: (
            each.execute_script("return document.readyState") == "complete"
            and each.current_url == path.as_uri()
        )
    )
    scroll, width, rows = browser.execute_script(
        """for (const each of document.querySelectorAll("details")) each.open = true;
        return [document.documentElement.scrollWidth, innerWidth,
          document.querySelectorAll("tr").length];"""
    )
    assert scroll <= width == WINDOWS["phone"].width
    assert rows > len(all_layers()["software"])
    assert browser.get_log("browser") == []


def test_a_screenshot_is_kept(opened: webdriver.Chrome, window: Window):
    height = opened.execute_script("return document.documentElement.scrollHeight")
    resize(opened, window._replace(height=height))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    target = SCREENSHOTS / f"bench-{window.width}-{window.scheme}.png"
    target.unlink(missing_ok=True)
    assert opened.save_screenshot(target)
    assert target.stat().st_size > 10_000
