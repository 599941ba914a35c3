"""The specification of a pooling job and its exact NumPy model."""

from .dtypes import DType
from .errors import SpecError, SpecWarning
from .fields import NANS, OPS, ROUNDINGS
from .geometry import Axis
from .indices import BASES, Numbering
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
from .presets import PRESETS, preset
from .quantised import Requantisation, float32_ratio
from .reference import LAYOUTS, pool, pool_with_indices, round_div
from .spec import PoolSpec
from .unpool import UnpoolJob, unpool

__version__ = "0.1.0"

__all__ = [
    "BASES",
    "LAYOUTS",
    "NANS",
    "OPS",
    "PRESETS",
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
    "Numbering",
    "PoolSpec",
    "Requantisation",
    "SpecError",
    "SpecWarning",
    "StageShape",
    "UnpoolJob",
    "float32_ratio",
    "pool",
    "pool_with_indices",
    "preset",
    "round_div",
    "unpool",
]
