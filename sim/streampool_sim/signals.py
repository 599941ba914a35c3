"""SIGTERM and SIGHUP end a run as Ctrl-C does: what was begun is removed first."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """The process was asked to stop; `status` is the exit status that says by which signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def _raise(number: int, _: FrameType | None) -> None:
    # a second signal does not come between what is being removed
    signal.signal(number, signal.SIG_IGN)
    raise Stopped(number)


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Raise `Stopped` where the signals come; those that are ignored stay so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [each for each in STOPS if signal.getsignal(each) == signal.SIG_DFL]
    for each in caught:
        signal.signal(each, _raise)
    try:
        yield
    finally:
        for each in caught:
            signal.signal(each, signal.SIG_DFL)
