"""SIGTERM and SIGHUP end a run as Ctrl-C does: what was begun is removed first."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGHUP)

SOON = 1.0
"""Seconds until a signal comes again that was lost: when the destructor has long been left."""


class Stopped(BaseException):
    """The process was asked to stop; `status` is the exit status that says by which signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.status = 128 + number


def _raise(number: int, _: FrameType | None) -> None:
    # a second signal does not come between what is being removed
    signal.signal(number, signal.SIG_IGN)
    raise Stopped(number)


def _raise_again(lost: "sys.UnraisableHookArgs") -> None:
    """Have a signal come once more that came in a destructor, which has lost the exception."""
    stop = lost.exc_value
    if isinstance(stop, Stopped):
        signal.signal(stop.number, _raise)
        threading.Timer(SOON, os.kill, (os.getpid(), stop.number)).start()
    else:
        sys.__unraisablehook__(lost)


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Raise `Stopped` where the signals come; those that are ignored stay so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [each for each in STOPS if signal.getsignal(each) == signal.SIG_DFL]
    for each in caught:
        signal.signal(each, _raise)
    hook, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for each in caught:
            signal.signal(each, signal.SIG_DFL)
