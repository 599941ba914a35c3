"""The gates of reference cores: ``python tests/reference_gates.py`` records them anew.

A change of a digest is a change of hardware. It goes into a commit of its own, which says why.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from amaranth.lib import wiring
from core_jobs import JOBS
from streampool_bench.fpga import JOBS as REFERENCE_JOBS
from streampool_golden import PoolJob, PoolSpec, UnpoolJob, preset
from streampool_hw import Core, PoolCore, UnpoolCore
from streampool_hw.export import yosys
from streampool_hw.export.axi import AxiCore
from streampool_hw.export.gates import digest

RECORDED = Path(__file__).with_name("reference_gates.json")

INDICES = {
    base: PoolJob(PoolSpec("max", 3, 2, 1, indices=base), (4, 7, 8), 2)
    for base in ("plane", "flat", "flat_columns", "channels_last")
}
QUANTISED = {
    "tflite": PoolJob(preset("tflite", "avg", 3, stride=2, padding="same"), (3, 7, 6), 2),
    "torch": PoolJob(
        preset("torch-quantized", "avg", 3, stride=2, padding=1, zero_points=3), (2, 7, 6)
    ),
    "onnxruntime": PoolJob(
        preset(
            "onnxruntime-qlinear", "avg", 2, dtype="uint8", scales=(0.02, 0.05), zero_points=(3, 5)
        ),
        (3, 7, 6),
        2,
    ),
}
UNPOOL = {
    "2-D": UnpoolJob((3, 2, 3), (4, 6), 2),
    "1-D": UnpoolJob((1, 4), (9,), 1, "uint5"),
}


def _between_ports(core: Core) -> AxiCore:
    return AxiCore(core, tkeep=True, tuser=True)


def cores() -> Iterator[tuple[str, Callable[[], wiring.Component]]]:
    """Yield each reference core's name and what makes it."""
    for name, job in {**JOBS, **INDICES, **QUANTISED}.items():
        yield name, lambda job=job: PoolCore(job.spec, job.shape, job.lanes)
    for name, job in UNPOOL.items():
        yield f"unpool {name}", lambda job=job: UnpoolCore(job)
        yield f"unpool {name}, axi", lambda job=job: _between_ports(UnpoolCore(job))
    for name in ("max k3 s2", "avg same", "max float16"):
        job = JOBS[name]
        yield (
            f"{name}, axi",
            lambda job=job: _between_ports(PoolCore(job.spec, job.shape, job.lanes)),
        )
    for name, job in REFERENCE_JOBS.items():
        if job.lanes <= 32:
            yield (
                f"{name}, ecp5",
                lambda job=job: PoolCore(job.spec, job.shape, job.lanes, family="ecp5"),
            )


def digests() -> dict[str, str]:
    """Return the digest of every reference core."""
    return {name: digest(yosys.to_rtlil(make(), "top")) for name, make in cores()}


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(digests(), indent=1) + "\n", encoding="utf-8")
