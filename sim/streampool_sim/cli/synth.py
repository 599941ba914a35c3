"""The verb `synth`, and what it prints of a placement."""

import json
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES, Placement, place, place_runtime
from streampool_hw.fpga.flow import FREQ_MHZ, SEEDS

from .. import files
from ..netlist_check import check_core, check_runtime
from ..progress import Progress
from ..refusals import Refused
from ..words import checked, count, table
from . import common, runtime_options, values
from .command import Options, option, under, verb

EXAMPLES = """\
examples:
  streampool synth --kernel 2 --shape 1x224x224 --device ecp5-85k-6
  streampool synth --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 \\
    --device ecp5-25k-6 --seeds 5 --json here.json
  streampool synth --runtime --max-partials 2 --max-row 2304 --device ecp5-85k-6

The core alone is counted; it is placed between registers, so that pins are in no path. Its clock is
the lower one of the placer's median and of what its cells take, where that is known. Before it is
placed, frames go through its netlist and are checked against the golden model, which takes seconds.
Needs the extra streampool[fpga]. Exit: 0 placed, 2 refused, or the device cannot take it. The JSON
is written, with the reason, where the device cannot take it or a program is missing; not where the
arguments are refused.
"""


@verb(
    "synth",
    EXAMPLES,
    *common.spec_options(),
    *under(
        "what is placed, and where",
        common.shape_option(unless="runtime"),
        common.lanes_option(),
        *common.columns_options(),
        common.resync_option(),
        common.slices_option(),
        common.own_streams_option(),
        option("--device", DEVICES, "DEVICE", "one of {}", required=True),
        common.freq_option("clock that the placer is asked for", FREQ_MHZ),
        option(
            "--seeds", values.positive, "N", "placements, each from another start", default=SEEDS
        ),
        option("--json", Path, "FILE", "write it all there"),
        common.no_check_option(),
    ),
    *runtime_options.core_options(),
)
def command(options: Options) -> int:
    """Place the core, and print what it comes to."""
    how: dict[str, Any] = {"seeds": options.seeds, "freq_mhz": options.freq}
    if options.runtime:
        also = ("device", "freq", "seeds", "json", "no_check", "resync")
        maxima = runtime_options.maxima_of(options, also)
        _check_json(options)
        check = None if options.no_check else check_runtime
        with Progress("synthesizing and placing", "done") as progress:
            device = DEVICES[options.device]
            how |= {"resync": options.resync}
            placement = place_runtime(maxima, device, check=check, progress=progress, **how)
        return _told(options, placement)
    runtime_options.refuse_alone(runtime_options.core_options())
    job = common.pool_job(options)
    common.check_slices(options, job)
    _check_json(options)
    common.warn_of(job)  # before minutes are spent, and also where the device refuses it
    with Progress("synthesizing and placing", "done") as progress:
        placement = place(
            job,
            DEVICES[options.device],
            resync=options.resync,
            slices=options.slices,
            own_streams=options.own_streams,
            check=None if options.no_check else check_core,
            progress=progress,
            **how,
        )
    return _told(options, placement)


def _check_json(options: Options) -> None:
    if options.json is not None:
        files.check_writable(options.json)


def _told(options: Options, placement: Placement) -> int:
    """Write and print what a core comes to, or refuse what the device did not take."""
    if options.json is not None:
        write_whole({options.json: json.dumps(placement.to_json(), indent=2) + "\n"})
    if placement.reason is not None:
        raise Refused(placement.reason)
    print(summary(placement))
    return 0


def summary(placement: Placement) -> str:
    """Say in a few lines what a core comes to."""
    assert placement.fmax_median_mhz is not None and placement.values_per_second is not None
    seeds = ", ".join(f"{clock:.0f}" for clock in placement.fmax_mhz)
    available = placement.placer_available
    cells = {
        "carry cell": placement.carry,
        "FF": placement.ff,
        "LUT RAM": placement.lut_ram,
        "block RAM": placement.block_ram,
        "DSP": placement.dsp,
    }
    counts = [count(number, name) for name, number in cells.items() if number is not None]
    uses = [
        f"{used:,} of {available[name]:,} {name} ({used / available[name]:.1%})"
        for name, used in placement.placer_cells.items()
    ]
    path = placement.critical_path
    rows = {
        "device": f"{placement.device} ({placement.part})",
        "clock": f"{placement.clock_mhz:.1f} MHz, {_bound(placement)}",
        "paths": f"{placement.fmax_median_mhz:.1f} MHz, the placer's median of {seeds};"
        f" best {placement.fmax_best_mhz:.1f}",
        "frames": ""
        if placement.frames_per_second is None
        else f"{placement.frames_per_second:,.1f} per second at the clock,"
        f" {placement.cycles_per_frame:,} cycles each",
        "values": f"{placement.values_per_second / 1e6:,.1f} million per second",
        "core": ", ".join([f"{placement.lut4} LUT4", *counts]),
        "netlist": checked(placement.netlist_checked, placement.netlist_unchecked),
        "placer": f"counts {', '.join(uses)}, with the registers around it",
        "longest": path["words"] if path else "no path from register to register",
        "tools": ", ".join(f"{name} {version}" for name, version in placement.tools.items())
        + f"; asked for {placement.freq_mhz:g} MHz",
    }
    return table(rows.items())


def _bound(placement: Placement) -> str:
    """Say whether the placer or the silicon sets the clock."""
    if placement.silicon_mhz is None:
        return "the placer's; the silicon's limit is not known"
    if placement.bound_by == "silicon":
        return f"the silicon's limit ({placement.silicon_cell})"
    silicon = f"{placement.silicon_mhz:.1f} ({placement.silicon_cell})"
    return f"the placer's; the silicon's limit is {silicon}"
