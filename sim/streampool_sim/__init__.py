"""Ways to run a pooling core: engines, statistics, the command line."""

from .engines import CompilerMissing, EngineError
from .simulation import EngineWarning, Result, simulate

__all__ = ["CompilerMissing", "EngineError", "EngineWarning", "Result", "simulate"]
