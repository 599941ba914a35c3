"""The public names of `streampool_hw`, which `__init__` gives when they are asked for."""

from .core import PoolCore
from .export.axi import AxiPoolCore, AxiUnpoolCore
from .export.verilog import write_unpool_verilog, write_verilog
from .unpool import UnpoolCore
from .vendor.families import FAMILIES

__all__ = [
    "FAMILIES",
    "AxiPoolCore",
    "AxiUnpoolCore",
    "PoolCore",
    "UnpoolCore",
    "write_unpool_verilog",
    "write_verilog",
]
