"""What is refused, and how it is said."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from streampool_golden.errors import did_you_mean, shown

RED, GREEN, YELLOW = 31, 32, 33


class Refused(Exception):
    """Something that was asked for cannot be done; the message is one sentence."""


def say(message: str) -> None:
    """Say one sentence on standard error."""
    text = printable(" ".join(message.split())).rstrip(".")
    print(f"{painted('streampool:', RED, sys.stderr)} {text}.", file=sys.stderr)


def printable(text: str) -> str:
    """Return one line of text with a mark for whatever would steer a terminal."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def painted(text: str, colour: int, stream: TextIO | None) -> str:
    """Return a text in a colour where a stream is a terminal, and NO_COLOR is not set."""
    if stream is None or not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[1;{colour}m{text}\x1b[0m"


def not_known(word: str, words: Sequence[str]) -> str:
    """Say of a word that it is none of `words`, and offer the one that was meant, or else all."""
    others = did_you_mean(word, words) or f"; use one of {', '.join(words)}"
    return f"{shown(word)} is not known{others}"
