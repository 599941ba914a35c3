"""The public names of `streampool_hw`, which `__init__` gives when they are asked for."""

from .base import Core
from .core import PoolCore
from .export.axi import AxiCore
from .export.verilog import write_verilog
from .registry import make_core
from .unpool import UnpoolCore
from .vendor.families import FAMILIES

__all__ = [
    "FAMILIES",
    "AxiCore",
    "Core",
    "PoolCore",
    "UnpoolCore",
    "make_core",
    "write_verilog",
]
