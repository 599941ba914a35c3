"""The specification of a pooling job and its integer-exact NumPy model."""

from .dtypes import DType
from .errors import SpecError, SpecWarning
from .fields import OPS, ROUNDINGS
from .geometry import Axis
from .job import Accumulator, Job, StageShape
from .layers import (
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
    MaxPooling1D,
    MaxPooling2D,
)
from .reference import LAYOUTS, pool, round_div
from .spec import PoolSpec

__version__ = "0.1.0"

__all__ = [
    "LAYOUTS",
    "OPS",
    "ROUNDINGS",
    "Accumulator",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1d",
    "AvgPool2d",
    "Axis",
    "DType",
    "Job",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPooling1D",
    "MaxPooling2D",
    "PoolSpec",
    "SpecError",
    "SpecWarning",
    "StageShape",
    "pool",
    "round_div",
]
