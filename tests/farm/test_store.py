"""The store of results: written once, whole or not at all, whoever else writes."""

import errno
import os
import subprocess
import sys
import threading
import time

import pytest
from streampool_farm import store as store_module
from streampool_farm.lease import lease
from streampool_farm.store import Store
from streampool_farm.task import Task, digest

WAITS = """
import sys, time
from pathlib import Path
from streampool_farm.store import Store
with Store(Path(sys.argv[1])).making("a") as folder:
    (folder / "part").write_text("x")
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_first_result_stays(tmp_path):
    one, other = Store(tmp_path), Store(tmp_path)
    assert one.get("a") is None
    assert one.put("a", {"value": 1}) == {"value": 1}
    assert other.put("a", {"value": 2}) == {"value": 1}
    assert other.get("a") == {"value": 1}
    assert one.keys() == {"a"}
    assert not [*one.running.iterdir()]


def test_a_damaged_result_is_none_and_can_be_made_again(tmp_path):
    store = Store(tmp_path)
    for text in ("", "{", '{"key": "b", "result": {}}', "[]"):
        store.path("a").write_text(text)
        assert store.get("a") is None
    assert store.put("a", {"value": 1}) == {"value": 1}


def test_a_result_without_its_fields_is_none_and_is_removed(tmp_path):
    store = Store(tmp_path)
    for text in ('{"key": "a", "result": {}}', '{"key": "a", "result": []}'):
        store.path("a").write_text(text)
        assert store.get("a", ("value",)) is None
        assert not store.path("a").exists()
    store.put("a", {"value": 1})
    assert store.get("a", ("value",)) == {"value": 1}


def test_a_file_system_without_links_will_do(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(store_module.os, "link", refuse)
    assert Store(tmp_path).put("a", {"value": 1}) == {"value": 1}


def test_a_full_disk_leaves_nothing_and_names_the_result(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store(tmp_path)
    monkeypatch.setattr(store_module.os, "fsync", refuse)
    with pytest.raises(OSError, match=r"a\.json") as found:
        store.put("a", {"value": 1})
    assert found.value.errno == errno.ENOSPC
    assert store.keys() == set()
    assert not [*store.running.iterdir()]


def test_a_lease_is_lost_by_who_is_killed_and_its_folder_emptied(tmp_path):
    store = Store(tmp_path)
    words = [sys.executable, "-c", WAITS, str(tmp_path)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        store.sweep_up()
        with lease(store.leases / "a", wait=False) as ours:
            assert not ours
        assert (store.running / "a" / "part").is_file()
        process.kill()
    store.sweep_up()
    assert not [*store.running.iterdir(), *store.leases.iterdir()]
    with store.making("a") as folder:
        assert not [*folder.iterdir()]


def test_one_at_a_time_holds_a_lease(tmp_path):
    path, inside, most = tmp_path / "a", [0], []

    def hold() -> None:
        for _ in range(20):
            with lease(path):
                inside[0] += 1
                most.append(inside[0])
                time.sleep(0.0005)
                inside[0] -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1] * 80
    assert not path.exists()


def test_a_digest_is_of_all_parts():
    assert digest("a", {"b": 1, "c": 2}) == digest("a", {"c": 2, "b": 1})
    assert len({digest("a"), digest("a", None), digest(["a"]), digest("a", {})}) == 4


def test_an_old_part_is_swept_up(tmp_path):
    store = Store(tmp_path)
    old, new = store.running / "a.00.part", store.running / "b.00.part"
    for each in (old, new):
        each.touch()
    os.utime(old, (0, 0))
    store.sweep_up()
    assert [*store.running.iterdir()] == [new]


def test_a_task_has_a_function_by_its_name():
    task = Task("streampool_farm.task:digest", {}, "a")
    assert task.call({}) == digest({})
