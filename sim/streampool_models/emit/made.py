"""What was made of a layer."""

from dataclasses import dataclass, field
from typing import Any

from streampool_hw.fpga import Placement

from ..layer import Layer


@dataclass(frozen=True)
class Made:
    """What was made of a layer.

    Attributes
    ----------
    layer : Layer
        The layer.
    module : str or None
        The core's module, whose name its files have; None where there is no core.
    about : dict
        What ``MODULE.json`` says; empty where there is no core.
    placement : Placement or None
        What it came to on a device; None where it was not placed.
    """

    layer: Layer
    module: str | None = None
    about: dict[str, Any] = field(default_factory=dict)
    placement: Placement | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the manifest has of it."""
        return {
            **self.layer.to_json(),
            "module": self.module,
            "latency_cycles": self.about.get("latency_cycles"),
            "placement": None if self.placement is None else self.placement.to_json(),
        }
