"""Files that are written whole or not at all: a run that is stopped leaves the old ones."""

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


def is_writable(folder: Path) -> bool:
    """Return whether a file can be made in a folder, which is tried: permissions do not say all."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def is_read_only(path: Path) -> bool:
    """Return whether a file is there that must not be written, even by who could replace it."""
    try:
        return not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK))
    except OSError:  # it is not there, or no file can be called so
        return False


@contextlib.contextmanager
def replacing_all(*paths: Path) -> Iterator[list[Path]]:
    """Yield an empty file to write to for each path; they take their places, all at the end.

    Each is in the same folder as its path, which has to be there, and has the same suffix. If the
    block raises, they are removed and the files are as they were. An `OSError` names the file that
    cannot be written, also where the disk is full.
    """
    with contextlib.ExitStack() as stack:
        targets = [_resolved(path) for path in paths]
        for path, target in zip(paths, targets, strict=True):
            if is_read_only(target):
                raise PermissionError(errno.EACCES, "This file is read-only", str(path))
        parts = [_part(stack, path, target) for path, target in zip(paths, targets, strict=True)]
        try:
            yield parts
        except OSError as error:
            raise _named(error, paths, parts) from None
        stack.enter_context(_put_back(targets if len(targets) > 1 else []))
        for path, target, part in zip(paths, targets, parts, strict=True):
            with _said_of(path):
                part.replace(target)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Do for one file what `replacing_all` does for several."""
    with replacing_all(path) as [part]:
        yield part


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files, texts as UTF-8: all of them, or none where one cannot be written."""
    with replacing_all(*files) as parts:
        for part, content in zip(parts, files.values(), strict=True):
            part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def _put_back(targets: list[Path]) -> Iterator[None]:
    """Put files back as they were if not all of them can take their places."""
    before = [target.read_bytes() if target.is_file() else None for target in targets]
    try:
        yield
    except BaseException:
        for target, old in zip(targets, before, strict=True):
            if old is None:
                target.unlink(missing_ok=True)
            elif target.read_bytes() != old:
                target.write_bytes(old)
        raise


def _resolved(path: Path) -> Path:
    """Return where a path leads."""
    try:
        return path.resolve()
    except RuntimeError:  # of a link that leads to itself
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _part(stack: contextlib.ExitStack, path: Path, target: Path) -> Path:
    """Return a new file beside `target`, with its mode, that goes when the stack is left."""
    part = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    with _said_of(path):
        part.touch(exist_ok=False)
        stack.callback(part.unlink, missing_ok=True)
        if target.exists():
            shutil.copymode(target, part)
    return part


@contextlib.contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Let an error name the path that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _named(error: OSError, paths: tuple[Path, ...], parts: list[Path]) -> OSError:
    """Return an error that names what was to be written: a full disk's names nothing."""
    if error.errno is None:
        return error
    name = error.filename
    for path, part in zip(paths, parts, strict=True):
        if str(name) == str(part) or (name is None and not part.stat().st_size):
            name = str(path)
    return OSError(error.errno, error.strerror, name or str(paths[0]))
