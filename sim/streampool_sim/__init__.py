"""Ways to run a pooling core: engines, statistics, the command line."""

from .engines import CompilerMissing, EngineError
from .simulation import EngineWarning, Result, simulate
from .unpooling import simulate_unpool

__all__ = [
    "CompilerMissing",
    "EngineError",
    "EngineWarning",
    "Result",
    "simulate",
    "simulate_unpool",
]
