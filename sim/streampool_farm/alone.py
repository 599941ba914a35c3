"""Workers of this machine without Dask: threads that each wait for a process group."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .group import run_in_group
from .task import Json, Task


class Alone:
    """So many workers, which do tasks in the order in which they are begun.

    Parameters
    ----------
    number : int
        How many tasks are done at once.
    store : Path
        Where their results are kept.
    """

    def __init__(self, number: int, store: Path):
        self.number, self._store = number, store
        self._start()

    def _start(self) -> None:
        self._ended: queue.SimpleQueue[tuple[str, Json | Exception]] = queue.SimpleQueue()
        self._left = 0
        self._unwanted = threading.Event()
        self._threads = ThreadPoolExecutor(self.number)

    def begin(self, task: Task) -> None:
        """Have a task done, behind those that were begun before."""
        self._left += 1
        self._threads.submit(self._do, task)

    def ended(self) -> Iterator[tuple[str, Json | Exception]]:
        """Yield the key of each task as it ends, with its result or with why it has none."""
        while self._left:
            found = self._ended.get()
            self._left -= 1
            yield found

    def cancel(self) -> None:
        """Kill what runs, and forget what was to run."""
        self._unwanted.set()
        self._threads.shutdown(cancel_futures=True)
        self._start()

    def _do(self, task: Task) -> None:
        found: Json | Exception
        try:
            found = run_in_group(task, self._store, self._unwanted.is_set)
        except Exception as error:
            found = error
        self._ended.put((task.key, found))
