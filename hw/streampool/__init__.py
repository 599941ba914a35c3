"""Streaming pooling cores in Amaranth."""

from .axi import AxiPoolCore, AxiUnpoolCore
from .core import PoolCore
from .families import FAMILIES
from .unpool import UnpoolCore
from .verilog import write_unpool_verilog, write_verilog

__all__ = [
    "FAMILIES",
    "AxiPoolCore",
    "AxiUnpoolCore",
    "PoolCore",
    "UnpoolCore",
    "write_unpool_verilog",
    "write_verilog",
]
