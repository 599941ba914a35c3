"""The pooling layers of known networks, at their full size."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .fields import MOST_AXES
from .spec import PoolSpec

FIELDS = ("op", "kernel", "stride", "padding", "dilation", "ceil_mode", "count_include_pad")


@dataclass(frozen=True)
class Layer:
    """A pooling layer of a network.

    Attributes
    ----------
    net : str
        The network's name, such as ``"resnet50"``.
    spec : PoolSpec
        What the layer computes, on int8.
    shape, out_shape : tuple of int
        A frame in and out, ``(C, *size)``.
    source : {"traced", "published"}
        Whether it was traced in torchvision or taken from the published architecture.
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
            PoolSpec(**{name: layer[name] for name in FIELDS if name in layer}),
            (layer["channels"], *layer["size"]),
            (layer["channels"], *layer["out"]),
            layer["source"],
        )
        for layer in json.loads(text)
        if len(layer["kernel"]) <= MOST_AXES
    )
