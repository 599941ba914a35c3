"""Results on disk: a file each, which appears whole or not at all, and is written once."""

import contextlib
import errno
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .lease import lease
from .task import Json, Task

FOLDER = Path("build/store")
"""The store of whatever is not told to use another."""

PART_S = 3600
"""Seconds after which a part of a file is one that nobody writes any more."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class Store:
    """A folder of results, which any number of runs may share, also over a network.

    Parameters
    ----------
    folder : Path
        ``results/KEY.json`` is a result, ``leases/KEY`` is locked by who makes one, and
        ``running/KEY`` is their folder for what they need meanwhile. What a task wants to find
        again when it was stopped is in ``kept/``. All are made as needed.
    """

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self.results, self.leases, self.running = (
            self.folder / name for name in ("results", "leases", "running")
        )
        for each in (self.results, self.leases, self.running):
            each.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Return where a result is, or will be."""
        return self.results / f"{key}.json"

    def get(self, key: str, fields: Sequence[str] = ()) -> Json | None:
        """Return a result, which has these fields; None if there is none.

        A damaged file is none, and is removed.
        """
        path = self.path(key)
        try:
            found = json.loads(path.read_text("utf-8"))
            if found["key"] != key:
                raise ValueError("another's")
            if not found["result"].keys() >= {*fields}:
                raise ValueError("not all of it")
            return found["result"]
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError, AttributeError):  # of a lost power supply, say
            path.unlink(missing_ok=True)
            return None

    def find(self, task: Task) -> Json | None:
        """Return a task's result, or one that will do as well; None if there is none."""
        found = (self.get(key, task.fields) for key in (task.key, *task.also))
        return next((each for each in found if each is not None), None)

    def keys(self) -> set[str]:
        """Return the names of all results."""
        return {path.stem for path in self.results.glob("[!.]*.json")}

    def put(
        self, key: str, result: Json, worker: int | None = None, folder: Path | None = None
    ) -> Json:
        """Store a result, unless there is one; returns the one that is there then.

        Beside it stand the machine and the process of the worker that it was made by. It is written
        in the `folder` of its lease, if that is held, which goes with whoever is killed.
        """
        if (found := self.get(key)) is not None:
            return found
        part = (folder or self.running) / f"{key}.{secrets.token_hex(8)}.part"
        by = [socket.gethostname(), worker or os.getpid()]
        text = json.dumps({"key": key, "by": by, "result": result}) + "\n"
        try:
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            self._publish(part, key)
        except OSError as error:  # a full disk's names no file
            raise OSError(error.errno, error.strerror, str(self.path(key))) from None
        finally:
            part.unlink(missing_ok=True)
        return self.get(key) or result

    def _publish(self, part: Path, key: str) -> None:
        """Give a whole file its name, if nobody was faster."""
        with contextlib.suppress(FileExistsError):
            try:
                os.link(part, self.path(key))
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                part.replace(self.path(key))

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """Hold the lease of a result, and yield an empty folder for as long.

        Waits for whoever has it. It ends with the process, however that ends.
        """
        with lease(self.leases / key):
            folder = self.running / key
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def keeping(self, name: str) -> Iterator[Path]:
        """Yield a folder that stays, to nobody else at the same time."""
        with lease(self.leases / f"kept-{name}"):
            folder = self.folder / "kept" / name
            folder.mkdir(parents=True, exist_ok=True)
            yield folder

    def sweep_up(self) -> None:
        """Remove what killed runs have left: their leases, folders and parts of files."""
        for path in self.running.glob("*.part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > PART_S:
                    path.unlink()
        names = {path.name for path in self.running.iterdir() if path.is_dir()}
        for name in names | {path.name for path in self.leases.iterdir()}:
            with lease(self.leases / name, wait=False) as ours:
                if ours:
                    shutil.rmtree(self.running / name, ignore_errors=True)
