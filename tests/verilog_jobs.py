"""Jobs whose Verilog is looked at: every operation, and lanes, types and axes of all kinds."""

import json
from pathlib import Path

from streampool_golden import PoolJob, PoolSpec
from streampool_hw.export.verilog import write_verilog

JOBS = {
    "max_fold": PoolJob(PoolSpec(op="max", kernel=3, stride=2, padding=1), (3, 9, 8), lanes=2),
    "avg_border": PoolJob(
        PoolSpec(op="avg", kernel=3, stride=1, padding=1, count_include_pad=False),
        (2, 6, 7),
        lanes=2,
    ),
    "avg_wide": PoolJob(
        PoolSpec(op="avg", kernel=7, dtype="int16", rounding="half_even"), (8, 7, 7), lanes=8
    ),
    "avg_divisor": PoolJob(
        PoolSpec(
            op="avg",
            kernel=2,
            divisor_override=-3,
            dtype="uint8",
            out_dtype="int8",
            rounding="floor",
        ),
        (1, 4, 6),
    ),
    "sum_clamped": PoolJob(
        PoolSpec(op="sum", kernel=5, stride=3, dtype="int5", clamp=(-9, 40), ndim=1), (3, 40)
    ),
    "sum_wide": PoolJob(PoolSpec(op="sum", kernel=3, dtype="int32"), (1, 9, 9)),
    "min_ceil": PoolJob(
        PoolSpec(op="min", kernel=2, stride=3, dilation=2, ceil_mode=True, dtype="uint12"),
        (2, 8, 9),
        lanes=1,
    ),
    "max_grow": PoolJob(
        PoolSpec(op="max", kernel=2, stride=1, padding=1, dtype="uint1"), (1, 5, 5)
    ),
    "max_rows": PoolJob(PoolSpec(op="max", kernel=(3, 1), stride=(2, 1)), (1, 64, 300)),
    "l2_whole": PoolJob(PoolSpec(op="l2", kernel="global", dtype="uint8"), (3, 4, 5), lanes=2),
    "lp1_planes": PoolJob(PoolSpec(op="lp1", kernel=2, ndim=3, dtype="int5"), (2, 2, 4, 4)),
    "avg_to": PoolJob(PoolSpec(op="avg", adaptive=(8, 5)), (1, 6, 7)),
    "through": PoolJob(PoolSpec(op="max", kernel=1), (2, 1, 1)),
    "one_value": PoolJob(
        PoolSpec(op="avg", kernel=1, dtype="uint8", rounding="trunc", ndim=1), (1, 1)
    ),
}


def write(job: str, folder: Path, name: str | None = None) -> tuple[str, dict]:
    """Return the Verilog and the JSON of a job."""
    written = write_verilog(JOBS[job], folder, name)
    return written.verilog.read_text(), json.loads(written.about.read_text())
