"""The pooling layers that are measured: of known networks, or of whoever asks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from streampool_golden import PoolJob, PoolSpec, SpecError, UnevenAxis
from streampool_golden.networks import networks

QUICK = ("resnet50-1", "resnet50-2", "googlenet-3", "vgg16-5", "yolov8n_sppf-1", "m5_speech-1")
"""The layers of the quick set: both ends of a ResNet, a stride of 1, a large kernel, 1-D."""


@dataclass(frozen=True)
class Layer:
    """A pooling layer: what is computed on int8 frames of one shape, channels first."""

    name: str
    """The first network that has it, and the layer's number there, from 1."""
    spec: PoolSpec
    shape: tuple[int, ...]
    nets: dict[str, int] = field(default_factory=dict, hash=False)
    """How often each network has it."""

    @cached_property
    def job(self) -> PoolJob:
        """The layer with one lane: its axes, divisors and sizes."""
        return PoolJob(self.spec, self.shape, 1)

    @property
    def title(self) -> str:
        """What is pooled, in a few words."""
        spec = self.spec
        words = [f"{spec.op} {_by(spec.kernel)}", f"/{_by(dict.fromkeys(spec.stride))}"]
        pads = dict.fromkeys(
            f"{axis.before}" if axis.before == axis.after else f"{axis.before}:{axis.after}"
            for axis in self.job.axes
        )
        if set(pads) != {"0"}:
            words.append(f"pad {'x'.join(pads)}")
        if spec.dilation != (1,) * spec.ndim:
            words.append(f"dilation {_by(dict.fromkeys(spec.dilation))}")
        return f"{' '.join(words)}, {_by(self.shape)}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        axes = self.job.axes
        taps = self.shape[0] * math.prod(
            sum(len(axis.taps(at)) for at in range(axis.outputs)) for axis in axes
        )
        moved = (
            self.job.beats_in * self.spec.in_dtype.numpy.itemsize,
            self.job.beats_out * self.job.output.numpy.itemsize,
        )
        return {
            "layer": self.name,
            "title": self.title,
            "nets": dict(self.nets),
            "op": self.spec.op,
            "kernel": list(self.spec.kernel),
            "stride": list(self.spec.stride),
            "padding": [[axis.before, axis.after] for axis in axes],
            "dilation": list(self.spec.dilation),
            "shape": list(self.shape),
            "out_shape": list(self.job.out_shape),
            "values_in": self.job.beats_in,
            "values_out": self.job.beats_out,
            "taps": taps,
            "taps_per_byte": taps / max(moved),
            "spec": self.spec.to_json(),
        }


@dataclass(frozen=True)
class Layers:
    """What is to be measured."""

    layers: tuple[Layer, ...]
    """Each once, however many networks have it."""
    order: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The layers of each network, in its order."""
    whole: bool = False
    """Whether these are all networks."""


def _by(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))


def network_names() -> list[str]:
    """Return the networks whose layers are known."""
    return list(dict.fromkeys(layer.net for layer in networks()))


def network_layers(nets: Sequence[str] | None = None, quick: bool = False) -> Layers:
    """Return the layers of all or some networks, or `QUICK` of them, each only once."""
    known = network_names()
    found: dict[tuple[PoolSpec, tuple[int, ...]], Layer] = {}
    order: dict[str, list[str]] = {}
    for each in networks():
        names = order.setdefault(each.net, [])
        name = f"{each.net}-{len(names) + 1}"
        layer = found.setdefault((each.spec, each.shape), Layer(name, each.spec, each.shape))
        layer.nets[each.net] = layer.nets.get(each.net, 0) + 1
        names.append(layer.name)
    wanted = [net for net in known if nets is None or net in nets]
    layers = [layer for layer in found.values() if any(net in wanted for net in layer.nets)]
    if quick:
        return Layers(tuple(layer for layer in layers if layer.name in QUICK))
    return Layers(tuple(layers), {net: tuple(order[net]) for net in wanted}, nets is None)


def layer_of(spec: PoolSpec, shape: Sequence[int]) -> Layers:
    """Return a layer of the user's; sizes that its frames decide are written out."""
    if spec.adaptive is not None:
        axes = PoolJob(spec, tuple(shape), 1).axes
        if any(isinstance(axis, UnevenAxis) for axis in axes):
            raise SpecError(
                "adaptive",
                f"adaptive {spec.adaptive} has windows of two lengths on {tuple(shape[1:])}, which"
                " no operator here has; use outputs that divide the input.",
            )
        spec = spec.replace(
            adaptive=None,
            kernel=tuple(axis.kernel for axis in axes),
            stride=tuple(axis.stride for axis in axes),
            padding=tuple((axis.before, axis.after) for axis in axes),
            count_include_pad=False,
        )
    return Layers((Layer("given", spec, tuple(shape)),))
