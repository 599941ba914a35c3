"""The public names of `streampool_sim`, which `__init__` gives when they are asked for."""

from .engines import CompilerMissing, EngineError
from .simulation import EngineWarning, Result, simulate

__all__ = ["CompilerMissing", "EngineError", "EngineWarning", "Result", "simulate"]
