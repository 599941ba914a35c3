"""Blocks of generated text in Markdown files, between markers that name them.

``<!-- begin NAME -->`` and ``<!-- end NAME -->``, each on a line of its own, stand around what a
command writes; nothing between them is written by hand.
"""

import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
"""The files that hold blocks."""

_BLOCK = re.compile(
    r"^(?P<begin><!-- begin (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(?P<end><!-- end (?P=name) -->\n)",
    re.DOTALL | re.MULTILINE,
)


def read(page: Path) -> dict[str, str]:
    """Return the blocks of a page by their names."""
    return {match["name"]: match["text"] for match in _BLOCK.finditer(page.read_text("utf-8"))}


def fill(page: Path, texts: dict[str, str]) -> list[str]:
    """Replace the blocks of a page that `texts` names.

    Returns
    -------
    list of str
        The names of the blocks that changed.
    """
    changed = []

    def replaced(match: re.Match[str]) -> str:
        text = texts.get(match["name"], match["text"])
        if text != match["text"]:
            changed.append(match["name"])
        return match["begin"] + text + match["end"]

    before = page.read_text("utf-8")
    after = _BLOCK.sub(replaced, before)
    if after != before:
        page.write_text(after, "utf-8")
    return changed


def table(head: str, rows: Sequence[Sequence[object]]) -> str:
    """Lay out a Markdown table; `head` has the columns' names between bars, ``>`` for right."""
    names = [name.strip() for name in head.split("|")]
    rule = ["---:" if name.startswith(">") else "---" for name in names]
    lines = [[name.lstrip("> ") for name in names], rule, *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
