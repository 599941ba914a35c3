"""What a PyTorch model calls, in order, without PyTorch: how modules and archives are looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fact:
    """What is known of a value.

    Parameters
    ----------
    shape : tuple of int or None
        Its lengths; None where one is not known.
    dtype : str
        Its type as `PoolSpec` names it; of a quantized tensor that of its integers.
    quantised : tuple, optional
        Scale and zero point of a quantized tensor.
    about : str, optional
        What torch rounds its average about: see `PoolSpec`'s `rounding_about`.
    channels_last : bool, optional
        Whether its channels are next to each other in memory.
    """

    shape: tuple[int, ...] | None
    dtype: str
    quantised: tuple[float, int] | None = None
    about: str = "raw"
    channels_last: bool = False


@dataclass(frozen=True)
class Call:
    """One call of a function on values.

    Parameters
    ----------
    function : str
        Its name: ``"max_pool2d"``, ``"relu"``.
    name : str
        What it is called in the model.
    op : str
        What made it: the module's class, or the function.
    arguments : mapping
        By their names in `torch.nn.functional`, without the values.
    inputs, outputs : tuple of str
        The values that it takes and gives.
    """

    function: str
    name: str
    op: str
    arguments: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass
class Trace:
    """The calls of a model in order, and what is known of the values."""

    calls: list[Call] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)

    def makers(self) -> dict[str, Call]:
        """Return of each value the call that gives it."""
        return {value: call for call in self.calls for value in call.outputs}

    def takers(self) -> dict[str, list[Call]]:
        """Return of each value the calls that take it."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            for value in call.inputs:
                found.setdefault(value, []).append(call)
        return found


PARAMETERS: dict[str, tuple[str, ...]] = {
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    "avg_pool": (
        "kernel_size",
        "stride",
        "padding",
        "ceil_mode",
        "count_include_pad",
        "divisor_override",
    ),
    "lp_pool": ("norm_type", "kernel_size", "stride", "ceil_mode"),
    "adaptive_avg_pool": ("output_size",),
    "adaptive_max_pool": ("output_size", "return_indices"),
    "fractional_max_pool": ("kernel_size", "output_size", "output_ratio"),
    "max_unpool": ("indices", "kernel_size", "stride", "padding", "output_size"),
    "mean": ("dim", "keepdim"),
    "amax": ("dim", "keepdim"),
    "clamp": ("min", "max"),
    "clamp_min": ("min",),
    "clamp_max": ("max",),
    "hardtanh": ("min_val", "max_val"),
    "quantize_per_tensor": ("scale", "zero_point", "quant_min", "quant_max", "dtype"),
    "quantize_per_channel": ("scales", "zero_points", "axis", "quant_min", "quant_max", "dtype"),
}
"""Per function what it takes after its value, in order. Those of axes have them in their name."""

PARAMETERS |= {
    "dequantize_per_tensor": PARAMETERS["quantize_per_tensor"],
    "dequantize_per_channel": PARAMETERS["quantize_per_channel"],
    "clamp_": PARAMETERS["clamp"],
    "clip": PARAMETERS["clamp"],
    "clip_": PARAMETERS["clamp"],
    "clamp_min_": PARAMETERS["clamp_min"],
    "clamp_max_": PARAMETERS["clamp_max"],
    "hardtanh_": PARAMETERS["hardtanh"],
}


def named(family: str, given: Sequence[Any], by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by their names: what is not named goes by its place."""
    return {**dict(zip(PARAMETERS.get(family, ()), given, strict=False)), **by_name}
