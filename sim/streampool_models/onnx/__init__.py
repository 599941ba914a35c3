"""ONNX models: read by the onnx package, run by onnxruntime."""

import onnx  # noqa: F401  what is missing is said when this is imported

from .model import OnnxModel, read

__all__ = ["OnnxModel", "read"]
