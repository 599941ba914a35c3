"""Write the generated blocks of README.md and docs/: ``python docs/tables.py [NAME ...]``.

Without names, all blocks are written. Those that show what another command left in ``build/`` (a
sweep's results, boards' bitstreams) are written only where that is there.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import blocks
import played
import shift
from amaranth.hdl import UnusedElaboratable
from texts import (
    bench,
    checks,
    chips,
    columns,
    cores,
    covered,
    demos,
    explore,
    runtime,
    sizes,
    width,
)


def printed(command: str) -> str:
    """Return what a command line of streampool prints, under itself, as a block of code."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "streampool_sim", *shlex.split(command)[1:]],
            capture_output=True,
            cwd=folder,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            check=True,
        )
    return f"```\n$ {command}\n{done.stdout}```\n"


EXPLAINED = "streampool explain --kernel 3 --stride 2 --padding 1 --shape 1x6x6"


EXACT: dict[str, Callable[[], str]] = {
    "indices": cores.indices,
    "software": bench.software,
    "results": cores.results,
    "bends": cores.bends,
    "axes": cores.axes,
    "uneven": sizes.uneven,
    "timing": cores.timing,
    "idle": cores.idle,
    "columns": columns.schedules,
    "column-layers": columns.of_networks,
    "fpga-columns": columns.placed,
    "fpga-wide": width.placed,
    "networks": checks.networks,
    "conformance": checks.conformance,
    "own-rounding": checks.own_rounding,
    "onnx": checks.onnx,
    "models": checks.models,
    "shift": shift.table,
    "values": shift.values_table,
    "explain": lambda: printed(EXPLAINED),
    "boards": chips.boards,
    "float-widths": cores.float_widths,
    "headline": chips.headline,
    "silicon": chips.silicon,
    "fpga": chips.fpga,
    "fpga-short": lambda: chips.fpga(short=True),
    "fpga-bar": chips.fpga_bar,
    "bench-layers": bench.bench_layers,
    "bench-networks": bench.bench_networks,
    "explore-designs": explore.designs,
    "explore-errors": explore.errors,
    "explore-search": explore.search,
    "runtime-registers": runtime.registers,
    "runtime-placed": runtime.placed,
    **{name: partial(played.block, name) for name in played.SCENES},
}
"""Blocks that are the same on every machine: a test checks the pages against them."""


PICKED: dict[str, Callable[[], str]] = {"results-short": cores.results_short}
"""Blocks that are taken from other blocks, and so are written after them."""


MEASURED: dict[str, Callable[[], str]] = {
    "engines": cores.engines,
    "float-costs": chips.float_costs,
    "resync-costs": chips.resync_costs,
    "joint-costs": width.joint_costs,
    "layers": checks.network_layers,
    "runtime-layers": runtime.layers,
    "run": lambda: printed("streampool run"),
}
"""Blocks that are of one machine, or of one version of a tool, or take minutes."""


_NETLISTS, _SOURCES = (f"build/mutants/{name}.json" for name in ("netlists", "sources"))
_COVERED = "build/coverage/{}.json"

MADE: dict[str, tuple[str, Callable[[Sequence[Path]], str]]] = {
    "sweep": ("build/sweep-*.jsonl", lambda found: checks.sweep(found[0])),
    "fpga-took": ("build/anew/took.json", chips.fpga_took),
    "boards-reached": ("build/boards/*.json", chips.boards_reached),
    "mutants": (_NETLISTS, lambda found: checks.mutants(found[0])),
    "mutants-listed": (_NETLISTS, lambda found: checks.mutants_listed(found[0])),
    "source-mutants": (_SOURCES, lambda found: checks.source_mutants(found[0])),
    "source-mutants-listed": (_SOURCES, lambda found: checks.mutants_listed(found[0])),
    "verilog-coverage": (_COVERED.format("verilog"), lambda found: covered.verilog(found[0])),
    "verilog-listed": (_COVERED.format("verilog"), lambda found: covered.listed(found[0])),
    "bins": (_COVERED.format("bins"), lambda found: covered.bins(found[0])),
    "python-coverage": (_COVERED.format("python"), lambda found: covered.python(found[0])),
    "python-missed": (_COVERED.format("python"), lambda found: covered.python_missed(found[0])),
    "explore-confirmed": ("build/explore/*-*.json", explore.confirmed),
    "proofs": ("build/prove/summary.json", lambda found: checks.proofs(found[0])),
    "demo-digits": ("build/demos/classify/result.json", demos.table),
    "demo-boxes": ("build/demos/detect/result.json", demos.table),
    "demo-files": ("build/demos/text/result.json", demos.labels),
    "demo-quantised": ("build/demos/int8/result.json", demos.table),
    "demo-sounds": ("build/demos/sound/result.json", demos.table),
}
"""Blocks of what another command left, and where; they stay as they are where it left nothing."""


def run() -> int:
    """Fill the blocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*EXACT, *MEASURED, *MADE, *PICKED]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    options = parser.parse_args()
    warnings.simplefilter("ignore", UnusedElaboratable)  # of cores that are only counted
    for name in options.names:
        if name not in known:
            parser.error(f"{name!r} is not a block; use one of {', '.join(known)}")
    texts = {
        name: write()
        for name, write in {**EXACT, **MEASURED}.items()
        if not options.names or name in options.names
    }
    for name, (pattern, write) in MADE.items():
        if options.names and name not in options.names:
            continue
        if found := sorted(blocks.ROOT.glob(pattern)):
            texts[name] = write(found)
        else:
            print(f"nothing is in {pattern}; the block {name} stays", file=sys.stderr)
    fill(texts)
    fill({name: pick() for name, pick in PICKED.items()})
    return 0


def fill(texts: dict[str, str]) -> None:
    """Write blocks into their pages, and say which have changed."""
    for page in blocks.PAGES:
        for name in blocks.fill(page, texts):
            print(f"{page.relative_to(blocks.ROOT)}: {name}")


if __name__ == "__main__":
    sys.exit(run())
