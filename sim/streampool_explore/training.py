"""The designs that the cost model is fitted on, and the whole space that the search is judged by.

``python -m streampool_explore.training --store build/store`` places what was never placed of
them, the smallest first, with one seed each, and goes on where it was stopped.
``python -m streampool_explore.fit`` then makes the fit.
"""

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from streampool_farm.farm import Farm
from streampool_farm.store import FOLDER as STORE
from streampool_golden import PoolJob, PoolSpec
from streampool_sim.progress import Progress

from .placed import placed
from .rows import shipped

DEVICES = {"ecp5-25k-6": 320, "ice40-hx8k": 40}
"""The devices that they are placed on, and the most bits of a beat there."""

Frames = tuple[tuple[tuple[int, ...], int, int], ...]
"""Shapes, each with lanes and columns."""

DESIGNS: tuple[tuple[PoolSpec, Frames], ...] = (
    (
        PoolSpec("max", 2),
        (
            *(((16, 416, 416), 1, 1), ((32, 208, 208), 2, 2), ((64, 104, 104), 8, 1)),
            *(((256, 26, 26), 4, 2), ((8, 64, 64), 1, 8), ((24, 40, 96), 2, 5)),
            ((128, 52, 52), 16, 1),
        ),
    ),
    (
        PoolSpec("max", 3, 2, 1),
        (
            *(((64, 112, 112), 1, 1), ((64, 112, 112), 4, 2), ((16, 30, 40), 2, 4)),
            ((192, 28, 28), 6, 1),
        ),
    ),
    (PoolSpec("max", 3, 2), (((64, 55, 55), 3, 1), ((96, 27, 27), 8, 1), ((32, 63, 64), 1, 8))),
    (
        PoolSpec("max", 3, 1, 1),
        (
            *(((32, 14, 14), 1, 1), ((128, 28, 28), 4, 1), ((16, 30, 30), 2, 2)),
            *(((192, 28, 28), 10, 1), ((3, 60, 80), 1, 4)),
        ),
    ),
    (PoolSpec("max", 3, 1), (((16, 33, 31), 2, 1), ((4, 200, 320), 1, 2))),
    (
        PoolSpec("max", 2, 1, ((0, 1), (0, 1))),
        (((512, 13, 13), 1, 1), ((512, 13, 13), 8, 1), ((64, 26, 26), 3, 2)),
    ),
    (PoolSpec("max", 5, 1, 2), (((64, 20, 20), 1, 1), ((256, 20, 20), 4, 1), ((16, 20, 20), 2, 2))),
    (PoolSpec("max", 5, 3), (((32, 52, 50), 4, 1), ((8, 100, 100), 1, 5))),
    (PoolSpec("max", 7, 2, 3), (((16, 56, 56), 2, 1), ((8, 40, 40), 1, 4))),
    (PoolSpec("max", (7, 3), (1, 2), (3, 1)), (((16, 28, 30), 4, 1),)),
    (PoolSpec("min", 2), (((16, 128, 128), 4, 1), ((8, 48, 48), 2, 4))),
    (PoolSpec("min", 3, 1, 1), (((16, 24, 24), 1, 1), ((64, 14, 14), 6, 1))),
    (PoolSpec("min", 4, 2, 1), (((32, 32, 32), 2, 2),)),
    (
        PoolSpec("avg", 2),
        (
            *(((6, 28, 28), 1, 1), ((6, 28, 28), 6, 1), ((16, 10, 10), 4, 2)),
            *(((16, 10, 10), 2, 1), ((64, 112, 112), 8, 1), ((8, 56, 56), 1, 4)),
            ((256, 56, 56), 16, 1),
        ),
    ),
    (
        PoolSpec("avg", 3, 1, 1, count_include_pad=False),
        (
            *(((16, 28, 28), 1, 1), ((64, 28, 28), 4, 1), ((32, 14, 14), 8, 1)),
            ((8, 24, 24), 1, 3),
        ),
    ),
    (PoolSpec("avg", 3, 2, 1), (((64, 28, 28), 2, 1), ((16, 40, 40), 1, 4), ((128, 14, 14), 8, 1))),
    (PoolSpec("avg", 3), (((9, 27, 27), 3, 1), ((8, 30, 30), 2, 3))),
    (PoolSpec("avg", 7), (((512, 7, 7), 1, 1), ((512, 7, 7), 8, 1), ((64, 14, 14), 4, 1))),
    (PoolSpec("avg", (5, 3), 3), (((64, 17, 17), 2, 1), ((32, 35, 36), 4, 2))),
    (
        PoolSpec("avg", adaptive="global"),
        (((256, 7, 7), 1, 1), ((512, 8, 8), 8, 1), ((1000, 13, 13), 4, 1)),
    ),
    (PoolSpec("avg", adaptive=1), (((64, 16, 16), 2, 1),)),
    (PoolSpec("sum", 2), (((16, 64, 64), 2, 1), ((8, 32, 32), 4, 2))),
    (PoolSpec("sum", 3, 1, 1), (((16, 30, 30), 1, 1), ((64, 14, 14), 6, 1))),
    (PoolSpec("sum", 4, 2, 1), (((8, 32, 32), 2, 2),)),
    (PoolSpec("l2", 2), (((16, 32, 32), 1, 1), ((64, 28, 28), 4, 1), ((8, 32, 32), 1, 2))),
    (PoolSpec("l2", 3, 2), (((16, 33, 33), 2, 1),)),
    (
        PoolSpec("max", (4,)),
        (((32, 3981), 1, 1), ((64, 1000), 8, 1), ((1, 16000), 1, 8), ((16, 400), 2, 4)),
    ),
    (PoolSpec("max", (2,)), (((128, 125), 4, 1),)),
    (PoolSpec("max", (3,), 2, 1), (((32, 500), 2, 2),)),
    (PoolSpec("max", (48,)), (((100, 48), 4, 1),)),
    (PoolSpec("avg", (2,)), (((128, 125), 2, 1), ((128, 124), 8, 1), ((1, 4000), 1, 4))),
    (PoolSpec("avg", (5,), 1, 2), (((8, 1000), 2, 1),)),
    (PoolSpec("avg", (3,), 2, 1, count_include_pad=False), (((16, 300), 4, 1),)),
    (PoolSpec("max", 3, 2, 1, dtype="uint8"), (((64, 56, 56), 4, 1), ((16, 56, 56), 1, 2))),
    (PoolSpec("avg", 2, dtype="uint8"), (((3, 224, 224), 3, 1), ((32, 28, 28), 4, 2))),
    (PoolSpec("max", 2, dtype="uint8"), (((32, 64, 64), 5, 1),)),
    (
        PoolSpec("max", 2, dtype="int16"),
        (((16, 32, 32), 2, 1), ((64, 104, 104), 8, 1), ((8, 64, 64), 1, 4)),
    ),
    (PoolSpec("max", 3, 1, 1, dtype="int16"), (((16, 28, 28), 2, 1),)),
    (PoolSpec("avg", 2, dtype="int16"), (((16, 28, 28), 4, 1),)),
    (PoolSpec("avg", 3, 2, 1, dtype="int16"), (((16, 28, 28), 1, 1), ((8, 28, 28), 4, 1))),
)
"""Specifications, each with frames, lanes and columns."""

WHOLE = (
    (PoolSpec("max", 2), (40, 16, 40)),
    (PoolSpec("avg", 2), (24, 12, 24)),
    (PoolSpec("max", 3, 2, 1), (32, 16, 32)),
)
WHOLE_DEVICE, WHOLE_VALUES = "ecp5-25k-6", 16
"""Layers of which every core of so many values a beat is placed, to judge the search by."""


def designs(device: str) -> list[PoolJob]:
    """Return the jobs of a device, those of the narrowest beats first."""
    jobs = [
        PoolJob(spec, shape, lanes, columns)
        for spec, frames in DESIGNS
        for shape, lanes, columns in frames
    ]
    jobs = [job for job in jobs if _bits(job) <= DEVICES[device]]
    return sorted(jobs, key=_bits)


def whole_space(most: int = WHOLE_VALUES) -> list[list[PoolJob]]:
    """Return every core of each layer of `WHOLE`, those of the narrowest beats first."""
    return [
        sorted(
            (
                PoolJob(spec, shape, lanes, columns)
                for lanes in range(1, most + 1)
                for columns in range(1, most // lanes + 1)
            ),
            key=_bits,
        )
        for spec, shape in WHOLE
    ]


def _bits(job: PoolJob) -> int:
    return job.layout_in.values * job.input.bits


def _wanted(device: str, whole: int) -> Iterator[PoolJob]:
    """Yield what was not placed."""
    known = {row.job for row in shipped() if row.device == device}
    spaces = whole_space(whole) if device == WHOLE_DEVICE else []
    jobs = [*designs(device), *chain.from_iterable(spaces)]
    return (job for job in dict.fromkeys(jobs) if job not in known)


def main() -> None:
    """Place them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--device", choices=DEVICES, help="one device (all)")
    parser.add_argument("--whole", type=int, default=WHOLE_VALUES, help="values of the whole space")
    parser.add_argument("--scheduler", help="address of a Dask scheduler (workers here)")
    parser.add_argument("--workers", type=int, help="workers here (the processors)")
    given = parser.parse_args()
    for device in [given.device] if given.device else DEVICES:
        jobs = [*_wanted(device, given.whole)]
        with (
            Farm(given.store, given.scheduler, given.workers) as farm,
            Progress(f"placing {len(jobs)} designs on {device}", "placed", "designs") as progress,
        ):
            for done, _ in enumerate(placed(farm, device, jobs, check=False), 1):
                progress(done, len(jobs))


if __name__ == "__main__":
    main()
