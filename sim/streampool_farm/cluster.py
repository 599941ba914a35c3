"""Dask's workers: of this machine, or of whatever machines a scheduler has."""

import contextlib
import logging
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from streampool_hw.export.yosys import ToolError

NEVER_BAD = 1_000_000
"""How many workers may die over a task before Dask blames it: no task kills a worker of itself."""

CONNECT_S = 20
"""Seconds in which a scheduler has to answer."""


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
