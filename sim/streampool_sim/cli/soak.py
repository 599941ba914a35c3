"""The verb `soak`."""

from ..refusals import Refused
from ..soak import Run, again, soak
from . import common, values
from .command import Options, option, under, verb

EXAMPLES = """\
examples:
  streampool soak --minutes 10
  streampool soak --minutes 60 --seed 1

Exit: 0 no fault, 1 a fault, 2 refused.
"""

OF_A_CASE = ("shape", "lanes", "columns", "columns_out", "frames", "stalls", "run", "reset_at")


@verb(
    "soak",
    EXAMPLES,
    option("--minutes", values.number(float, "0 to 100000", 0, 1e5), "N", "how long", default=10.0),
    option("--seed", values.natural, "SEED", "of specifications and runs (a new one)"),
    *under(
        "one run of a case alone, as the command says that a fault prints",
        option("--case", values.natural, "N", "the case"),
        common.shape_option(required=False),
        common.lanes_option(),
        *common.columns_options(),
        option("--frames", values.positive, "N", "frames of the run (4)"),
        option("--stalls", values.stalls, "IN:OUT", "probability that a side is idle (0:0)"),
        option("--run", values.natural, "SEED", "of the stalls (0)"),
        option("--reset-at", values.natural, "CLOCK", "when a reset comes"),
    ),
)
def command(options: Options) -> int:
    """Run random cores, or one run of one of them."""
    if options.case is None:
        for name in OF_A_CASE:
            if getattr(options, name) is not None:
                flag = f"--{name.replace('_', '-')}"
                raise Refused(f"{flag} has no meaning without --case; leave it out")
        return int(soak(options.minutes, options.seed) is not None)
    if options.seed is None or options.shape is None:
        raise Refused("--case needs the run's --seed and --shape; use the command that was printed")
    run = Run(options.frames or 4, options.stalls or (0.0, 0.0), options.run or 0, options.reset_at)
    how = {"lanes": options.lanes, "columns": options.columns or 1}
    how["columns_out"] = options.columns_out
    fault = again(options.seed, options.case, options.shape, how, run)
    print(fault or "right")
    return int(fault is not None)
