"""What is said of the machine: above all whether other programs ran beside a measurement."""

import subprocess
import sys
import time

import pytest
from streampool_bench.report.report import _load
from streampool_bench.software import machine

SPIN = "import time; e = time.monotonic() + 60\nwhile time.monotonic() < e: pass"


def _spin(seconds: float) -> None:
    """Keep a processor busy, by this process' own clock."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_another_program_is_seen():
    pytest.importorskip("psutil")
    with subprocess.Popen([sys.executable, "-c", SPIN]) as other:
        with machine.watched() as watch:
            # until it has surely had time; its start and this wait are not its work
            time.sleep(3)
        other.kill()
    assert watch.others is not None
    assert watch.others > 0.3
    assert watch.seconds > 2.9


def test_own_work_is_not_others(monkeypatch):
    busy, own = iter([100.0, 104.0]), iter([10.0, 13.5])
    monkeypatch.setattr(machine, "_busy", lambda: next(busy))
    monkeypatch.setattr(machine, "_own", lambda: next(own))
    with machine.watched() as watch:
        pass
    assert watch.others == 0.5


def test_own_work_is_counted():
    before = machine._own()
    _spin(0.3)
    assert machine._own() - before >= 0.25


def test_nothing_tells(monkeypatch):
    monkeypatch.setattr(machine, "psutil", None)
    with machine.watched() as watch:
        pass
    assert watch.others is None


def test_the_load_is_of_all_that_was_measured():
    some = [machine.Watch(10.0, 5.0), machine.Watch(30.0, 1.0)]
    assert _load(some) == 0.15
    assert _load([*some, machine.Watch(1.0)]) is None
    assert _load([]) is None
