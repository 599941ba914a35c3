"""The host's side of a board's link: docs/link.md is the protocol."""

from .host import BoardMissing, Host, LinkError
from .pooling import BoardResult, pool_on_board
from .port import Port, attached

__all__ = ["BoardMissing", "BoardResult", "Host", "LinkError", "Port", "attached", "pool_on_board"]
