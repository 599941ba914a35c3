"""The verb `fpga`."""

import contextlib
import sys
from pathlib import Path

from streampool_farm.farm import Farm
from streampool_farm.task import TaskFailed
from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES
from streampool_hw.fpga.flow import SEEDS
from streampool_sim.cli import common, values
from streampool_sim.cli.command import Options, option, verb
from streampool_sim.files import check_folder, check_results
from streampool_sim.refusals import Refused

from . import table
from .jobs import JOBS
from .text import markdown

EXAMPLES = """\
examples:
  streampool fpga
  streampool fpga --jobs A1,B8 --devices ecp5-85k-6 --seeds 5
  streampool fpga --check

Finished jobs are not placed again, and a run that was stopped continues where it was. Needs the
extra streampool[fpga]. Exit status: 0 placed, 1 --check found a stale row, 2 refused.
"""


@verb(
    "fpga",
    EXAMPLES,
    option(
        "--jobs",
        values.several(table.ALL),
        "NAMES",
        "reference jobs, or those of --wide or --columns, with commas between (all)",
        choices=table.ALL,
    ),
    option(
        "--devices",
        values.several(DEVICES),
        "NAMES",
        "devices, with commas between (all)",
        choices=DEVICES,
    ),
    option("--seeds", values.positive, "N", "of each", default=SEEDS),
    option("--folder", Path, "DIR", "for results", default=Path("build/fpga")),
    option("--check", help="place nothing; list the stale rows"),
    option("--columns", help="place columns beside as many lanes instead, which all stand alone"),
    option("--wide", help="place the widest cores instead, cut into slices, one after the other"),
    option("--output", Path, "FILE", "the table as JSON (the package's own)"),
    *common.scheduler_options("build/farm"),
)
def command(options: Options) -> int:
    """Place the jobs, and write and print the table."""
    given = vars(options)
    scheduler, store = given.pop("scheduler"), given.pop("store")
    kinds = [kind for kind in table.APART if given.pop(kind)]
    if scheduler is not None and (kinds or options.check):
        what = "check" if options.check else kinds[0]
        raise Refused(f"--scheduler has no meaning with --{what}; leave it out")
    for name in ("devices", "output", *kinds[1:]) if kinds else ():
        if name in kinds or getattr(options, name):
            raise Refused(f"--{name} has no meaning with --{kinds[0]}; leave it out")
    known = table.APART[kinds[0]][0] if kinds else JOBS
    for name in options.jobs or ():
        if name not in known:
            where = f"one of --{kinds[0]}" if kinds else "a reference job"
            raise Refused(f"--jobs {name} is not {where}; use one of {', '.join(known)}")
    check_folder("--folder", options.folder)
    if options.output is not None:
        check_results("--output", options.output)
    try:
        if kinds and options.check:
            return int(any(row["stale"] for row in table.check_apart(kinds[0])))
        if kinds:
            table.make_apart(kinds[0], options.jobs, seeds=options.seeds, folder=options.folder)
            return 0
        with contextlib.ExitStack() as stack:
            farm = None
            if scheduler is not None:
                check_folder("--store", store)
                farm = stack.enter_context(Farm(store, scheduler))
            rows = table.make(**vars(options), farm=farm)
    except TaskFailed as error:
        raise Refused(str(error)) from None
    except KeyboardInterrupt:
        print("streampool: interrupted; finished jobs are kept", file=sys.stderr)
        return 130
    text = markdown(rows)
    write_whole({options.folder / "table.md": text})
    print(text, end="")
    return int(options.check and any(row["stale"] for row in rows))
