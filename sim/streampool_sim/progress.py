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


class Pace:
    """How fast something goes since it was first looked at."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int) -> tuple[float, float]:
        """Return the seconds since then, and how much was done per second."""
        now = time.monotonic()
        start, before = self._first = self._first or (now, done)
        return now - start, (done - before) / (now - start) if now > start else 0.0


class Progress:
    """Tells on standard error how far a run is, as long as it is entered.

    Before there is a number to tell, it says what it is `doing`, then how much is `done`; a bar
    tells the rate, too, in a `unit`.
    """

    def __init__(
        self, doing: str = "preparing the core", done: str = "simulated", unit: str = ""
    ) -> None:
        self._doing, self._done, self._unit = doing, done, unit
        self._quiet = threading.Timer(QUIET, self._begin)
        self._quiet.daemon = True
        self._lock = threading.Lock()
        self._next = time.monotonic() + QUIET
        self._pace = Pace()
        self._told = self._entered = False
        self._bar: Any = None

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
                self._bar = _bar(self._doing)
            elif not self._told:
                print(f"streampool: {self._doing} ...", file=sys.stderr, flush=True)

    def __call__(self, done: int, total: int, /) -> None:
        """Tell that `done` of `total` are done."""
        with self._lock:
            self._told, (_, rate) = True, self._pace(done)
            if self._bar is not None:
                self._bar.update(
                    self._bar.task_ids[0],
                    description=self._done,
                    completed=done,
                    total=total,
                    rate=f"{rate:,.4g} {self._unit}".rstrip() + "/s",
                )
            elif done < total and time.monotonic() >= self._next and not _terminal():
                self._next = time.monotonic() + EVERY
                left = f"about {time_left((total - done) / rate)} left, " if rate else ""
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
    """Passes progress on, and tells once how long a run still takes that takes long.

    With `shorter`, ``--frames 1`` would simulate less, and is offered.
    """

    def __init__(
        self, progress: Callable[[int, int], None], tell: Callable[[str], object], *, shorter: bool
    ):
        self._progress, self._tell, self._shorter = progress, tell, shorter
        self._pace, self._told = Pace(), False

    def __call__(self, done: int, total: int, /) -> None:
        """Take note of the progress."""
        self._progress(done, total)
        elapsed, rate = self._pace(done)
        if self._told or not rate or elapsed < QUIET:
            return
        self._told = True
        left = (total - done) / rate
        if left < LONG:
            return
        text = f"the waveforms take about {time_left(left)} more"
        if self._shorter:
            text += "; use --frames 1 to simulate the first frame alone, once"
        self._tell(text)


def _terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _bar(doing: str) -> Any:
    """Begin a bar of one task, without a total yet."""
    from rich import progress
    from rich.console import Console

    bar = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    bar.start()
    bar.add_task(doing, total=None, rate="")
    return bar
