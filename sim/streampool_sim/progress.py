"""How far a long run is: a bar where there is a terminal, a line now and then where there is none.

Nothing is said of what ends within two seconds.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Self

QUIET = 2.0
"""Seconds in which nothing is said."""

EVERY = 5.0
"""Seconds from line to line."""

LONG = 20.0
"""Seconds from which on waveforms are worth a word beforehand."""


def time_left(seconds: float) -> str:
    """Return a time in a few letters: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


class Progress:
    """Tells on standard error how far a run is, as long as it is entered.

    `doing` is said before there is a number to tell, and `done` with it; `unit` is what is counted.
    """

    def __init__(
        self, doing: str = "preparing the core", done: str = "simulated", unit: str = ""
    ) -> None:
        self._doing, self._done, self._unit = doing, done, unit
        self._quiet = threading.Timer(QUIET, self._begin)
        self._quiet.daemon = True
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._next = self._start + QUIET
        self._first: tuple[float, int] | None = None
        self._bar: Any = None
        self._task: Any = None
        self._entered = False

    def __enter__(self) -> Self:
        self._entered = True
        self._quiet.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.cancel()
        with self._lock:
            self._entered = False
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _begin(self) -> None:
        """Say what is being done, or begin a bar."""
        with self._lock:
            if not self._entered:
                return
            if _terminal():
                self._bar, self._task = _bar(self._doing, self._unit)
            elif self._first is None:
                print(f"streampool: {self._doing} ...", file=sys.stderr, flush=True)

    def __call__(self, done: int, total: int, /) -> None:
        """Tell that `done` of `total` are done."""
        now = time.monotonic()
        with self._lock:
            first = self._first = self._first or (now, done)
            if self._bar is not None:
                words = {"description": self._done, "completed": done, "total": total}
                self._bar.update(self._task, **words)
            elif done < total and now >= self._next and not _terminal():
                self._next = now + EVERY
                left = ""
                if done > first[1]:
                    seconds = (now - first[0]) / (done - first[1]) * (total - done)
                    left = f"about {time_left(seconds)} left, "
                said = f"streampool: {left}{done / total:.0%} {self._done}"
                print(said, file=sys.stderr, flush=True)

    def step(self, done: int, total: int, text: str, what: str = "") -> None:
        """Tell of a step that is worth the line `text` where there is no terminal.

        Where there is one, `what` stands before the bar.
        """
        if _terminal():
            self._done = what or self._done
            self(done, total)
            return
        self._quiet.cancel()
        print(text, file=sys.stderr, flush=True)


class Estimate:
    """Passes progress on, and tells once how long the waveforms of a long run take.

    `shorter` says whether ``--frames 1`` would simulate less.
    """

    def __init__(
        self, progress: Callable[[int, int], None], tell: Callable[[str], object], *, shorter: bool
    ):
        self._progress, self._tell, self._shorter = progress, tell, shorter
        self._first: tuple[float, int] | None = None
        self._told = False

    def __call__(self, done: int, total: int, /) -> None:
        """Take note of the progress."""
        self._progress(done, total)
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
        start, before = self._first
        if self._told or now - start < QUIET or done == before:
            return
        self._told = True
        left = (now - start) / (done - before) * (total - done)
        if left < LONG:
            return
        text = f"the waveforms take about {time_left(left)} more"
        if self._shorter:
            text += "; use --frames 1 to simulate the first frame alone, once"
        self._tell(text)


def _terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _bar(doing: str, unit: str) -> tuple[Any, Any]:
    """Begin a bar; returns it and its task."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Any) -> Text:
            if not task.speed:
                return Text("")
            return Text(f"{task.speed:,.4g} {unit}/s" if unit else f"{task.speed:,.4g}/s")

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        Rate(""),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    bar.start()
    return bar, bar.add_task(doing, total=None)
