"""The verb `fpga`."""

import sys
from pathlib import Path

from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES, ToolError
from streampool_hw.fpga.flow import SEEDS
from streampool_sim.cli import values
from streampool_sim.cli.command import option, verb
from streampool_sim.cli.fields import Options
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


def _fpga(options: Options) -> int:
    try:
        rows = table.make(**vars(options))
    except ToolError as error:
        raise Refused(str(error)) from None
    except KeyboardInterrupt:
        print("streampool: interrupted; finished jobs are kept", file=sys.stderr)
        return 130
    text = markdown(rows)
    write_whole({options.folder / "table.md": text})
    print(text, end="")
    return int(options.check and any(row["stale"] for row in rows))


command = verb(
    "fpga",
    [
        option(
            "--jobs",
            takes=str,
            metavar="NAMES",
            choices=JOBS,
            help="reference jobs, with commas between (all)",
        ),
        option(
            "--devices",
            takes=str,
            metavar="NAMES",
            choices=DEVICES,
            help="devices, with commas between (all)",
        ),
        option(
            "--seeds", takes=values.integer, metavar="N", default=SEEDS, help=f"of each ({SEEDS})"
        ),
        option(
            "--folder",
            takes=Path,
            metavar="DIR",
            default=Path("build/fpga"),
            help="for results (build/fpga)",
        ),
        option("--check", default=False, help="place nothing; list the stale rows"),
        option(
            "--output",
            takes=Path,
            metavar="FILE",
            default=table.DATA,
            help="the table as JSON (the package's own)",
        ),
    ],
    _fpga,
    about="Place the reference jobs on their devices, and write the table as JSON and Markdown.",
    examples=EXAMPLES,
)
