"""Run-time cores, synthesized and placed between registers.

``python -m streampool_hw.fpga.runtime --operations max,avg --max-partials 2`` prints what a core
comes to as JSON; its options are the fields of `Maxima`.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..export import yosys
from ..runtime.core import RuntimePoolCore
from ..runtime.maxima import Maxima
from . import paths, silicon, tools
from .around import around
from .devices import DEVICES, device_named
from .flow import FREQ_MHZ, SEEDS, place_netlist, synthesize
from .netlist import NETLIST


@dataclass(frozen=True)
class RuntimePlacement:
    """What a run-time core comes to on a device.

    Attributes
    ----------
    maxima : dict
        What it is made for.
    device : str
        The device, by its name.
    tools : dict
        Versions of the programs.
    freq_mhz : float
        What the placer was asked for.
    fmax_mhz : list of float
        The placer's clock of each seed.
    clock_mhz : float
        The lower one of their median and the silicon's.
    bound_by : str
        "placer" or "silicon", whichever is the lower one.
    cells : dict
        Cells of the core alone, by kind.
    critical_path : paths.CriticalPath or None
        Of the seed with the median clock.
    """

    maxima: dict[str, Any]
    device: str
    tools: dict[str, str]
    freq_mhz: float
    fmax_mhz: list[float]
    clock_mhz: float
    bound_by: str
    cells: dict[str, int]
    critical_path: paths.CriticalPath | None


def place_runtime(
    maxima: Maxima, device: str, *, seeds: int = SEEDS, freq_mhz: float = FREQ_MHZ
) -> RuntimePlacement:
    """Synthesize a run-time core and place it between registers, each seed from another start.

    Raises
    ------
    ToolError
        If a program is missing, or the device cannot take it.
    """
    chip = device_named(device)
    versions = tools.versions(chip.placer)
    with tempfile.TemporaryDirectory(prefix="streampool-") as name:
        alone, whole = Path(name, "alone"), Path(name, "around")
        core, inner = (RuntimePoolCore(maxima, family=chip.family) for _ in range(2))
        cells = synthesize(yosys.to_rtlil(core, "core"), chip, alone)
        synthesize(yosys.to_rtlil(around(inner), "between"), chip, whole)
        reports = [place_netlist(whole, chip, freq_mhz, seed) for seed in range(1, seeds + 1)]
        netlist = json.loads((whole / NETLIST).read_text(encoding="utf-8"))
    clocks = [
        max(float(clock["achieved"]) for clock in report["fmax"].values()) for report in reports
    ]
    middle = reports[clocks.index(statistics.median_low(clocks))]
    limit = silicon.limit_of(chip, silicon.kinds_in(netlist, chip))
    found = silicon.clock(round(statistics.median(clocks), 2), limit)
    return RuntimePlacement(
        *(asdict(maxima), chip.name, versions, freq_mhz),
        [round(clock, 2) for clock in clocks],
        *(found["clock_mhz"], found["bound_by"], cells),
        paths.describe(middle, netlist, 2),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Place one core, and print what it comes to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for field in fields(Maxima):
        kind = (lambda text: tuple(text.split(","))) if field.name == "operations" else int
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=kind, default=field.default, dest=field.name)
    parser.add_argument("--device", choices=DEVICES, default="ecp5-85k-6")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = vars(parser.parse_args(arguments))
    device, seeds = given.pop("device"), given.pop("seeds")
    placement = place_runtime(Maxima(**given), device, seeds=seeds)
    json.dump(asdict(placement), sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
