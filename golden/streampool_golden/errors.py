"""What golden raises and warns with, and how it shows a value that it refuses."""

import difflib
from collections.abc import Iterable, Sequence

NEAR = 0.66
"""How alike two words are that are mistaken for each other, as `difflib` has it: two thirds."""


class SpecError(ValueError):
    """A value that cannot work: one sentence that names the field, the value and what to use.

    Attributes
    ----------
    field : str
        Name of the refused field or argument, e.g. ``"kernel"``, for programs to act on.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    def __reduce__(self):  # exceptions pickle by their args, which lack the field
        return type(self), (self.field, str(self))


class SpecWarning(UserWarning):
    """A specification that works but may not do what was meant, e.g. unread inputs."""


def wrong(field: str, wanted: str, value: object, hint: str = "") -> SpecError:
    """Return the refusal of a value that is not what its field must be."""
    return SpecError(field, f"{field} must be {wanted}, not {shown(value)}{hint}.")


def meaningless(field: str, value: object, beside: str, use: str = "") -> SpecError:
    """Return the refusal of a value that another field leaves without a meaning."""
    instead = f"use {use}, or leave {field} out" if use else "leave it out"
    return SpecError(field, f"{field} {cut(str(value))} has no meaning with {beside}; {instead}.")


def refuse_unknown(given: Iterable[object], known: Sequence[str], what: str) -> None:
    """Refuse names that are none of those known, as no `what`."""
    for name in given:
        if name not in known:
            use = did_you_mean(str(name), known) or f"; use one of {', '.join(known)}"
            raise SpecError(str(name), f"{cut(str(name))} is no {what}{use}.")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the end of a sentence that offers the word that was meant; nothing if none is near."""
    bare = {each.lstrip("-").lower(): each for each in words}
    start = word.lstrip("-").lower()
    begun = [each for each in bare if each.startswith(start)]
    near = begun if len(begun) == 1 else difflib.get_close_matches(start, bare, 1, NEAR)
    return f", did you mean {bare[near[0]]}" if near else ""


def shown(value: object) -> str:
    """Return `value` as a refusal shows it: its repr, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = "an integer too long to print"
    except RecursionError:
        text = f"a {type(value).__name__} nested too deeply to print"
    return cut(" ".join(text.split()))


def cut(text: str) -> str:
    """Return a text as a refusal shows it, cut where it is long."""
    return text if len(text) <= 60 else text[:57] + "..."
