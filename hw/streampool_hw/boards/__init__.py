"""A core's self-test on a board: a bitstream, and lamps that say whether it is right."""

from .build import Built, build
from .self_test import SelfTest
from .table import BOARDS, Board

__all__ = ["BOARDS", "Board", "Built", "SelfTest", "build"]
