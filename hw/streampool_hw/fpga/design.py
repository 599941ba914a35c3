"""A core that is to be placed: its gates, and what a placement says of it."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from streampool_golden import PoolJob

from ..base import Core
from ..export import gates, yosys
from ..registry import make_core
from ..resync import ResyncCore
from ..runtime.maxima import Maxima
from ..runtime.resync import RuntimeResyncCore, runtime_core
from ..slices import StreamSlices, slice_core
from . import silicon
from .around import around
from .devices import Device

WIDE = 128
"""Values a beat beyond which nextpnr's second router is used for a core that is not cut into
slices: it takes minutes where the first takes half an hour for the last hundred wires. Slices have
no such wires, and the first router gives them half as much clock again."""

HEED_TIMING = ("--placer-heap-timingweight", "100")
"""How much nextpnr's placer heeds timing in a core that is cut into slices, and in a run-time core
with its large stores. Its own 10 leaves a few wires half a device long."""

LIMIT_S = 900
"""Seconds of a processor after which a seed is stopped that does not end routing. Some leave the
first router circling around a few wires; the others end in a fifth of it, at any width."""


@dataclass(frozen=True)
class Design(ABC):
    """A core for a device, elaborated and ready for synthesis."""

    core: Any  # what stands alone, of any kind: of slices with streams of their own the first one
    device: Device
    alone: str  # RTLIL of it
    between: str  # of the whole core between registers
    slices: int = 1
    streams: int = 1  # side by side on each side

    @classmethod
    def of(
        cls,
        job: PoolJob,
        device: Device,
        *,
        resync: bool = False,
        slices: int = 1,
        own_streams: bool = False,
    ) -> "JobDesign":
        """Elaborate a job's core for a device, cut into slices, each with its `own_streams`."""
        if slices > 1 and own_streams:
            whole = StreamSlices(job, slices, family=device.family)
            core: Core = slice_core(whole.slices.slice_job, device.family)
        else:
            how = {"family": device.family, "resync": resync, "slices": slices}
            core, whole = (make_core(job, **how) for _ in range(2))  # each elaborated once
        between = yosys.to_rtlil(around(whole), "between")
        alone = yosys.to_rtlil(core, "core")
        streams = slices if own_streams else 1
        return JobDesign(core, device, alone, between, slices, streams, job=job)

    @property
    @abstractmethod
    def values(self) -> int:
        """Values of a beat."""

    @property
    @abstractmethod
    def ndim(self) -> int:
        """Spatial axes of a frame."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return those fields of a `Placement` that are the design's."""

    @abstractmethod
    def rates(self, placer_mhz: float, limit: silicon.Limit | None) -> dict[str, Any]:
        """Return those that follow from the placer's clock and the silicon's limit."""

    @property
    def routing(self) -> tuple[str, ...]:
        """The placer's options that are for this design."""
        if self.slices > 1:
            return HEED_TIMING
        return ("--router", "router2") if self._is_wide else ()

    @property
    def limit_s(self) -> int | None:
        """Seconds that a seed may take of a processor; the second router always ends."""
        return None if self._is_wide else LIMIT_S

    @property
    def _is_wide(self) -> bool:
        """Whether it is for the second router."""
        return self.slices == 1 and self.values > WIDE

    def fingerprint(self, seeds: int, freq_mhz: float, versions: Sequence[str]) -> str:
        """Return what changes when the gates, the device, a setting or a tool's version does."""
        parts = (*self._digests, self.device, (seeds, freq_mhz), [*versions], *self.routing)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]

    @cached_property
    def _digests(self) -> tuple[str, ...]:
        """Those of the gates, which take longer than all else about a key."""
        return tuple(gates.digest(each) for each in (self.alone, self.between))


@dataclass(frozen=True, kw_only=True)
class JobDesign(Design):
    """The core of a job."""

    job: PoolJob

    @property
    def values(self) -> int:
        """Values of a beat in."""
        return self.job.layout_in.values

    @property
    def ndim(self) -> int:
        """Spatial axes of a frame."""
        return self.job.spec.ndim

    def facts(self) -> dict[str, Any]:
        """Return those fields of a `Placement` that are the design's."""
        job, sliced = self.job, self.slices > 1
        return {
            "spec": job.spec.to_json(),
            "shape": list(job.shape),
            "lanes": job.lanes,
            "columns": [job.columns, job.columns_out] if job.has_columns else None,
            "resync": isinstance(self.core, ResyncCore),
            "slices": self.slices if sliced else None,
            "streams": self.streams if sliced else None,
            "cycles_per_frame": self.core.cycles_bound,
        }

    def rates(self, placer_mhz: float, limit: silicon.Limit | None) -> dict[str, Any]:
        """Return those that follow from the placer's clock and the silicon's limit."""
        return clock_and_rates(placer_mhz, limit, self.core.cycles_bound, self.job.shape)


@dataclass(frozen=True, kw_only=True)
class RuntimeDesign(Design):
    """A core whose job changes while it runs."""

    maxima: Maxima

    @classmethod
    def of_maxima(cls, maxima: Maxima, device: Device, *, resync: bool = False) -> "RuntimeDesign":
        """Elaborate it for a device."""
        made = [runtime_core(maxima, family=device.family, resync=resync) for _ in range(2)]
        core, whole = made
        between, alone = yosys.to_rtlil(around(whole), "between"), yosys.to_rtlil(core, "core")
        return cls(core, device, alone, between, maxima=maxima)

    @property
    def values(self) -> int:
        """Values of a beat."""
        return self.maxima.lanes

    @property
    def routing(self) -> tuple[str, ...]:
        """The placer's options that are for this design."""
        return HEED_TIMING

    @property
    def ndim(self) -> int:
        """Spatial axes of a frame: rows and columns."""
        return 2

    def facts(self) -> dict[str, Any]:
        """Return those fields of a `Placement` that are the design's."""
        found: dict[str, Any] = dict.fromkeys(("spec", "shape", "cycles_per_frame"))
        found |= {"resync": isinstance(self.core, RuntimeResyncCore)}
        return found | {"lanes": self.maxima.lanes, "maxima": asdict(self.maxima)}

    def rates(self, placer_mhz: float, limit: silicon.Limit | None) -> dict[str, Any]:
        """Return those that follow from the placer's clock and the silicon's limit."""
        found = silicon.clock(placer_mhz, limit)
        values = found["clock_mhz"] * 1e6 * self.maxima.lanes  # a beat in per clock
        return found | {"values_per_second": round(values, 3)}


def clock_and_rates(
    placer_mhz: float, limit: silicon.Limit | None, cycles: int, shape: Sequence[int]
) -> dict[str, Any]:
    """Return the fields of a `Placement` that follow from the placer's clock and the silicon's."""
    found = silicon.clock(placer_mhz, limit)
    frames = found["clock_mhz"] * 1e6 / cycles
    rates = {"frames_per_second": frames, "values_per_second": frames * math.prod(shape)}
    return found | {name: round(rate, 3) for name, rate in rates.items()}
