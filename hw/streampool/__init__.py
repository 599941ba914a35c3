"""Streaming pooling cores in Amaranth."""

from .axi import AxiPoolCore
from .core import PoolCore
from .verilog import write_verilog

__all__ = ["AxiPoolCore", "PoolCore", "write_verilog"]
