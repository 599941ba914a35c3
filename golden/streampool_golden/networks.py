"""The pooling layers of known networks, at their full size."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .fields import MOST_AXES
from .spec import PoolSpec


@dataclass(frozen=True)
class Layer:
    """A pooling layer of a network, on int8, and the shapes of a frame in and out.

    Its `source` says whether it was traced in torchvision or taken from the published architecture.
    """

    net: str
    spec: PoolSpec
    shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    source: str

    @property
    def name(self) -> str:
        """The network and the shape: ``"resnet50 64x112x112"``."""
        return f"{self.net} {'x'.join(map(str, self.shape))}"


@cache
def networks() -> tuple[Layer, ...]:
    """Return the pooling layers of the networks in ``data/networks.json``, in its order.

    Layers of more axes than a specification may have are left out.
    """
    text = (resources.files("streampool_golden") / "data" / "networks.json").read_text("utf-8")
    return tuple(
        Layer(
            layer["net"],
            PoolSpec(**layer["spec"]),
            tuple(layer["shape"]),
            tuple(layer["out_shape"]),
            layer["source"],
        )
        for layer in json.loads(text)
        if len(layer["shape"]) <= 1 + MOST_AXES
    )
