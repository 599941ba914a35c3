"""Placements as tasks, which any worker may do that has the same tools and the same sources."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from streampool_farm.task import Task, TaskFailed
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.fpga import tools
from streampool_hw.fpga.design import Design, RuntimeDesign
from streampool_hw.fpga.devices import DEVICES
from streampool_hw.fpga.flow import FREQ_MHZ, RARE, Placement, place_design
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.netlist_check import check_core

RUN = f"{__name__}:run"

FIELDS = tuple(each.name for each in fields(Placement) if each.name not in RARE)
"""What every result has."""

UNCHECKED = "-unchecked"
"""The end of the keys of placements whose netlists were not checked."""


def versions_for(device: str) -> list[str]:
    """Return the versions of the tools for a device, as keys are made of."""
    return [*tools.versions(DEVICES[device].placer).values()]


def design_of(payload: dict[str, Any]) -> Design:
    """Elaborate the design of a task."""
    device = DEVICES[payload["device"]]
    if "maxima" in payload:
        return RuntimeDesign.of_maxima(Maxima(**payload["maxima"]), device)
    spec, shape = PoolSpec.from_json(payload["spec"]), payload["shape"]
    job = PoolJob(spec, shape, payload["lanes"], *payload["columns"])
    how = {"slices": payload["slices"], "own_streams": payload["own_streams"]}
    return Design.of(job, device, **how)


def key_of(design: Design, seeds: int, *, check: bool, versions: Sequence[str]) -> str:
    """Return the hash of all that a placement rests on."""
    return design.fingerprint(seeds, FREQ_MHZ, versions) + UNCHECKED * (not check)


def placing(
    job: PoolJob,
    device: str,
    *,
    seeds: int,
    check: bool,
    slices: int = 1,
    own_streams: bool = False,
    label: str = "",
    design: Design | None = None,
) -> Task:
    """Return the task that places a job's core, from so many starts.

    With `check`, frames go through its netlist first; without, the result of one that was checked
    will do. The `design` is elaborated unless it is there. The result is a `Placement` as JSON,
    also where the device does not take it, which is then its reason.
    """
    what = {
        **{"spec": job.spec.to_json(), "shape": [*job.shape], "lanes": job.lanes},
        **{"columns": [job.columns, job.columns_out], "slices": slices},
        "own_streams": own_streams,
    }
    return _task(what, device, seeds, check, label or f"{job.title} on {device}", design)


def placing_runtime(maxima: Maxima, device: str, *, seeds: int, label: str) -> Task:
    """Do for a run-time core of these maxima what `placing` does for a job, without a check."""
    return _task({"maxima": asdict(maxima)}, device, seeds, False, label, None)


def _task(
    what: dict[str, Any], device: str, seeds: int, check: bool, label: str, design: Design | None
) -> Task:
    payload = {**what, "device": device, "seeds": seeds, "check": check}
    design, versions = design or design_of(payload), versions_for(device)
    key = key_of(design, seeds, check=check, versions=versions)
    also = () if check else (key.removesuffix(UNCHECKED),)
    # a seed of slices takes minutes
    keeps = design.fingerprint(0, FREQ_MHZ, versions) if design.slices > 1 else ""
    return Task(RUN, payload | {"key": key}, key, label, FIELDS, also, keeps)


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Place what a task says."""
    design, seeds, check = design_of(payload), payload["seeds"], payload["check"]
    versions = versions_for(payload["device"])
    if key_of(design, seeds, check=check, versions=versions) != payload["key"]:
        raise TaskFailed(
            "this worker has other sources or other tools than the command:"
            f" {', '.join(versions)}; install the same on both"
        )
    kept = payload.get("kept")
    with ThreadPoolExecutor(1) as pool:
        placement = place_design(
            design,
            seeds=seeds,
            freq_mhz=FREQ_MHZ,
            check=check_core if check else None,
            pool=pool,
            kept=Path(kept) if kept else None,
        )
    if placement.reason is not None and not placement.settled:
        raise TaskFailed(placement.reason)  # a program was killed, say: no word on the device
    return placement.to_json()
