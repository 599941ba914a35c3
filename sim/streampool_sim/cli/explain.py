"""The verb `explain`."""

from ..explain import explain_text
from ..progress import Progress
from . import common
from .command import Options, under, verb

EXAMPLES = """\
examples:
  streampool explain --kernel 3 --stride 2 --shape 1x6x6
  streampool explain --op avg --kernel 3 --padding same --shape 1x9
  streampool explain --kernel 3 --stride 1 --padding 1 --shape 1x4x16 --columns 4
"""


@verb(
    "explain",
    EXAMPLES,
    *common.spec_options(),
    *under("what is drawn", common.shape_option((1, 6, 6)), *common.columns_options()),
)
def command(options: Options) -> int:
    """Print the schedule."""
    job = common.pool_job(options)
    with Progress("working out the schedule"):
        drawn = explain_text(
            job.spec, job.shape, columns=job.columns, columns_out=job.columns_out
        ).rstrip("\n")
    return common.finished(job, drawn)
