"""The RAM of a family of devices."""

from ..datapath.store import RamStore
from .ecp5 import Ecp5Store

__all__ = ["ram_store"]


def ram_store(width: int, depth: int, family: str) -> RamStore:
    """Return the RAM that serves a family best.

    Parameters
    ----------
    width, depth : int
        As of `Store`.
    family : str
        One of `FAMILIES`.
    """
    if family == "ecp5" and depth <= max(Ecp5Store.ROWS):
        return Ecp5Store(width, depth)
    return RamStore(width, depth)
