"""Settings of hypothesis, a browser where there is one, and which tests are left out.

No example has a deadline, since machines differ; in CI the examples are always the same.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # half a second that most tests do not need
    from selenium import webdriver

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the tests that are marked long, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has a target of its own in the Makefile, unless it is asked for."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="module")
def browser() -> Iterator["webdriver.Chrome"]:
    """Return headless Chromium, where the machine has it with its driver."""
    from browsing import NoBrowser, browsing

    with ExitStack() as stack:
        try:
            driver = stack.enter_context(browsing())
        except NoBrowser as error:
            pytest.skip(str(error))
        yield driver
