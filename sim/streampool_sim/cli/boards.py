"""The verb `boards`."""

from pathlib import Path

from streampool_hw.boards import BOARDS, board_named
from streampool_hw.boards.all import build_all

from .. import files
from ..progress import Progress
from .command import argument, option, verb
from .fields import Options

EXAMPLES = """\
examples:
  streampool boards
  streampool boards icebreaker orangecrab -o build/boards

Needs the extra streampool[fpga]. Exit: 0 all were built, 1 some were not, 2 refused.
"""


def _boards(options: Options) -> int:
    names = [board_named(name).name for name in options.boards] or BOARDS
    files.check_folder("--output", options.output)
    with Progress("building the boards", "done", "boards") as progress:
        return 1 if build_all(names, options.output, progress) else 0


command = verb(
    "boards",
    [
        argument(
            "boards",
            takes=str,
            metavar="BOARD",
            several=True,
            choices=BOARDS,
            help=f"{', '.join(BOARDS)} (all)",
        ),
        option(
            *("-o", "--output"),
            takes=Path,
            metavar="DIR",
            default=Path("build/boards"),
            help="folder (build/boards)",
        ),
    ],
    _boards,
    about="Build the bitstreams of all boards, each the self-test of the same core.",
    examples=EXAMPLES,
)
