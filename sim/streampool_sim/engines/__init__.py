"""Engines: ways to clock a pooling core over whole frames, with the same result to the cycle."""

from .trace import CompilerMissing, EngineError, Progress, Trace

__all__ = ["CompilerMissing", "EngineError", "Progress", "Trace"]
