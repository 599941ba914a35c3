"""The public names of `streampool_golden`, which `__init__` gives when they are asked for."""

from .beats import BeatLayout
from .dtypes import DType
from .errors import SpecError, SpecWarning
from .fields import LAYOUTS, NANS, ROUNDINGS
from .geometry import Axis
from .indices import BASES, Numbering
from .job import Field, Job
from .keras_layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .operations import OPERATIONS, OPS, Operation, Reduction
from .pool_job import PoolJob, StageShape
from .presets import PRESETS, preset
from .quantised import Requantisation, float32_ratio
from .ranges import Accumulator
from .reference import pool, pool_with_indices
from .rounding import round_div, round_root
from .spec import PoolSpec
from .torch_layers import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LPPool1d,
    LPPool2d,
    LPPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from .unpool_job import UnpoolJob
from .unpooling import plane_indices, unpool

__all__ = [
    "BASES",
    "LAYOUTS",
    "NANS",
    "OPERATIONS",
    "OPS",
    "PRESETS",
    "ROUNDINGS",
    "Accumulator",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Axis",
    "BeatLayout",
    "DType",
    "Field",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "Job",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Numbering",
    "Operation",
    "PoolJob",
    "PoolSpec",
    "Reduction",
    "Requantisation",
    "SpecError",
    "SpecWarning",
    "StageShape",
    "UnpoolJob",
    "float32_ratio",
    "plane_indices",
    "pool",
    "pool_with_indices",
    "preset",
    "round_div",
    "round_root",
    "unpool",
]
