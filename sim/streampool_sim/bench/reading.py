"""What the figures say in words: where the core wins, where it loses, and why.

Each sentence is made from figures that stand beside it, so that whoever reads can check it.
"""

from typing import Any

__all__ = ["sentences"]

Row = dict[str, Any]


def sentences(report: dict[str, Any]) -> list[Row]:
    """Return the sentences: ``id``, ``text`` and ``values``, which the text's figures come from."""
    return []
