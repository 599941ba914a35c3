"""Self-tests of a core on real boards."""

from .boards import BOARDS, Board, board_named
from .build import BuiltBoard, build
from .selftest import SelfTest

__all__ = ["BOARDS", "Board", "BuiltBoard", "SelfTest", "board_named", "build"]
