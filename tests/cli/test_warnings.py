"""Warnings on the command line: each once, those of threads too."""

import threading
import warnings

import pytest
from commands import Command
from streampool_sim.cli import app


def test_a_thread_s_warning_is_said_once(capsys: pytest.CaptureFixture[str]):
    told = app._warnings_told  # pyright: ignore[reportPrivateUsage]
    with app.streampool.make_context("streampool", ["explain"]), told():
        for _ in range(2):
            thread = threading.Thread(target=lambda: warnings.warn("odd", stacklevel=1))
            thread.start()
            thread.join()
    assert capsys.readouterr().err == "streampool: warning: odd\n"


def test_golden_s_warning_has_the_options_as_they_are_typed(command: Command):
    said = command("explain", "--kernel", 3, "--stride", 2, "--shape", "1x8x8").err
    assert "at the end; use --ceil-mode or padding after" in said
