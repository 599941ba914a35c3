"""Pages of ``streampool show`` in a browser: opened at a clock, and moved by keys."""

from pathlib import Path

from browsing import PHONE, Window, choose
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

WINDOWS = {
    "phone": Window(PHONE, 844, "dark"),
    "desk": Window(1600, 1000, "light"),
    "desk in the dark": Window(1600, 1000, "dark"),
}


def opened(
    browser: webdriver.Chrome, path: Path, clock: int = 0, window: Window = WINDOWS["desk"]
) -> webdriver.Chrome:
    """Open a page at a clock, and make sure that it has nothing to complain of."""
    choose(browser, window)
    browser.get("about:blank")
    browser.get(f"{path.as_uri()}#{clock}")
    WebDriverWait(browser, 30).until(lambda _: at(browser) == clock)
    return browser


def at(browser: webdriver.Chrome) -> int:
    """Return the clock that is shown."""
    return int(browser.execute_script("return document.documentElement.dataset.clock ?? -1"))


def press(browser: webdriver.Chrome, *keys: str) -> int:
    webdriver.ActionChains(browser).send_keys(*keys).perform()
    return at(browser)
