"""MTCNN, the face detector of facenet-pytorch: three nets in a loop, each with cores or without."""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]  # the demonstration installs it
from ending import all_in_cores, packaged, say
from streampool_models.pytorch.modules import TorchModule
from streampool_models.running import ModelRun, run_model
from streampool_sim.words import by

SMALLEST, THRESHOLDS, FACTOR = 20, (0.6, 0.7, 0.7), 0.709
"""MTCNN's own: the side of the smallest face in pixels, the score that each net asks for, and how
much smaller the picture becomes from scale to scale."""

Faces = tuple[np.ndarray, np.ndarray]
"""Per face its box and score (left, top, right, bottom, score), and its five points (x, y)."""


class InCores(torch.nn.Module):
    """A net whose pooling goes through cores, made for the shape of each call.

    Attributes
    ----------
    runs : list of ModelRun
        What came of each call.
    good : bool
        Whether every layer went through a core that was right, at its limit of cycles.
    """

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net
        self.runs: list[ModelRun] = []
        self.good = True

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the net's outputs."""
        name = type(self.net).__name__
        say(f"{name} on {by(x.shape)}")
        model = TorchModule(self.net, [tuple(x.shape)])
        model.layers = [replace(layer, name=f"{name}.{layer.name}") for layer in model.layers]
        run = run_model(model, [x.numpy()])
        self.good = self.good and all_in_cores(model, run)
        self.runs.append(run)
        return tuple(torch.from_numpy(output.through) for output in run.outputs)


class Mtcnn:
    """The detector, with the weights that come with it."""

    def __init__(self) -> None:
        _stand_in()
        package = importlib.import_module("facenet_pytorch")
        self._detect: Callable[..., Any] = importlib.import_module(
            "facenet_pytorch.models.utils.detect_face"
        ).detect_face
        self.nets: list[torch.nn.Module] = []
        for name in ("PNet", "RNet", "ONet"):
            net = getattr(package, name)(pretrained=False)
            weights = packaged("facenet_pytorch", f"data/{name.lower()}.pt")
            net.load_state_dict(torch.load(weights, weights_only=True))
            self.nets.append(net.eval())

    def faces(self, picture: np.ndarray, nets: Sequence[torch.nn.Module] = ()) -> Faces:
        """Return the faces in a picture of rows x columns x 3, of uint8.

        `nets` are others in the place of its own three.
        """
        with torch.no_grad():
            boxes, points = self._detect(
                picture, SMALLEST, *(nets or self.nets), THRESHOLDS, FACTOR, torch.device("cpu")
            )
        return boxes[0].astype(np.float32), points[0].astype(np.float32)


def _stand_in() -> None:
    """Give MTCNN the one function that it takes of torchvision.

    torchvision's wheels work with nothing but the build of torch that they were made with.
    """
    boxes: Any = ModuleType("torchvision.ops.boxes")
    boxes.batched_nms = batched_nms
    transforms: Any = ModuleType("torchvision.transforms")
    transforms.functional = None  # cuts faces out, which is not done here
    sys.modules |= {each.__name__: each for each in (boxes, transforms)}
    sys.modules |= {name: ModuleType(name) for name in ("torchvision", "torchvision.ops")}


def batched_nms(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float
) -> torch.Tensor:
    """Return which boxes stay, best first, where none overlaps a better one of its group by more.

    The overlap is the area that two boxes share, over the area that they cover.
    """
    order = torch.sort(scores, descending=True, stable=True).indices
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[order, :2])
        high = torch.minimum(boxes[best, 2:4], boxes[order, 2:4])
        shared = (high - low).clamp(min=0).prod(1)
        overlap = shared / (areas[best] + areas[order] - shared)
        order = order[(overlap <= threshold) | (groups[order] != groups[best])]
    return torch.stack(kept) if kept else order
