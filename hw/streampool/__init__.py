"""Streaming pooling cores in Amaranth."""

from .axi import AxiPoolCore
from .core import PoolCore
from .families import FAMILIES
from .verilog import write_verilog

__all__ = ["FAMILIES", "AxiPoolCore", "PoolCore", "write_verilog"]
