"""Run-time cores, synthesized and placed from a shell, without a check of their netlists.

``python -m streampool_hw.fpga.runtime --operations max,avg --max-partials 2`` prints what a core
comes to as JSON; its options are the fields of `Maxima`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields

from ..runtime.maxima import Maxima
from .devices import DEVICES
from .flow import SEEDS, place_runtime


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
    json.dump(placement.to_json(), sys.stdout, indent=1)
    print()
    return int(not placement.placed)


if __name__ == "__main__":
    sys.exit(main())
