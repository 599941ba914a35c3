"""Tasks on a store, done by Dask's workers on this machine."""

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from streampool_farm.farm import ALONE, Farm
from streampool_farm.group import Cancelled, run_in_group
from streampool_farm.store import Store
from streampool_farm.task import Task, TaskFailed
from streampool_hw.export.yosys import ToolError

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _stand_in_is_found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))


def task(folder: Path, name: str = "a", seconds: float = 0.0, **more: object) -> Task:
    payload = {"log": str(folder / "log"), "name": name, "seconds": seconds}
    payload |= {"cells": 1, "speed": 2, "stored": str(folder / "results" / f"{name}.json")}
    return Task("stand_in:run", payload | more, name)


def test_a_task_runs_in_a_group_of_its_own_and_is_stored(tmp_path):
    found = run_in_group(task(tmp_path), tmp_path, lambda: False)
    assert found == {"name": "a", "cells": 1, "speed": 2}
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["a.json"]
    # it is there already, and not done again
    assert run_in_group(task(tmp_path, wrong="no"), tmp_path, lambda: False) == found


def test_a_task_that_fails_says_why_and_stores_nothing(tmp_path):
    with pytest.raises(TaskFailed, match=r"^a: ValueError: it was wrong$"):
        run_in_group(task(tmp_path, wrong="it was wrong"), tmp_path, lambda: False)
    assert not [*(tmp_path / "results").iterdir()]


def test_a_farm_says_how_many_workers_it_has(tmp_path):
    distributed = pytest.importorskip("distributed")
    assert Farm(tmp_path, workers=3).workers == 3
    assert Farm(tmp_path).workers == os.cpu_count()
    words = {"n_workers": 3, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=False, **words) as cluster,
        Farm(tmp_path, cluster.scheduler_address) as farm,
    ):
        assert farm.workers == 3


def test_what_a_stopped_task_kept_is_there_when_it_runs_again(tmp_path):
    folder = tmp_path / "kept" / "of-a"
    first = replace(task(tmp_path, wrong="it was wrong"), keeps="of-a")
    with pytest.raises(TaskFailed, match="it was wrong"):
        run_in_group(first, tmp_path, lambda: False)
    assert (folder / "times").read_text() == "x"
    run_in_group(replace(task(tmp_path), keeps="of-a"), tmp_path, lambda: False)
    assert (folder / "times").read_text() == "xx"
    run_in_group(task(tmp_path, "b"), tmp_path, lambda: False)  # it keeps nothing
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["of-a"]


def test_a_result_that_will_do_as_well_is_taken(tmp_path):
    store = Store(tmp_path)
    store.put("checked", {"cells": 5})
    wanted = replace(task(tmp_path), also=("checked",), fields=("cells",))
    assert store.find(wanted) == {"cells": 5}
    assert store.find(replace(wanted, also=())) is None
    assert run_in_group(wanted, tmp_path, lambda: False) == {"cells": 5}
    assert not (tmp_path / "log").exists()
    store.put("a", {"cells": 6})
    assert store.find(wanted) == {"cells": 6}


def test_what_nobody_wants_ends_with_all_its_programs(tmp_path):
    log, seen = tmp_path / "log", []

    def unwanted() -> bool:
        seen.extend(psutil.Process().children(recursive=True))
        return log.exists() and any(each.name() == "sleep" for each in set(seen) if _runs(each))

    with pytest.raises(Cancelled):
        run_in_group(task(tmp_path, seconds=60), tmp_path, unwanted)
    _, alive = psutil.wait_procs(set(seen), timeout=2)
    assert not alive
    assert not [*(tmp_path / "results").iterdir()]


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_two_that_want_one_result_have_it_made_once(tmp_path):
    both = [
        threading.Thread(
            target=run_in_group, args=(task(tmp_path, seconds=0.3), tmp_path, lambda: False)
        )
        for _ in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    words = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert words == ["begin", "end"]


def test_no_module_comes_from_where_the_worker_stands(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('taken from here')")
    monkeypatch.chdir(tmp_path)
    assert run_in_group(task(tmp_path), tmp_path / "store", lambda: False)


@pytest.mark.parametrize("scheduler", [None, ALONE])
def test_workers_of_this_machine_do_what_is_not_stored(scheduler, tmp_path):
    if scheduler is None:
        pytest.importorskip("distributed")
    said: list[str] = []
    good = [task(tmp_path, name) for name in "abc"]
    with Farm(tmp_path, scheduler, 2, said.append) as farm:
        farm.store.put("a", {"stored": True})
        assert [found for _, found in farm.run(good[:1])] == [{"stored": True}]
        assert not said  # no worker was needed
        assert len([*farm.run(good[:1] * 2)]) == 2  # both of one name
        wrong = task(tmp_path, "d", wrong="it was wrong")
        with pytest.raises(TaskFailed, match="it was wrong"):
            list(farm.run([wrong, *good]))
        assert farm.store.keys() == {"a", "b", "c"}
        again = [task(tmp_path, "e"), wrong]  # after a failure as before
        with pytest.raises(TaskFailed, match="it was wrong"):
            list(farm.run(again))
        assert farm.store.keys() == {"a", "b", "c", "e"}
    assert [line[:27] for line in said] == ["Dask's dashboard is at http"] * (scheduler is None)
    assert not [*(tmp_path / "running").iterdir(), *(tmp_path / "leases").iterdir()]


def test_what_is_not_waited_for_is_stopped(tmp_path):
    slow = [task(tmp_path, name, seconds=60) for name in "bc"]
    with Farm(tmp_path, ALONE, 2) as farm:
        found = farm.run([task(tmp_path, "a", seconds=0.5), *slow])
        assert next(found)[0].key == "a"
        while not (running := re.findall(r"begin [bc] (\d+)", (tmp_path / "log").read_text())):
            time.sleep(0.02)
        found.close()
        assert not any(psutil.pid_exists(int(pid)) for pid in running)
    assert farm.store.keys() == {"a"}
    assert not [*(tmp_path / "running").iterdir(), *(tmp_path / "leases").iterdir()]


def test_a_scheduler_that_is_not_there_is_refused(tmp_path):
    pytest.importorskip("distributed")
    from streampool_farm import cluster

    with pytest.MonkeyPatch.context() as patch, Farm(tmp_path, "tcp://127.0.0.1:9") as farm:
        patch.setattr(cluster, "CONNECT_S", 1)
        with pytest.raises(ToolError, match="no scheduler answers at tcp"):
            list(farm.run([task(tmp_path)]))


def test_a_child_ends_where_nobody_says_what_to_do():
    words = [sys.executable, "-m", "streampool_farm.child"]
    assert subprocess.run(words, stdin=subprocess.DEVNULL).returncode == 1
