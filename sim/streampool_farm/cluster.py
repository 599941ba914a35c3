"""Dask's workers: of this machine, or of whatever machines a scheduler has."""

import contextlib
import logging
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from streampool_hw.export.yosys import ToolError

from .group import Cancelled, run_in_group
from .task import Json, Task

NEVER_BAD = 1_000_000
"""How many workers may die over a task before Dask blames it: no task kills a worker of itself."""

CONNECT_S = 20
"""Seconds in which a scheduler has to answer."""


GONE = "the scheduler is gone; what was finished is kept, and the same command goes on from there"


class Lost(ToolError):
    """The scheduler is gone, or was never there."""


def processors() -> int:
    """Return how many workers start on this machine unless it is said."""
    return os.cpu_count() or 1


def dask_package(name: str) -> Any:
    """Import one of Dask's packages, or say which extra has it."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ToolError(
            "dask and distributed are not installed; use the extra streampool[farm], which has"
            " all that is needed"
        ) from None


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int | None, folder: Path) -> Iterator[Any]:
    """Yield a client of a scheduler, by default of one that starts here with its workers.

    These are processes of this machine, of one thread each, and end with this process. What Dask
    writes goes into a folder.
    """
    distributed, dask = dask_package("distributed"), dask_package("dask")
    settings = {
        "temporary-directory": str(folder),
        "distributed.scheduler.allowed-failures": NEVER_BAD,
        "distributed.scheduler.worker-saturation": 1.0,  # none waits behind a long one
        "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
        "distributed.scheduler.worker-ttl": None,
        # a worker that was killed starts again, however long that takes on a busy machine
        "distributed.deploy.lost-worker-timeout": "24h",
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        if scheduler is None:
            stack.enter_context(_safe_path())
            cluster = distributed.LocalCluster(
                n_workers=workers or processors(),
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                local_directory=str(folder),
                memory_limit=0,  # the programs' memory is no worker's
                silence_logs=logging.CRITICAL,
            )
            stack.callback(_quietly, cluster.close, 5)
            address = cluster.scheduler_address
        else:
            address = scheduler
        _hush()
        try:
            client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError):
            raise Lost(
                f"no scheduler answers at {address}; start one by `dask scheduler`, or leave"
                " --scheduler out"
            ) from None
        stack.callback(_quietly, client.close, 2)
        yield client


def _hush() -> None:
    """Keep Dask's own words off the terminal: what matters of them is said in ours."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def dashboard(client: Any) -> str | None:
    """Return the address of the page on which Dask shows what its workers do, if it has one."""
    services = client.scheduler_info(n_workers=0).get("services", {})
    return client.dashboard_link if services.get("dashboard") else None


def _quietly(close: Any, timeout: float) -> None:
    """Close what may be gone already."""
    with contextlib.suppress(Exception):
        close(timeout=timeout)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Have Python processes that start meanwhile take no module from where the user stands."""
    before = os.environ.get("PYTHONSAFEPATH", "")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ["PYTHONSAFEPATH"] = before  # nothing is as if it were not there


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


class Cluster:
    """Dask's workers, behind a client of their scheduler.

    Parameters
    ----------
    client : distributed.Client
        Of the scheduler.
    store : Path
        Where results are kept, unless a worker has a folder of its own.
    """

    def __init__(self, client: Any, store: Path):
        self._client, self._store = client, store
        self._begun: dict[str, tuple[Task, int]] = {}
        self._left: dict[str, Any] = {}

    @property
    def number(self) -> int:
        """How many tasks are done at once."""
        return max(1, sum(self._client.nthreads().values()))

    def begin(self, task: Task) -> None:
        """Have a task done, behind those that were begun before."""
        name = _name(task)
        self._begun[name] = (task, len(self._begun))
        self._left[name] = self._submitted(name)

    def _submitted(self, name: str) -> Any:
        task, number = self._begun[name]
        try:
            return self._client.submit(
                work, task, str(self._store), key=name, pure=False, priority=-number
            )
        except Exception:
            if self._client.status in ("running", "connecting"):
                raise
            raise Lost(GONE) from None

    def ended(self) -> Iterator[tuple[str, Json | Exception]]:
        """Yield the key of each task as it ends, with its result or with why it has none.

        What a worker's end has stopped is begun anew. `Lost` says that the scheduler is gone.
        """
        if not self._left:
            return
        killed = dask_package("distributed.scheduler").KilledWorker
        completed = dask_package("distributed").as_completed
        done = completed(self._left.values(), loop=self._client.loop)
        for future in done:
            name = future.key
            task, _ = self._begun[name]
            if future.status == "error":
                found = future.exception()
                if isinstance(found, killed | Cancelled):
                    future.release()
                    self._left[name] = again = self._submitted(name)
                    done.add(again)
                    continue
            elif future.status == "finished":
                found = future.result()
            else:
                raise Lost(GONE)
            del self._left[name]
            yield task.key, found

    def cancel(self) -> None:
        """Have the scheduler forget what is not done; its workers stop it."""
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._left.values()), force=True)
        self._left.clear()
