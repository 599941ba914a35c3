"""The right to make a result: a lock that its process loses when it ends, however it ends."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def lease(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lease as long as the block runs, once it is free; its file says who has it.

    It is a lock of the file system's: the kernel frees it when the process is gone, and NFS does
    when the machine is. Yields whether it is held: not to `wait`, it may be somebody else's.
    """
    handle = _locked(path, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    if handle is None:
        yield False
        return
    try:
        os.ftruncate(handle, 0)
        os.write(handle, (json.dumps({"host": socket.gethostname(), "pid": os.getpid()})).encode())
        yield True
    finally:
        path.unlink(missing_ok=True)  # whoever waits for it makes it anew
        os.close(handle)


def _locked(path: Path, how: int) -> int | None:
    """Open a lease's file and lock it; None if it is not to wait and another has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, how)
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:  # who had it before has removed it meanwhile
            pass
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
