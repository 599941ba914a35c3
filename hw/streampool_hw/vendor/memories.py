"""The memories of a core, as serves a family of devices best."""

from ..datapath.fifo import PipelineFifo, ShiftFifo
from ..datapath.store import RamStore
from ..schedule.settings import CONSTANTS, Settings
from .block_store import BlockStore
from .ecp5 import Ecp5Store
from .ice40 import Ice40Fifo, Ice40Store

_STORES: dict[str, type[BlockStore]] = {"ecp5": Ecp5Store, "ice40": Ice40Store}
_FIFOS: dict[str, type[PipelineFifo]] = {"ice40": Ice40Fifo, "gowin": ShiftFifo}


def ram_store(
    width: int,
    depth: int,
    family: str,
    settings: Settings = CONSTANTS,
    *,
    block_from: int = 0,
    restarts: bool = False,
) -> RamStore:
    """Return a store in RAM: in an ECP5 a block RAM from so many words on."""
    own = _STORES.get(family)
    if own is None or depth > max(own.ROWS) or (family == "ecp5" and depth < block_from):
        return RamStore(width, depth, settings, restarts=restarts)
    return own(width, depth, settings, restarts=restarts)


def fifo_of(family: str) -> type[PipelineFifo]:
    """Return the FIFO at the end of a pipeline."""
    return _FIFOS.get(family, PipelineFifo)
