"""The verb `networks`."""

import sys
from pathlib import Path

from streampool_golden.networks import networks

from ..files import check_results
from ..networks import RESULTS, run
from .command import Options, option, verb

EXAMPLES = """\
examples:
  streampool networks

What was stopped goes on where it was. Exit: 0 all right, 1 a fault, 2 refused.
"""


@verb("networks", EXAMPLES, option("--results", Path, "FILE", "results file", default=RESULTS))
def command(options: Options) -> int:
    """Run the layers, and print what is wrong."""
    check_results("--results", options.results)
    try:
        results = run(options.results)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    failed = [job for job, result in results.items() if result["faults"]]
    for job in failed:
        print(f"FAULT {job.spec!r} on {job.shape}: {results[job]['faults'][0]}")
    exact = sum(result["cycles_per_frame"] == result["limit_cycles"] for result in results.values())
    print(
        f"{len(networks())} layers, {len(results)} different ones: {len(results) - len(failed)}"
        f" equal to the golden model, {exact} at exactly the limit of cycles"
    )
    return int(bool(failed))
