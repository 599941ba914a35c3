"""A piece of work: a function by its name, what it is given, and the name of its result."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class TaskFailed(Exception):
    """A task has no result; the message is one sentence that says why."""


@dataclass(frozen=True)
class Task:
    """A piece of work that may run on another machine.

    Parameters
    ----------
    function : str
        ``"module:name"`` of a function from a JSON object to another one. Whatever it is given is
        a result; it raises where there is none.
    payload : dict
        What the function is given.
    key : str
        Of letters, digits and dashes: a hash of everything that the result rests on.
    label : str, optional
        The task in a few words, for people.
    fields : tuple of str, optional
        What every result has; a stored one that lacks some of it is damaged.
    also : tuple of str, optional
        Names of other results that will do as well, such as one that was checked further.
    keeps : str, optional
        Name of a folder of the store for what a stopped one has done already, which no other task
        of that name uses meanwhile. The function finds it in the payload, as ``"kept"``.
    """

    function: str
    payload: Json
    key: str
    label: str = ""
    fields: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    keeps: str = ""

    @property
    def call(self) -> Callable[[Json], Json]:
        """The function itself; this imports its module."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module), name)


def digest(*parts: Any) -> str:
    """Return a hash of parts that JSON takes, as keys are made of."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
