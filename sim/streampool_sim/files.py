"""Files that are written: whether they can be, before anything runs; whole or not at all."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streampool_sim.options import Refused

__all__ = ["check_folder", "check_writable", "is_writable", "replacing"]


def is_writable(folder: Path) -> bool:
    """Return whether a file can be made in a folder, which is tried: permissions do not say all."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def check_writable(path: Path) -> None:
    """Refuse what is no plain file, or whose folder is not there or cannot be written."""
    folder = path.parent
    if path.is_dir():
        raise Refused(f"{path} is a folder; a file in it would do")
    if path.exists() and not path.is_file():
        raise Refused(f"{path} is no plain file; a new name would do")
    if not folder.is_dir():
        raise Refused(f"the folder {folder} of {path.name} is not there")
    if not is_writable(folder):
        raise Refused(f"the folder {folder} of {path.name} cannot be written to")


def check_folder(option: str, folder: Path) -> None:
    """Refuse an option's folder if it can be neither written nor made."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise Refused(f"{option} {folder} cannot be: {there} is a file; a folder would do")
    if not is_writable(there):
        raise Refused(f"{option} {folder} cannot be: {there} cannot be written to")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to; what was written takes `path`'s place at the end, at once.

    Parameters
    ----------
    path : Path
        The file that is made or replaced, as `check_writable` let it pass.

    Yields
    ------
    Path
        Of an empty file in the same folder. If the block raises, it is removed and `path` is as
        it was.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else _new_mode())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _new_mode() -> int:
    """Permissions of a file that is made without more words."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
