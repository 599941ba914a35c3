"""The verb `synth`: its options, and what it prints of a placement."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from streampool_golden import PoolJob
from streampool_hw.fpga import DEVICES, Device, Placement, place
from streampool_hw.fpga.flow import FREQ_MHZ, SEEDS

from . import files
from . import options as opt
from .netlist_check import check_core

NO_CHECK = "take the netlist as it is, without frames through it"

__all__ = ["EXAMPLES", "NO_CHECK", "add_options", "placed", "summary"]

EXAMPLES = """\
examples:
  streampool synth --kernel 2 --shape 1x224x224 --device ecp5-85k-6
  streampool synth --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 \\
    --device ecp5-25k-6 --seeds 5 --json here.json

The core alone is counted; it is placed between registers, so that pins are in no path. Before
that, two frames go through its netlist and are checked against the golden model, in seconds.
Needs the extra streampool[fpga]. Exit: 0 placed, 2 refused, or the device cannot take it. The JSON
is written, with the reason, where the device cannot take it or a program is missing; not where the
arguments are refused.
"""


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the verb's own options."""
    group.add_argument(
        "--device", required=True, metavar="DEVICE", help=f"one of {', '.join(DEVICES)}"
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        default=FREQ_MHZ,
        metavar="MHZ",
        help=f"clock that the placer is asked for ({FREQ_MHZ:g})",
    )
    group.add_argument(
        "--seeds",
        type=opt.positive,
        default=SEEDS,
        metavar="N",
        help=f"how often to place, each time from another start ({SEEDS})",
    )
    group.add_argument("--json", type=Path, metavar="FILE", help="write it all there")
    group.add_argument("--no-check", action="store_true", help=NO_CHECK)


def placed(
    job: PoolJob,
    device: Device,
    options: argparse.Namespace,
    progress: Callable[[int, int], None],
) -> Placement:
    """Place a job as the options say, and write the JSON if they ask for it.

    Raises
    ------
    Refused
        If the file cannot be written, before anything is placed.
    """
    target: Path | None = options.json
    if target is not None:
        files.check_writable(target)
    placement = place(
        *(job.spec, job.shape, job.lanes, device),
        seeds=options.seeds,
        freq_mhz=options.freq,
        check=None if options.no_check else check_core,
        progress=progress,
    )
    if target is not None:
        with files.replacing(target) as temporary:
            text = json.dumps(placement.to_json(), indent=2)
            temporary.write_text(text + "\n", encoding="utf-8")
    return placement


def summary(placement: Placement) -> str:
    """Say in a few lines what a core comes to."""
    assert placement.fmax_median_mhz is not None and placement.frames_per_second is not None
    seeds = ", ".join(f"{clock:.0f}" for clock in placement.fmax_mhz)
    cells = {
        "carry cell": placement.carry,
        "FF": placement.ff,
        "LUT RAM": placement.lut_ram,
        "block RAM": placement.block_ram,
        "DSP": placement.dsp,
    }
    cells = {name: number for name, number in cells.items() if number is not None}
    uses = [
        _share(name, used, placement.placer_available[name])
        for name, used in placement.placer_cells.items()
    ]
    path = placement.critical_path
    rows = {
        "device": f"{placement.device} ({placement.part})",
        "clock": f"{placement.fmax_median_mhz:.1f} MHz, the median of {seeds};"
        f" best {placement.fmax_best_mhz:.1f}",
        "frames": f"{placement.frames_per_second:,.1f} a second at the median clock,"
        f" {placement.cycles_per_frame:,} cycles each",
        "core": ", ".join(
            [f"{placement.lut4} LUT4", *(opt.count(number, name) for name, number in cells.items())]
        ),
        "placer": f"counts {', '.join(uses)}, with the registers around it",
        "longest": path["words"] if path else "no path from register to register",
        "tools": ", ".join(f"{name} {version}" for name, version in placement.tools.items())
        + f"; asked for {placement.freq_mhz:g} MHz",
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def _share(name: str, used: int, available: int) -> str:
    """Say how much of what a device has is used."""
    return f"{used:,} of {available:,} {name} ({used / available:.1%})"
