"""Members of zip files, of which no more is unpacked than they say."""

import shutil
import zipfile
from pathlib import Path


def member(file: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member.

    Read without a size, `zipfile` unpacks all that follows from a member's bytes, and keeps as many
    as the file says. A few bytes that say so may become any number.

    Raises
    ------
    KeyError
        If there is none.
    zipfile.BadZipFile
        If it has others than the file says.
    """
    with file.open(name) as each:
        return each.read(file.getinfo(name).file_size)


def copied(path: str, to: Path) -> None:
    """Copy a zip file, its members unpacked, so that who reads the copy unpacks no more.

    Raises
    ------
    zipfile.BadZipFile
        If a member has others than the file says.
    """
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(to, "w") as out:
        for info in file.infolist():
            with file.open(info) as member, out.open(info.filename, "w", force_zip64=True) as into:
                shutil.copyfileobj(member, into, 1 << 20)
