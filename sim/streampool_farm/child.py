"""What runs in a process group of its own: one task, from the lease to the stored result.

Its standard input says what to do in one line, and stays open as long as somebody waits for it.
When it ends, so does the group, with all programs in it.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from .store import Store
from .task import Json, Task


def main() -> None:
    """Do what standard input says, and say the result, or why there is none, in a line of JSON."""
    waiting, answer = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # programs that this starts have nothing to read
    os.dup2(2, 1)  # what is printed is no answer
    request = json.loads(_line(waiting))
    threading.Thread(target=_end_with, args=(waiting,), daemon=True).start()
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(_done(request), out)


def _line(handle: int) -> bytes:
    """Read up to a line's end; whoever was to write it may be gone."""
    found = bytearray()
    while not found.endswith(b"\n"):
        if not (more := os.read(handle, 1 << 16)):
            sys.exit(1)
        found += more
    return bytes(found)


def _end_with(handle: int) -> None:
    """End the whole group when whoever waits for the result is gone."""
    with contextlib.suppress(OSError):
        while os.read(handle, 1 << 16):
            pass
    os.killpg(0, signal.SIGKILL)


def _done(request: Json) -> Json:
    task, store = Task(**request["task"]), Store(Path(request["store"]))
    try:
        with store.making(task.key) as folder:
            found = store.find(task)  # somebody else's, who had the lease before
            if found is None:
                tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
                with _payload(task, store) as payload:
                    found = store.put(task.key, task.call(payload), os.getppid(), folder)
        return {"result": found}
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return {"error": f"{named}{error.strerror or error}"}
    except Exception as error:
        said = str(error) or type(error).__name__
        ours = type(error).__module__.startswith("streampool")  # these are sentences
        return {"error": said if ours else f"{type(error).__name__}: {said}"}


@contextlib.contextmanager
def _payload(task: Task, store: Store) -> Iterator[Json]:
    """Yield what the function is given: with its folder, where it keeps something."""
    if not task.keeps:
        yield task.payload
        return
    with store.keeping(task.keeps) as kept:
        yield task.payload | {"kept": str(kept)}


if __name__ == "__main__":
    main()
