"""An activation before a maximum of floats, which commutes with it: the clamp of its core."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from streampool_golden import DType

from .grids import only_user
from .sites import Site, Unfit


@dataclass(frozen=True)
class Activation:
    """A node that keeps its values between two ends, the value that it takes, and these ends."""

    name: str
    source: str
    clamp: tuple[float, float]


def clamp_before(site: Site, dtype: str, fields: Mapping[str, Any]) -> Activation | None:
    """Return what a maximum's core can do of what stands before it.

    None where there is nothing such: an activation whose result others take, too, stays, as does
    one before indices, which it may move, and one whose ends are known only when it runs.
    """
    maker = site.scope.makers.get(site.input(0))
    if maker is None or "indices" in fields or not DType.of(dtype).is_float:
        return None
    before = Site(maker, site.scope)
    if not before.standard or only_user(site, site.input(0)) is None:
        return None
    ends = _ends(before)
    if ends is None:
        return None
    with np.errstate(over="ignore"):
        low, high = (float(np.array(end).astype(DType.of(dtype).numpy)) for end in ends)
    return Activation(maker.name, before.input(0), (low, high)) if low <= high else None


def _ends(site: Site) -> tuple[float, float] | None:
    """Return the ends that a node keeps its values between; None of any other node."""
    if site.op == "Relu":
        return 0.0, math.inf
    if site.op != "Clip":
        return None
    try:
        found = site.attributes
    except Unfit:
        return None
    ends = [found.get("min", -math.inf), found.get("max", math.inf)]
    for k in range(2):
        if name := site.input(1 + k):
            value = site.scope.constant(name)
            if value is None or value.size != 1:
                return None
            ends[k] = value.ravel()[0].item()
    low, high = map(float, ends)
    return low, high
