"""SIGTERM and SIGHUP end a run as Ctrl-C does: what was begun is removed first."""

import contextlib
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Result = TypeVar("Result")

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


def stop_when_asked() -> None:
    """Have a worker process raise SystemExit where it is asked to stop, so that it tidies up."""

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        warnings.simplefilter("ignore")  # of what is not used any more
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


def unless_stopped(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a worker, which a SystemExit ends, instead of being taken for a result."""
    try:
        return function(*arguments)
    except SystemExit as end:
        os._exit(int(end.code or 0))


@contextlib.contextmanager
def stopped(workers: "ProcessPoolExecutor") -> Iterator[None]:
    """Shut workers down at the end; where the block raises, stop what they do."""
    try:
        yield
        workers.shutdown()
    except BaseException:
        for process in list((workers._processes or {}).values()):
            process.terminate()
        workers.shutdown(cancel_futures=True)
        raise
