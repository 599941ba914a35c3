"""The verb `explain`."""

from streampool_golden import PoolJob

from ..explain import explain_text
from ..progress import Progress
from . import common
from .command import tell, verb
from .fields import Options, spec_options

EXAMPLES = """\
examples:
  streampool explain --kernel 3 --stride 2 --shape 1x6x6
  streampool explain --op avg --kernel 3 --padding same --shape 1x9
"""


def _explain(options: Options) -> int:
    spec = common.spec_of_shape(options)
    for message in PoolJob(spec, options.shape).warnings:
        tell(message)
    with Progress("working out the schedule"):
        drawn = explain_text(spec, options.shape).rstrip("\n")
    print(drawn)
    return 0


command = verb(
    "explain",
    [*spec_options(), common.shape_option("what is drawn", (1, 6, 6))],
    _explain,
    about="Draw the schedule slot by slot: what comes in, which partials live, what leaves.",
    examples=EXAMPLES,
)
