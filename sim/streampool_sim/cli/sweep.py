"""The verb `sweep`."""

import os
import sys
from pathlib import Path

from streampool_farm.farm import ALONE, Farm
from streampool_farm.task import TaskFailed

from ..files import check_folder, check_results
from ..refusals import Refused
from ..sweep import run_case, sweep
from . import common, values
from .command import Options, argument, option, verb

EXAMPLES = """\
examples:
  streampool sweep 5000 --seed 1
  streampool sweep --seed 1 --case 17

What was stopped goes on where it was. Exit: 0 all right, 1 a fault, 2 refused.
"""


@verb(
    "sweep",
    EXAMPLES,
    argument("count", values.positive, "COUNT", "specifications", default=200),
    option("--seed", values.natural, "SEED", "of the specifications", default=0),
    option("--jobs", values.positive, "N", "processes", default=os.cpu_count() or 1),
    option("--results", Path, "FILE", "results file (build/sweep-SEED.jsonl)"),
    option("--case", values.natural, "N", "run this case alone, in both engines"),
    *common.store_options("this machine, without Dask"),
)
def command(options: Options) -> int:
    """Run the sweep, or one of its cases."""
    if options.case is not None:
        return int(run_case(options.seed, options.case) > 0)
    path = options.results or Path("build") / f"sweep-{options.seed}.jsonl"
    check_results("--results", path)
    store = options.store or common.STORE
    check_folder("--store", store)
    try:
        with Farm(store, options.scheduler or ALONE, options.jobs) as farm:
            return int(sweep(options.count, options.seed, path, farm) > 0)
    except TaskFailed as error:
        raise Refused(str(error)) from None
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
