"""Run-time cores of the widest use, placed: their clock and cells in docs/runtime.md."""

import json
import sys
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streampool_farm.farm import Farm
from streampool_hw.files import write_whole
from streampool_hw.runtime.maxima import Maxima

from .jobs import BAR_DEVICE
from .placing import placing_runtime

DATA = Path(__file__).with_name("data") / "runtime.json"

CORES = {
    "max": Maxima(operations=("max",)),
    "max+avg": Maxima(operations=("max", "avg")),
    "max6": Maxima(operations=("max",), max_partials=6, max_words=32),
}
"""What they are made for."""


def known() -> list[dict[str, Any]]:
    """Return the placements that come with the package."""
    return json.loads(DATA.read_text("utf-8")) if DATA.is_file() else []


def make(farm: Farm, seeds: int, jobs: Collection[str] | None = None) -> None:
    """Place the cores, or those named by `jobs`, on a farm, and keep each as it comes."""
    tasks = (
        placing_runtime(maxima, BAR_DEVICE, seeds=seeds, label=f"{name} at run time")
        for name, maxima in CORES.items()
        if jobs is None or name in jobs
    )
    rows = {_text(row["maxima"]): row for row in known()}
    for task, found in farm.run(tasks):
        text = _text(found["maxima"])
        if found["placed"] or text not in rows:  # a failure takes no placement's place
            rows[text] = {"key": task.key, **found}
        order = [_text(asdict(maxima)) for maxima in CORES.values()]
        kept = [rows[text] for text in order if text in rows]
        write_whole({DATA: json.dumps(kept, indent=1) + "\n"})
        said = f"{found['lut4']} LUT4, {found['clock_mhz']} MHz"
        said = said if found["placed"] else found["reason"]
        print(f"streampool: {task.label}: {said}", file=sys.stderr, flush=True)


def _text(maxima: dict[str, Any]) -> str:
    return json.dumps(maxima, sort_keys=True)


if __name__ == "__main__":
    from streampool_sim.cli import main

    sys.exit(main(["fpga", "--runtime", *sys.argv[1:]]))
