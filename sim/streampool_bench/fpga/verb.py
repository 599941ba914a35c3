"""The verb `fpga`."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from streampool_farm.cluster import processors
from streampool_farm.farm import Farm
from streampool_farm.task import TaskFailed
from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES
from streampool_hw.fpga.flow import SEEDS
from streampool_sim.cli import common, values
from streampool_sim.cli.command import Options, option, verb
from streampool_sim.files import check_folder, check_results
from streampool_sim.refusals import Refused

from . import runtime, table
from .jobs import JOBS
from .text import markdown

EXAMPLES = """\
examples:
  streampool fpga
  streampool fpga --jobs A1,B8 --devices ecp5-85k-6 --seeds 5
  streampool fpga --check

Finished jobs are not placed again, and a run that was stopped continues where it was. Needs the
extra streampool[fpga]. docs/explore.md shows several machines at work. Exit status: 0 placed,
1 --check found a stale row, 2 refused.
"""

FOLDER = Path("build/fpga")
RUNTIME = "runtime"
NAMES = (*table.ALL, *runtime.CORES)
"""Of all that is placed."""

WIDE_GIB = 2
"""Memory in GiB for each that places one of the widest cores; the placer takes two thirds of it."""


@verb(
    "fpga",
    EXAMPLES,
    option(
        "--jobs",
        values.several(NAMES),
        "NAMES",
        "reference jobs, or those of --wide, --columns or --runtime, with commas between (all)",
        choices=NAMES,
    ),
    option(
        "--devices",
        values.several(DEVICES),
        "NAMES",
        "devices, with commas between (all)",
        choices=DEVICES,
    ),
    option("--seeds", values.positive, "N", "of each", default=SEEDS),
    option("--folder", Path, "DIR", f"for table.md ({FOLDER}); without --store for results, too"),
    option("--check", help="place nothing; list the stale rows"),
    option("--columns", help="place columns beside as many lanes instead, which all stand alone"),
    option("--wide", help="place the widest cores instead, cut into slices"),
    option("--runtime", help="place cores whose job changes while they run instead"),
    option("--output", Path, "FILE", "the table as JSON (the package's own)"),
    *common.farm_options(),
)
def command(options: Options) -> int:
    """Place the jobs, and write and print the table."""
    kinds = [kind for kind in (*table.APART, RUNTIME) if getattr(options, kind)]
    _refuse(options, kinds)
    common.check_workers(options)
    folder = options.folder or FOLDER
    check_folder("--folder", folder)
    if options.output is not None:
        check_results("--output", options.output)
    try:
        if options.check:
            rows = table.check_apart(kinds[0]) if kinds else table.check(options.output)
        else:
            store = options.store or options.folder or common.STORE
            check_folder("--store", store)
            with Farm(store, options.scheduler, options.workers or _workers(kinds)) as farm:
                rows = _made(farm, options, kinds, folder)
    except TaskFailed as error:
        raise Refused(str(error)) from None
    except KeyboardInterrupt:
        print("streampool: interrupted; finished jobs are kept", file=sys.stderr)
        return 130
    if not kinds:
        text = markdown(rows)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / "table.md": text})
        print(text, end="")
    return int(options.check and any(row["stale"] for row in rows))


def _refuse(options: Options, kinds: Sequence[str]) -> None:
    """Refuse options that have no meaning together, and jobs that are not of the kind."""
    meaningless: dict[str, tuple[str, ...]] = {}
    if options.check:
        meaningless["check"] = ("scheduler", "workers")
    for kind in kinds[:1]:
        more = ("check",) if kind == RUNTIME else ()
        meaningless[kind] = (*kinds[1:], "devices", "output", *more)
    for what, names in meaningless.items():
        for name in names:
            if getattr(options, name):
                raise Refused(f"--{name} has no meaning with --{what}; leave it out")
    known: Collection[str] = JOBS
    if kinds and options.jobs:
        known = runtime.CORES if kinds[0] == RUNTIME else table.APART[kinds[0]][0]
    for name in options.jobs or ():
        if name not in known:
            where = f"one of --{kinds[0]}" if kinds else "a reference job"
            raise Refused(f"--jobs {name} is not {where}; use one of {', '.join(known)}")


def _workers(kinds: Sequence[str]) -> int:
    """Return how many workers of this machine place at once."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    room = max(1, memory // (WIDE_GIB << 30)) if "wide" in kinds else processors()
    return min(processors(), room)


def _made(farm: Farm, options: Options, kinds: Sequence[str], folder: Path) -> list[table.Row]:
    """Place what is asked for; returns the table, where it is printed."""
    how = {"jobs": options.jobs, "seeds": options.seeds}
    if not kinds:
        where = {"folder": folder, "output": options.output}
        return table.make(farm, devices=options.devices, **how, **where)
    if kinds[0] == RUNTIME:
        runtime.make(farm, **how)
    else:
        table.make_apart(farm, kinds[0], **how)
    return []
