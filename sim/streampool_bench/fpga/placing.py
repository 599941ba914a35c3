"""Placements as tasks, which any worker may do that has the same tools and the same sources."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

from streampool_farm.task import Task, TaskFailed
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.fpga import tools
from streampool_hw.fpga.devices import DEVICES
from streampool_hw.fpga.flow import FREQ_MHZ, RARE, Design, Placement, place_design
from streampool_sim.netlist_check import check_core

RUN = f"{__name__}:run"

FIELDS = tuple(each.name for each in fields(Placement) if each.name not in RARE)
"""What every result has."""


def versions_for(device: str) -> list[str]:
    """Return the versions of the tools for a device, as keys are made of."""
    return [*tools.versions(DEVICES[device].placer).values()]


def design_of(payload: dict[str, Any]) -> Design:
    """Elaborate the design of a task."""
    spec, shape = PoolSpec.from_json(payload["spec"]), payload["shape"]
    job = PoolJob(spec, shape, payload["lanes"], *payload["columns"])
    how = {"slices": payload["slices"], "own_streams": payload["own_streams"]}
    return Design.of(job, DEVICES[payload["device"]], **how)


def key_of(design: Design, seeds: int, *, check: bool, versions: Sequence[str]) -> str:
    """Return the hash of all that a placement rests on."""
    return design.fingerprint(seeds, FREQ_MHZ, versions) + "-unchecked" * (not check)


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

    With `check`, frames go through its netlist first. The `design` is elaborated unless it is
    there. The result is a `Placement` as JSON, also
    where the device does not take it, which is then its reason.
    """
    payload = {
        **{"spec": job.spec.to_json(), "shape": [*job.shape], "lanes": job.lanes},
        **{"columns": [job.columns, job.columns_out], "device": device, "seeds": seeds},
        **{"check": check, "slices": slices, "own_streams": own_streams},
    }
    design = design_of(payload) if design is None else design
    key = key_of(design, seeds, check=check, versions=versions_for(device))
    return Task(RUN, payload | {"key": key}, key, label or f"{job.title} on {device}", FIELDS)


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Place what a task says."""
    design, seeds, check = design_of(payload), payload["seeds"], payload["check"]
    versions = versions_for(payload["device"])
    if key_of(design, seeds, check=check, versions=versions) != payload["key"]:
        raise TaskFailed(
            "this worker has other sources or other tools than the command:"
            f" {', '.join(versions)}; install the same on both"
        )
    with ThreadPoolExecutor(1) as pool:
        placement = place_design(
            design,
            seeds=seeds,
            freq_mhz=FREQ_MHZ,
            check=check_core if check else None,
            pool=pool,
        )
    if placement.reason is not None and not placement.reason.startswith(payload["device"]):
        raise TaskFailed(placement.reason)  # a program was killed, say: no word on the device
    return placement.to_json()
