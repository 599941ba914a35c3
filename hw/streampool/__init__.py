"""Streaming pooling cores in Amaranth."""

from .core import PoolCore

__all__ = ["PoolCore"]
