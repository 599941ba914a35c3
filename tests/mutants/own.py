"""The tests of its own that a group of source mutants goes through, by pytest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .limits import begin
from .sources import ROOT

TESTS: dict[str, tuple[str, ...]] = {
    "schedule": ("hw/test_schedule.py", "hw/test_column_schedule.py", "hw/test_uneven.py"),
    "stage": ("hw/test_reductions.py", "hw/test_parts.py"),
    "sequencer": ("hw/test_parts.py",),
    "finishing": ("hw/test_blocks.py", "hw/test_division.py"),
    "golden": ("golden",),
}
"""Of each group, in tests/."""
SLOW = ("test_conformance.py",)
"""What takes too long of that, and is about other things."""
NEAR = {
    **{"accumulator": "uneven", "columns": "column", "graph": "column", "geometry": "naive"},
    **{"plan": "test_schedule", "program": "test_schedule", "rounding": "naive"},
}
"""What the tests of a module have in their names, where that is not the module's own name."""
MOST = 30
"""Seconds of the processor after which a test counts as one that does not end."""


class _First:
    """Keeps the first test that fails; those of a module go first, and last what draws examples."""

    fault = ""

    def __init__(self, near: str):
        self._near = near

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        def late(item: pytest.Item) -> tuple[bool, bool]:
            draws = hasattr(getattr(item, "function", None), "hypothesis")
            return self._near not in item.path.name, draws

        items.sort(key=late)

    def pytest_runtest_logstart(self) -> None:
        begin(MOST)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.fault:
            self.fault = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.fault:
            self.fault = f"{report.nodeid} cannot be collected"


def files(group: str) -> list[Path]:
    """Return a group's tests."""
    found = []
    for path in (ROOT / "tests" / path for path in TESTS[group]):
        found += [path] if path.suffix else sorted(path.glob("test_*.py"))
    return [path for path in found if path.name not in SLOW]


def wrong(group: str, module: str) -> Iterator[str]:
    """Run a group's tests, those of a module first, until one fails; yield that."""
    first = _First(NEAR.get(module, module))
    options = ["-x", "-q", "-p", "no:cacheprovider", "--capture=fd", f"--rootdir={ROOT}"]
    status = pytest.main([*options, *map(str, files(group))], [first])
    if status:
        yield first.fault or f"pytest ends with {status}"
