"""The verb `explain`."""

from ..explain import explain_text
from ..progress import Progress
from . import common
from .command import Options, under, verb

EXAMPLES = """\
examples:
  streampool explain --kernel 3 --stride 2 --shape 1x6x6
  streampool explain --op avg --kernel 3 --padding same --shape 1x9
"""


@verb(
    "explain",
    EXAMPLES,
    *common.spec_options(),
    *under("what is drawn", common.shape_option((1, 6, 6))),
)
def command(options: Options) -> int:
    """Print the schedule."""
    job = common.pool_job(options)
    with Progress("working out the schedule"):
        drawn = explain_text(job.spec, job.shape).rstrip("\n")
    return common.finished(job, drawn)
