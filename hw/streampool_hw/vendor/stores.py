"""The RAM of a family of devices."""

from ..datapath.store import RamStore
from ..schedule.settings import CONSTANTS, Settings
from .ecp5 import Ecp5Store


def ram_store(width: int, depth: int, family: str, settings: Settings = CONSTANTS) -> RamStore:
    """Return the RAM that serves a family best.

    Parameters
    ----------
    width, depth : int
        As of `Store`.
    family : str
        One of `FAMILIES`.
    settings : Settings, optional
        As of `Store`.
    """
    if family == "ecp5" and depth <= max(Ecp5Store.ROWS):
        return Ecp5Store(width, depth, settings)
    return RamStore(width, depth, settings)
