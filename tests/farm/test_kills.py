"""Workers, schedulers and whole commands killed in the middle: nothing stored is lost or redone."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed")

HERE = Path(__file__).parent
SECONDS = "0.15"

FRONT = "66 [(10, 5, 't0'), (12, 42, 't41'), (13, 54, 't11'), (15, 91, 't52'), (32, 93, 't47')]\n"
"""What the command says where nothing disturbs it."""

ENDS_S = 30
"""Seconds in which the processes of a killed one have to end: a busy machine takes some."""

Process = psutil.Process


class Run:
    """A run of the command, with all that it starts; what it has done is in a folder."""

    def __init__(self, folder: Path):
        self.folder, self.seen = folder, set[Process]()

    def start(self, words: Sequence[str]) -> psutil.Popen:
        """Start a Python program, which finds the stand-in."""
        paths = os.pathsep.join([str(HERE), *sys.path])
        env = os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": ""}
        files = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        return psutil.Popen([sys.executable, *words], env=env, cwd=self.folder, **files)

    def command(self, *scheduler: str) -> psutil.Popen:
        """Start the command."""
        return self.start([str(HERE / "command.py"), str(self.folder), SECONDS, *scheduler])

    def stored(self) -> dict[str, tuple[int, str]]:
        """Return what is stored: of each result when it was written, and what."""
        found = (self.folder / "store" / "results").glob("*.json")
        return {path.stem: (path.stat().st_mtime_ns, path.read_text()) for path in found}

    def look(self, process: Process) -> list[Process]:
        """Return what runs under a process, and remember it."""
        with suppress(psutil.NoSuchProcess):
            below = process.children(recursive=True)
            self.seen.update(below)
            return below
        return []

    def begun(self) -> int:
        """Return how many tasks were begun."""
        log = self.folder / "log"
        return log.read_text().count("begin") if log.exists() else 0

    def wait_for_more(self, process: Process, more: int) -> bool:
        """Wait until more tasks have begun; False if the command ends before."""
        until = self.begun() + more
        while self.begun() < until:
            self.look(process)
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            time.sleep(0.02)
        return True

    def orphans(self) -> list[Process]:
        """Return what still runs of all that was seen, when all had the time to end."""
        _, alive = psutil.wait_procs(self.seen, timeout=ENDS_S)
        return [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


def workers(run: Run, command: Process) -> list[Process]:
    """Return the workers that the command has started."""
    return [each for each in run.look(command) if "spawn_main" in " ".join(_words(each))]


def _end(process: psutil.Popen) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
    process.wait()


def _words(process: Process) -> list[str]:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return process.cmdline()
    return []


def answers(port: int) -> bool:
    """Return whether something listens at a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def kill_workers(run: Run, chance: random.Random, workers_in_all: int, commands: int) -> None:
    """Kill workers one after the other while a command runs, and then the command itself."""
    killed = 0
    for number in range(1, commands + 1):
        command = run.command()
        while killed < workers_in_all * number // commands and run.wait_for_more(command, 1):
            time.sleep(chance.uniform(0, 0.15))
            chance.choice(workers(run, command)).kill()
            killed += 1
        assert run.wait_for_more(command, 1), "the tasks are too few for so many kills"
        before = run.stored()
        run.look(command)
        command.kill()
        command.wait()
        assert not run.orphans()
        assert before.items() <= run.stored().items()
    assert killed == workers_in_all


def kill_schedulers(run: Run, schedulers: int) -> None:
    """Kill schedulers that stand alone, each with a command that works through it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = ("-P", "-m")
    for _ in range(schedulers):
        with ExitStack() as stack:
            words = (*dask, "distributed.cli.dask_scheduler", "--no-dashboard")
            scheduler = run.start([*words, "--host", "127.0.0.1", "--port", str(port)])
            words = (*dask, "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard")
            worker = run.start([*words, "--nthreads", "2", "--local-directory", "dask"])
            while not answers(port):
                time.sleep(0.05)
            command = run.command(address)
            for each in (scheduler, worker, command):
                stack.callback(_end, each)
            assert run.wait_for_more(worker, 3)
            before = run.stored()
            scheduler.kill()
            assert command.wait(30) == 1
            run.seen.add(worker)
            assert not run.orphans()
            assert before.items() <= run.stored().items()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "commands", "schedulers"),
    [(4, 1, 1), pytest.param(14, 3, 3, marks=pytest.mark.long)],
)
def test_kills_lose_and_repeat_nothing(workers, commands, schedulers, tmp_path):
    run = Run(tmp_path)
    kill_schedulers(run, schedulers)
    kill_workers(run, random.Random(1), workers, commands)
    last = run.command()
    run.wait_for_more(last, 1000)
    said, _ = last.communicate(timeout=60)
    assert said == FRONT
    assert len(run.stored()) == 66
    assert not [*(tmp_path / "store").glob("running/*"), *(tmp_path / "store").glob("leases/*")]
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert not [line for line in lines if line[0] in ("twice", "late")]
    assert len({line[1] for line in lines if line[0] == "end"}) == 66
    assert not run.orphans()
