"""The contenders: ways to pool in software, by the runtime that they need.

A runtime that is not there is named, with the reason, and left out.
"""

import importlib
from dataclasses import dataclass
from importlib import metadata

from ..task import Contender

__all__ = ["RUNTIMES", "Runtime", "load", "versions"]


@dataclass(frozen=True)
class Runtime:
    """Something that runs contenders."""

    name: str
    module: str
    """Of this package; imports the runtime and has `contenders`."""
    packages: tuple[str, ...]
    """The distributions whose versions are recorded."""


RUNTIMES = (
    Runtime("NumPy", "in_numpy", ("numpy",)),
    Runtime("PyTorch", "in_torch", ("torch",)),
    Runtime("ONNX Runtime", "in_onnxruntime", ("onnxruntime", "onnx")),
    Runtime("OpenCV", "in_opencv", ("opencv-python-headless", "opencv-python")),
    Runtime("TFLite", "in_tflite", ("ai-edge-litert",)),
)
"""The runtimes, the one that is always there first."""


def load(names: tuple[str, ...] | None = None) -> tuple[list[Contender], list[dict[str, str]]]:
    """Return the contenders of some runtimes, by default all, and the runtimes left out."""
    found: list[Contender] = []
    skipped = []
    for runtime in RUNTIMES:
        if names is not None and runtime.name not in names:
            continue
        try:
            module = importlib.import_module(f".{runtime.module}", __name__)
        except (ImportError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            skipped.append({"what": runtime.name, "reason": reason})
            continue
        found += module.contenders()
        skipped += getattr(module, "skipped", list)()
    return found, skipped


def versions() -> dict[str, str]:
    """Return the versions of the runtimes' packages that are installed."""
    found = {}
    for runtime in RUNTIMES:
        for package in runtime.packages:
            try:
                found[package] = metadata.version(package)
            except metadata.PackageNotFoundError:
                continue
    return found
