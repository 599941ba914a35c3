"""Types of the fixtures that run a command line."""

from collections.abc import Callable
from typing import NamedTuple


class Done(NamedTuple):
    """What a command left: its status, and what it printed."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]
