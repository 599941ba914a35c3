"""Files that are read: opened once, whether they are on a disk or come through a pipe."""

import contextlib
import io
import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from streampool_sim.refusals import Refused

EXACT = "8 bits per colour, 16-bit grey, or a .npy"
"""What is read with the values that a file has."""

PATIENCE = 10.0
"""Seconds in which somebody has to start to write to a pipe."""


@contextlib.contextmanager
def opened(path: Path, use: str = "a picture or a .npy file") -> Iterator[BinaryIO]:
    """Open a file or a pipe for reading, at its start, or refuse it; `use` is what it should be.

    What is yielded is not empty, and able to seek: a pipe is read to its end first.
    """
    with contextlib.ExitStack() as stack:
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise Refused(f"{path} is a folder; use {use}")
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
                raise Refused(f"{path} is a device; use a file or a pipe")
            if stat.S_ISFIFO(mode):
                file: BinaryIO = io.BytesIO(_piped(path))
            else:
                file = stack.enter_context(path.open("rb"))
            empty = file.seek(0, os.SEEK_END) == 0
            file.seek(0)
        except FileNotFoundError:
            raise Refused(f"{path} is not there") from None
        except MemoryError:
            raise Refused(f"{path} does not fit into memory") from None
        except (OSError, ValueError) as error:
            raise Refused(f"{path} cannot be read: {reason(error)}") from None
        if empty:
            raise Refused(f"{path} is empty")
        yield file


def _piped(path: Path) -> bytes:
    """Read a pipe to its end, but do not wait for a writer that never comes."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        start = b""
        if not select.select([pipe], [], [], PATIENCE)[0]:
            start = pipe.read(1)  # None: there is a writer, which has not written yet
            if start == b"":
                raise Refused(f"{path} is a pipe that nothing writes to; start its writer first")
        os.set_blocking(pipe.fileno(), True)
        return (start or b"") + pipe.readall()


def reason(error: Exception) -> str:
    """Say what went wrong, as the end of a sentence."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = " ".join(text.split()).rstrip(".")
    return text[:200] or type(error).__name__
