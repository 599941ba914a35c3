"""Pages in headless Chromium, where the machine has one with its driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from selenium import webdriver
from selenium.common.exceptions import SessionNotCreatedException

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")

LACKING = "Chromium and chromedriver open the page in a browser; this machine lacks one of them"
"""Why there may be no browser."""

PHONE = 390
"""Width of a phone's window."""


class NoBrowser(RuntimeError):
    """There is none, or it does not start."""


class Window(NamedTuple):
    """Width and height of a window in CSS pixels, and the scheme that its user has chosen."""

    width: int
    height: int
    scheme: str


@contextmanager
def browsing() -> Iterator[webdriver.Chrome]:
    """Yield a browser that keeps what its console says; raises `NoBrowser`."""
    if BROWSER is None or DRIVER is None:
        raise NoBrowser(LACKING)
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    # The page is our own; as root, as in a container, Chromium runs without its sandbox alone.
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    except SessionNotCreatedException as error:
        raise NoBrowser(f"this machine's browser does not start: {error.msg}") from error
    try:
        yield driver
    finally:
        driver.quit()


def resize(browser: webdriver.Chrome, window: Window) -> None:
    """Give the page the size of a window."""
    sizes = {"width": window.width, "height": window.height, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", sizes | {"mobile": window.width == PHONE}
    )


def choose(browser: webdriver.Chrome, window: Window) -> None:
    """Resize, and choose light or dark."""
    resize(browser, window)
    scheme = {"name": "prefers-color-scheme", "value": window.scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
