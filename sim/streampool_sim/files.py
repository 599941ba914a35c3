"""Files that an option names: whether they can be written, before anything runs."""

from pathlib import Path

from streampool_hw.files import is_read_only, is_writable

from .refusals import Refused


def resolved(path: Path) -> Path:
    """Return where a path leads; refuses a link that leads nowhere but to itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise Refused(f"{path} is a link that leads to itself; use another name") from None


def check_writable(path: Path) -> None:
    """Refuse what is no plain file, or is read-only, or whose folder cannot be written."""
    target = resolved(path)
    folder = target.parent if path.is_symlink() else path.parent
    if path.is_dir():
        raise Refused(f"{path} is a folder; use a file in it")
    if path.exists() and not path.is_file():
        raise Refused(f"{path} is no plain file; use a new name")
    if not folder.is_dir():
        raise Refused(f"the folder {folder} of {path.name} is not there")
    check_not_read_only(path)
    if not is_writable(folder):
        raise Refused(f"the folder {folder} of {path.name} cannot be written to")


def check_not_read_only(path: Path) -> None:
    """Refuse a file that is there and must not be written."""
    if is_read_only(path):
        raise Refused(f"{path} is read-only; use another name")


def check_folder(option: str, folder: Path) -> None:
    """Refuse an option's folder if it can be neither written nor made."""
    resolved(folder)
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise Refused(f"{option} {folder} cannot be: {there} is a file; use a folder")
    if not is_writable(there):
        raise Refused(f"{option} {folder} cannot be: {there} cannot be written to")


def check_results(option: str, path: Path) -> None:
    """Refuse an option's file if it is none; its folder may be made."""
    if resolved(path).is_dir():
        raise Refused(f"{option} {path} is a folder; use a file in it")
    check_not_read_only(path)
    check_folder(option, path.parent)
