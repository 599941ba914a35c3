"""How far a run is: bars on a terminal, lines elsewhere, nothing of what is soon done."""

import os
import pty
import re
import sys
import time

import pytest
from streampool_sim import progress
from streampool_sim.progress import Progress, time_left


@pytest.fixture
def at_once(monkeypatch):
    """Say at once what is else said after a while."""
    monkeypatch.setattr(progress, "QUIET", 0.05)
    monkeypatch.setattr(progress, "EVERY", 0.01)


def work(steps: int = 10) -> None:
    with Progress("making it", "made", "cores") as tell:
        time.sleep(0.3)
        for done in range(steps + 1):
            tell(done, steps)
            time.sleep(0.02)


def test_nothing_is_said_of_what_is_soon_done(capsys):
    work()
    assert capsys.readouterr() == ("", "")


def test_lines_where_there_is_no_terminal(at_once, capsys):
    work()
    out, err = capsys.readouterr()
    assert out == ""
    first, *lines = err.splitlines()
    assert first == "streampool: making it ..."
    assert lines[0] == "streampool: 0% made"
    assert all(re.fullmatch(r"streampool: about 0 s left, \d+% made", line) for line in lines[1:])
    assert len(lines) > 5 and "\x1b" not in err


def test_a_bar_with_rate_and_time_left_on_a_terminal(at_once, monkeypatch):
    main, terminal = pty.openpty()
    with open(terminal, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("TERM", "xterm")
        work(40)
        monkeypatch.undo()
    said = b""
    try:
        while part := os.read(main, 1 << 16):
            said += part
    except OSError:  # the end of a terminal
        pass
    os.close(main)
    text = said.decode()
    assert "making it" in text and "made" in text
    assert re.search(r"\d+%", text) and "cores/s" in text and re.search(r"\d\d:\d\d", text)
    assert "streampool:" not in text


def test_steps_have_lines_of_their_own(at_once, capsys):
    with Progress() as tell:
        for done in (1, 2):
            tell.step(done, 2, f"layer {done} of 2")
    assert capsys.readouterr().err == "layer 1 of 2\nlayer 2 of 2\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.2, "3 s"), (99, "99 s"), (150, "2 min"), (9000, "2.5 h")]
)
def test_times_in_a_few_letters(seconds: float, words: str):
    assert time_left(seconds) == words
