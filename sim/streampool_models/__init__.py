"""Models as people bring them: their pooling layers as specifications, and runs through cores.

A room per framework reads its files and runs them; each imports its framework where it is needed
and nowhere else. The rest of the package knows a model by `Model` alone.

Its names are imported from `_public` when the first of them is asked for.
"""

from typing import TYPE_CHECKING

from streampool_golden.lazy import lazy_names

if TYPE_CHECKING:
    from ._public import *  # noqa: F403
else:
    __getattr__, __dir__ = lazy_names(__name__)
