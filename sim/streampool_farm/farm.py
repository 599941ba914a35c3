"""Tasks on a store: what it has is not done again, and the rest goes to workers."""

import contextlib
import secrets
import sys
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from .alone import Alone
from .cluster import Cluster, connected, dashboard, processors
from .store import Store
from .task import Json, Task, TaskFailed

HERE = "local"
"""The address that stands for a scheduler that starts here, with its workers."""

ALONE = "none"
"""The address that stands for workers of this machine without Dask."""


class Farm:
    """A store and the workers that fill it, which start when the first of them is needed.

    Parameters
    ----------
    folder : Path
        Of the store.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.5:8786"``; or `HERE`, as by default,
        or `ALONE`.
    workers : int, optional
        How many of them start here; the processors by default.
    tell : callable, optional
        Is given what a person may want to know, in a line.
    """

    def __init__(
        self,
        folder: Path,
        scheduler: str | None = None,
        workers: int | None = None,
        tell: Callable[[str], object] | None = None,
    ):
        self.store = Store(folder)
        self._scheduler, self._number = scheduler or HERE, workers or processors()
        self._tell = tell or (lambda text: print(f"streampool: {text}", file=sys.stderr))
        self._stack = contextlib.ExitStack()
        self._hands: Alone | Cluster | None = None

    def __enter__(self) -> Self:
        self.store.sweep_up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._hands is not None:
            self._stack.close()
            self._hands = None
            self.store.sweep_up()  # after those that were stopped

    @property
    def hands(self) -> Alone | Cluster:
        """What does the tasks; it starts with this."""
        if self._hands is None:
            self._hands = self._started()
        return self._hands

    def _started(self) -> Alone | Cluster:
        if self._scheduler == ALONE:
            hands = Alone(self._number, self.store.folder)
            self._stack.callback(hands.cancel)
            return hands
        own = self.store.making(f"dask-{secrets.token_hex(8)}")
        folder = self._stack.enter_context(own)
        address = None if self._scheduler == HERE else self._scheduler
        client = self._stack.enter_context(connected(address, self._number, folder))
        if page := dashboard(client):
            self._tell(f"Dask's dashboard is at {page}")
        return Cluster(client, self.store.folder)

    @property
    def workers(self) -> int:
        """How many tasks are done at once: by workers that start here, or by the scheduler's."""
        return self._number if self._scheduler in (HERE, ALONE) else self.hands.number

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Json], None, None]:
        """Yield each task with its result as it comes: a stored one as soon as its task is there.

        Tasks are begun in their order, the first of them while the others are still made. Where
        some fail, the others are done first, and `TaskFailed` says why the first one did. `Lost` is
        raised if the scheduler goes away. Where the caller stops early, what is not done is
        cancelled.
        """
        todo: dict[str, list[Task]] = {}
        failed: list[Exception] = []
        try:
            for task in tasks:
                if task.key in todo:
                    todo[task.key].append(task)
                elif (found := self.store.find(task)) is not None:
                    yield task, found
                else:
                    todo[task.key] = [task]
                    self.hands.begin(task)
            for key, found in self.hands.ended() if todo else ():
                done = todo.pop(key)
                if isinstance(found, Exception):
                    failed.append(found)
                else:
                    # a worker may keep its results elsewhere
                    result = self.store.put(key, found)
                    yield from ((task, result) for task in done)
        finally:
            if todo:
                self.hands.cancel()
        if failed:
            error = failed[0]
            raise error if isinstance(error, TaskFailed) else TaskFailed(str(error))
