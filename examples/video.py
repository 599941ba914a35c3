"""Cores for RGB video as AXI4-Stream carries it: 1080p at four pixels per clock, 4K at eight.

A beat is adjacent pixels, R, G, B, R, G, B, ...; tuser marks the start of a frame, tlast the end
of a line. `python video.py` writes the Verilog of both, sends whole random frames through each in
simulation, and says how many a second that is at 150 MHz.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from streampool import PoolJob, PoolSpec, simulate, write_verilog

CORES = {
    "video_1080p": PoolJob(
        PoolSpec("max", kernel=2, dtype="uint8"), (3, 1080, 1920), lanes=3, columns=4
    ),
    "video_4k": PoolJob(
        PoolSpec("avg", kernel=2, dtype="uint8"), (3, 2160, 3840), lanes=3, columns=8
    ),
}
"""Both halve a picture: by the brightest of four pixels, and by their mean."""

MARKS = {"tkeep": True, "tuser": True, "tlast": "line"}
"""Ports and marks of AXI4-Stream video."""

FREQ_MHZ = 150.0


def main(names: Sequence[str]) -> int:
    """Write and simulate cores, by name; return an exit status."""
    for name in names:
        job = CORES[name]
        write_verilog(job, Path(), name, **MARKS, freq_mhz=FREQ_MHZ)
        frames = np.random.default_rng(0).integers(256, size=(2, *job.shape), dtype=np.uint8)
        result = simulate(job, frames, freq_mhz=FREQ_MHZ)
        if result.mismatch:
            print(f"{name}: {result.mismatch}", file=sys.stderr)
            return 1
        cycles, rate = (result.stats[key] for key in ("cycles_per_frame", "frames_per_second"))
        print(f"{name}: {job.title}: {cycles:,.0f} cycles per frame, {rate:.0f} frames per second")
    return 0


if __name__ == "__main__":
    sys.exit(main([*CORES]))
