"""Members of zip files, of which no more is unpacked than they say."""

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of compressing that `zipfile` unpacks bit by bit; models are written with no other."""


def member(file: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member.

    Read without a size, `zipfile` unpacks all that follows from a member's bytes, and keeps as many
    as the file says. A few bytes that say so may become any number.

    Raises
    ------
    KeyError
        If there is none.
    zipfile.BadZipFile
        If it is damaged, or has others than the file says.
    """
    info = file.getinfo(name)
    with _opened(file, info) as each:
        return each.read(info.file_size)


def copied(path: str, to: Path) -> None:
    """Copy a zip file, its members unpacked, so that who reads the copy unpacks no more.

    Raises
    ------
    zipfile.BadZipFile
        If a member is damaged, or has others than the file says.
    """
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(to, "w") as out:
        for info in file.infolist():
            with (
                _opened(file, info) as each,
                out.open(info.filename, "w", force_zip64=True) as into,
            ):
                shutil.copyfileobj(each, into, 1 << 20)


@contextmanager
def _opened(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    if info.compress_type not in METHODS:
        raise zipfile.BadZipFile(f"its {info.filename} is compressed by no method that is read")
    try:
        with file.open(info) as each:
            yield each
    except zlib.error as error:
        raise zipfile.BadZipFile(str(error)) from None
