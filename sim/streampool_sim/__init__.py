"""Ways to run a pooling core: engines, statistics, the command line.

Its names are imported from `_public` when the first of them is asked for.
"""

from typing import TYPE_CHECKING

from streampool_golden.lazy import lazy_names

if TYPE_CHECKING:
    from ._public import *  # noqa: F403
else:
    __getattr__, __dir__ = lazy_names(__name__)
