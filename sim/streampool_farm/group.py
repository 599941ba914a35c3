"""A task in a process group of its own, from the side of the worker that waits for it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .task import Json, Task, TaskFailed

EVERY_S = 0.05
"""Seconds from look to look whether a task has ended, or is to end."""

STORE = "STREAMPOOL_STORE"
"""The variable that says where a worker keeps results that has another folder than the command."""


class Cancelled(Exception):
    """A task was stopped, since nobody waits for it any more."""


def run_in_group(task: Task, store: Path, unwanted: Callable[[], bool]) -> Json:
    """Run a task in a process group of its own, and return its result, which is stored by then.

    As soon as it is `unwanted`, or this process ends in whatever way, all processes of the group
    are killed.
    """
    request = {"task": asdict(task), "store": os.environ.get(STORE, str(store))}
    with (
        tempfile.TemporaryFile() as answer,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            # -P: no module comes from where the worker happens to stand
            [sys.executable, "-P", "-m", f"{__package__}.child"],
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=said,
            process_group=0,
        ) as process,
    ):
        try:
            assert process.stdin is not None
            _tell(process, json.dumps(request))
            while not _ended(process):
                if unwanted():
                    raise Cancelled
                time.sleep(EVERY_S)
        finally:
            # it was not waited for yet, so that its number cannot be another group's
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        answer.seek(0)
        found = answer.read()
        if not found:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            status = process.returncode
            raise TaskFailed(f"{task.label or task.key} ended with {status}: {''.join(last)}")
    result = json.loads(found)
    if "error" in result:
        raise TaskFailed(f"{task.label or task.key}: {result['error']}")
    return result["result"]


def _tell(process: "subprocess.Popen[bytes]", request: str) -> None:
    """Write the request; whoever was to read it may be gone."""
    assert process.stdin is not None
    try:
        process.stdin.write(request.encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    """Return whether the group's first process has ended, without letting go of its number."""
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, how) is not None
