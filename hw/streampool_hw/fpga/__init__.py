"""What a core comes to on a device: synthesized, placed and routed with open tools."""

from .devices import DEVICES, Device, device_named
from .flow import Placement, place, place_runtime
from .tools import ToolError

__all__ = [
    "DEVICES",
    "Device",
    "Placement",
    "ToolError",
    "device_named",
    "place",
    "place_runtime",
]
