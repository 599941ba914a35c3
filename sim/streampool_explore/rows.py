"""What the cost model is fitted on: placed designs, with their features and what they came to."""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw.export.yosys import ToolError
from streampool_hw.fpga.devices import DEVICES

from .features import NAMES, made

T = TypeVar("T")

DATA = Path(__file__).parent / "data" / "placed.json"
"""The designs that come with the package."""

CELLS = ("lut4", "carry", "ff", "lut_ram", "block_ram", "dsp")
"""Cells of the core alone, as a `Placement` has them."""

CLOCK = "fmax_median_mhz"
"""The placer's clock."""


@dataclass(frozen=True)
class Row:
    """A placed design."""

    key: str
    """What it was made from."""
    job: PoolJob
    device: str
    seeds: int
    features: tuple[float, ...]
    """By `NAMES`."""
    cells: tuple[float, ...]
    """By `CELLS`."""
    mhz: float
    """The placer's clock, the median of its seeds."""

    @property
    def family(self) -> str:
        """The device's."""
        return DEVICES[self.device].family

    @property
    def kind(self) -> str:
        """What it computes, but for the frame and what is side by side: ``"max 3x3 stride 2"``."""
        return kind_of(self.job.spec)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it, short."""
        return {
            "key": self.key,
            "spec": _short(self.job.spec),
            "shape": [*self.job.shape],
            "lanes": self.job.lanes,
            "columns": [self.job.columns, self.job.columns_out],
            "device": self.device,
            "seeds": self.seeds,
            "features": [int(each) for each in self.features],
            "cells": [int(each) for each in self.cells],
            "mhz": self.mhz,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Row":
        """Return what `to_json` has described."""
        spec = PoolSpec.from_json(data["spec"])
        return cls(
            data["key"],
            PoolJob(spec, data["shape"], data["lanes"], *data["columns"]),
            DEVICES[data["device"]].name,
            int(data["seeds"]),
            tuple(map(float, data["features"])),
            tuple(float(cells) for cells, _ in zip(data["cells"], CELLS, strict=True)),
            float(data["mhz"]),
        )

    @classmethod
    def of(cls, key: str, placement: dict[str, Any]) -> "Row":
        """Return that of a `Placement` as JSON; its features are worked out anew."""
        job = PoolJob(
            PoolSpec.from_json(placement["spec"]),
            placement["shape"],
            placement["lanes"],
            *(placement.get("columns") or (1, 1)),
        )
        device = placement["device"]
        return cls(
            *(key, job, device, len(placement["fmax_mhz"])),
            made(job, DEVICES[device].family).features,
            tuple(float(placement[name]) for name in CELLS),
            placement[CLOCK],
        )


def _short(spec: PoolSpec) -> dict[str, Any]:
    """Return a specification as JSON takes it, without what follows from the rest."""
    found = spec.to_json()
    for name in reversed([*found]):
        less = {k: v for k, v in found.items() if k != name}
        with contextlib.suppress(SpecError):
            if PoolSpec.from_json(less) == spec:
                found = less
    return found


def kind_of(spec: PoolSpec) -> str:
    """Say what a specification computes, in so many words as tell kinds of jobs apart."""
    if spec.adaptive is not None:
        size = f"adaptive {spec.adaptive}"
    else:
        size = "x".join(map(str, spec.kernel))
        if spec.stride != spec.kernel:
            size += f" stride {'x'.join(map(str, spec.stride))}"
    return f"{spec.op} {size} {spec.dtype}"


def is_fitted(placement: dict[str, Any]) -> bool:
    """Return whether a placement is one that the model is fitted on."""
    return bool(placement["placed"]) and not placement.get("stale") and not placement.get("slices")


def read_data(path: Path, understand: Callable[[Any], T]) -> T:
    """Return what a file of the package's data says; refuses it in a sentence if it is damaged."""
    try:
        return understand(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise ToolError(f"{path} is damaged ({said}); install streampool again") from None


@cache
def shipped() -> tuple[Row, ...]:
    """Return the designs that come with the package.

    Where these have other features than today's, their features are worked out anew.
    """
    names, rows = read_data(
        DATA, lambda data: (data["features"], tuple(map(Row.from_json, data["rows"])))
    )
    if names == [*NAMES]:
        return rows
    return tuple(replace(row, features=made(row.job, row.family).features) for row in rows)


def as_text(rows: Sequence[Row]) -> str:
    """Return rows as the text of `DATA`, a line each."""
    lines = ",\n".join(json.dumps(row.to_json(), separators=(",", ":")) for row in rows)
    return f'{{"features": {json.dumps(NAMES)},\n"rows": [\n{lines}\n]}}\n'
