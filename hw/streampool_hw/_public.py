"""The public names of `streampool_hw`, which `__init__` gives when they are asked for."""

from .base import Core as Core
from .core import PoolCore as PoolCore
from .export.axi import AxiCore as AxiCore
from .export.axi_runtime import AxiRuntimeCore as AxiRuntimeCore
from .export.runtime_verilog import write_runtime_verilog as write_runtime_verilog
from .export.verilog import write_verilog as write_verilog
from .families import FAMILIES as FAMILIES
from .registry import make_core as make_core
from .resync import ResyncCore as ResyncCore
from .runtime.core import RuntimePoolCore as RuntimePoolCore
from .runtime.job import RuntimeJob as RuntimeJob
from .runtime.maxima import Maxima as Maxima
from .runtime.resync import RuntimeResyncCore as RuntimeResyncCore
from .runtime.writer import JobWriter as JobWriter
from .slices import SlicedCore as SlicedCore
from .slices import Slices as Slices
from .slices import StreamSlices as StreamSlices
from .unpool import UnpoolCore as UnpoolCore
