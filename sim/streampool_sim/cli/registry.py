"""The verbs: ours, and those that other packages add by an entry point.

A verb is a module with a ``command``::

    from streampool_sim.cli.command import option, verb

    def _greet(options):
        print("hello", options.name)
        return 0  # the exit status

    NAME = option("--name", takes=str, metavar="NAME", default="you", help="who (you)")
    command = verb("greet", [NAME], _greet, about="Say hello.")

One of ours is a module of this folder and a line of `_OURS`. Another package has a `Verb` that
names its module, and an entry point to it in its pyproject.toml, under what is typed::

    [project.entry-points."streampool.verbs"]
    greet = "package.verbs:GREET"  # GREET = Verb("say hello", "package.greet")
"""

from functools import cache
from importlib import import_module, metadata
from typing import NamedTuple

import click

from ..refusals import Refused

GROUP = "streampool.verbs"


class Verb(NamedTuple):
    """A verb before its module is imported.

    Attributes
    ----------
    about : str
        What it does, in the list of verbs.
    module : str
        The module that has its ``command``, as `streampool_sim.cli.command.verb` makes one.
    """

    about: str
    module: str


_OURS = {
    "run": "pool a picture or an array through the simulated core",
    "verilog": "write a core as Verilog with AXI4-Stream ports",
    "explain": "draw the schedule, slot by slot",
    "synth": "place a core on a device: its clock, its cells, its critical path",
    "build": "make a bitstream for a board, which tests the core and shows whether it is right",
    "boards": "build the bitstreams of all boards",
    "sweep": "check random specifications against the golden model and the limits",
    "networks": "run the pooling layers of known networks at their full size",
    "completion": "print what makes bash, zsh or fish complete this command",
}


@cache
def verbs() -> dict[str, Verb]:
    """Return all verbs by name; ours come first, and nobody takes their names."""
    found = {name: Verb(about, f"{__package__}.{name}") for name, about in _OURS.items()}
    for point in metadata.entry_points(group=GROUP):
        if point.name not in found and isinstance(loaded := _loaded(point), Verb):
            found[point.name] = loaded
    return found


def broken() -> dict[str, Refused]:
    """Return why the verbs of other packages that cannot be loaded are refused, by name."""
    return {
        point.name: loaded
        for point in metadata.entry_points(group=GROUP)
        if point.name not in verbs() and isinstance(loaded := _loaded(point), Refused)
    }


def command_of(name: str) -> click.Command:
    """Return a verb's command; this imports its module, and refuses a broken one of others."""
    module = verbs()[name].module
    if name in _OURS:
        return import_module(module).command
    try:
        return import_module(module).command
    except Exception as error:
        for point in metadata.entry_points(group=GROUP, name=name):
            raise _refusal(point, error) from error
        raise


def _loaded(point: metadata.EntryPoint) -> Verb | Refused:
    try:
        found = point.load()
    except Exception as error:  # whatever the module of another package does when imported
        return _refusal(point, error)
    return found if isinstance(found, Verb) else _refusal(point, f"{point.value} is no Verb")


def _refusal(point: metadata.EntryPoint, why: object) -> Refused:
    package = point.dist.name if point.dist else point.module.partition(".")[0]
    return Refused(
        f"verb {point.name} of the package {package} cannot be loaded: {why};"
        " reinstall the package, or remove it"
    )
