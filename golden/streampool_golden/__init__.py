"""The specification of a pooling job and its exact NumPy model.

Its names are imported from `_public` when the first of them is asked for.
"""

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from ._public import *  # noqa: F403
else:
    __getattr__, __dir__ = lazy_names(__name__)

__version__ = "0.1.0"
