"""What is refused, and how it is said."""

import difflib
import os
import sys
from collections.abc import Iterable
from typing import TextIO

NEAR = 0.66
"""How alike two words are that are mistaken for each other, as `difflib` has it: two thirds."""


RED, GREEN, YELLOW = 31, 32, 33


class Refused(Exception):
    """Something that was asked for cannot be done; the message is one sentence."""


def say(message: str) -> None:
    """Say one sentence on standard error."""
    text = " ".join(message.split()).rstrip(".")
    print(f"{painted('streampool:', RED, sys.stderr)} {text}.", file=sys.stderr)


def painted(text: str, colour: int, stream: TextIO | None) -> str:
    """Return a text in a colour where a stream is a terminal, and NO_COLOR is not set."""
    if stream is None or not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[1;{colour}m{text}\x1b[0m"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the end of a sentence that offers the word that was meant; nothing if none is near."""
    bare = {each.lstrip("-"): each for each in words}
    near = difflib.get_close_matches(word.lstrip("-"), bare, n=1, cutoff=NEAR)
    return f", did you mean {bare[near[0]]}" if near else ""


def shown(text: str) -> str:
    """Return what was typed in quotes, cut where it is long."""
    return repr(text) if len(text) <= 60 else f"{text[:40] + '...'!r} of {len(text)} characters"
