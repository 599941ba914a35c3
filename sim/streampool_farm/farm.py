"""Tasks on a store: what it has is not done again, and the rest goes to Dask's workers."""

import contextlib
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .cluster import Lost, connected, dashboard, dask_package, processors
from .group import Cancelled, run_in_group
from .store import Store
from .task import Json, Task, TaskFailed

HERE = "local"
"""The address that stands for a scheduler that starts here, with its workers."""

GONE = "the scheduler is gone; what was finished is kept, and the same command goes on from there"


def work(task: Task, store: str) -> Json:
    """Do a task in a worker, as long as the scheduler wants it."""
    worker, name = dask_package("distributed").get_worker(), _name(task)

    def unwanted() -> bool:
        state = worker.state.tasks.get(name)
        return state is None or state.state not in ("executing", "resumed", "long-running")

    return run_in_group(task, Path(store), unwanted)


def _name(task: Task) -> str:
    """What the scheduler calls a task: the same for all that want its result."""
    return f"streampool-{task.key}"


class Farm:
    """A store and the workers that fill it, which start when the first of them is needed.

    Parameters
    ----------
    folder : Path
        Of the store.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.5:8786"``; else, or as `HERE`, workers
        of this machine.
    workers : int, optional
        How many of these; the processors by default.
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
        self._how = (None if scheduler == HERE else scheduler, workers)
        self._tell = tell or (lambda text: print(f"streampool: {text}", file=sys.stderr))
        self._stack = contextlib.ExitStack()
        self._client: Any = None

    def __enter__(self) -> Self:
        self.store.sweep_up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client = None
        self._stack.close()

    @property
    def client(self) -> Any:
        """Dask's client; the workers start with it."""
        if self._client is None:
            own = self.store.making(f"dask-{secrets.token_hex(8)}")
            folder = self._stack.enter_context(own)
            self._client = self._stack.enter_context(connected(*self._how, folder))
            if page := dashboard(self._client):
                self._tell(f"Dask's dashboard is at {page}")
        return self._client

    @property
    def workers(self) -> int:
        """How many tasks are done at once: of this machine's workers, or those of the scheduler."""
        address, workers = self._how
        if address is None:
            return workers or processors()
        return max(1, sum(self.client.nthreads().values()))

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Json]]:
        """Yield each task with its result as it comes: a stored one as soon as its task is there.

        Tasks are begun in their order, the first of them while the others are still made. Where
        some fail, the others are done first, and `TaskFailed` says why the first one did. `Lost` is
        raised if the scheduler goes away. Where the caller stops early, what is not done is
        cancelled.
        """
        todo: dict[str, list[Task]] = {}
        left: dict[str, Any] = {}
        try:
            for task in tasks:
                name = _name(task)
                if name in todo:
                    todo[name].append(task)
                elif (found := self.store.find(task)) is not None:
                    yield task, found
                else:
                    todo[name] = [task]
                    left[name] = self._begun(task, len(left))
            yield from self._worked(todo, left)
        finally:
            if left:
                with contextlib.suppress(Exception):
                    self.client.cancel(list(left.values()), force=True)

    def _begun(self, task: Task, number: int) -> Any:
        """Hand a task to the scheduler, behind those of lower numbers."""
        client, folder = self.client, str(self.store.folder)
        how = {"key": _name(task), "pure": False, "priority": -number}
        try:
            return client.submit(work, task, folder, **how)
        except Exception:
            if client.status in ("running", "connecting"):
                raise
            raise Lost(GONE) from None

    def _worked(
        self, todo: dict[str, list[Task]], left: dict[str, Any]
    ) -> Iterator[tuple[Task, Json]]:
        """Yield what workers find, and take it out of what is left."""
        if not left:
            return
        distributed = dask_package("distributed")
        killed = dask_package("distributed.scheduler").KilledWorker
        numbers = {name: number for number, name in enumerate(left)}
        failed: list[TaskFailed] = []
        done = distributed.as_completed(left.values(), loop=self.client.loop)
        for future in done:
            name, tasks = future.key, todo[future.key]
            if future.status == "error":
                error = future.exception()
                if isinstance(error, killed | Cancelled):
                    future.release()
                    left[name] = again = self._begun(tasks[0], numbers[name])
                    done.add(again)
                    continue
                failed.append(error if isinstance(error, TaskFailed) else TaskFailed(str(error)))
            elif future.status == "finished":
                # a worker may keep its results elsewhere
                found = self.store.put(tasks[0].key, future.result())
                yield from ((task, found) for task in tasks)
            else:
                raise Lost(GONE)
            del left[name]
        if failed:
            raise failed[0]
