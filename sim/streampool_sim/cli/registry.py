"""The verbs: ours, and those that other packages add by an entry point.

A verb is a module with a ``command``: one of ours is in this folder, with a line in `_OURS`;
another package has a `Verb` behind an entry point. docs/extending.md shows how.
"""

from functools import cache
from importlib import import_module, metadata
from typing import NamedTuple

import click

from ..refusals import Refused, not_known

GROUP = "streampool.verbs"


class Verb(NamedTuple):
    """A verb before its module is imported: what it does, and where its ``command`` is."""

    about: str
    module: str


_OURS = {
    "run": "Pool a picture or a .npy of integers or floats through the simulated core.",
    "verilog": "Write a core as one Verilog file with AXI4-Stream ports.",
    "explain": "Draw the schedule slot by slot: what comes in, which partials live, what leaves.",
    "show": "Play a frame through a core, clock by clock, on a page for the browser.",
    "synth": "Place a core on a device: its clock, its cells, its critical path.",
    "build": "Make a board's bitstream: a core's self-test, or a core that a host feeds.",
    "boards": "Build the bitstreams of all boards, each the self-test of the same core.",
    "load": "Load a bitstream into a board, by the board's own loader.",
    "ports": "List serial ports, and the boards that answer there.",
    "sweep": "Check random specifications against the golden model and the limits.",
    "soak": "Run random cores for minutes, stalled and reset, and make what fails small.",
    "networks": "Run the pooling layers of known networks, each at its full size.",
    "completion": "Print what makes bash, zsh or fish complete this command.",
}


@cache
def verbs() -> dict[str, Verb]:
    """Return all verbs by name; ours come first, and nobody takes their names."""
    ours = {name: Verb(about, f"{__package__}.{name}") for name, about in _OURS.items()}
    return ours | {name: each for name, each in _others().items() if isinstance(each, Verb)}


def broken() -> dict[str, Refused]:
    """Return why the verbs of other packages that cannot be loaded are refused, by name."""
    return {name: each for name, each in _others().items() if isinstance(each, Refused)}


def command_of(name: str) -> click.Command:
    """Return a verb's command; this imports its module, and refuses a broken one of others."""
    if name not in verbs():
        known = ["--help"] if name == "help" else list(verbs())
        raise broken().get(name) or Refused(f"verb {not_known(name, known)}")
    about, module = verbs()[name]
    try:
        command = import_module(module).command
    except Exception as error:
        for point in metadata.entry_points(group=GROUP, name=name):
            raise _refusal(point, error) from error
        raise
    command.help = about
    return command


def _others() -> dict[str, Verb | Refused]:
    points = metadata.entry_points(group=GROUP)
    return {point.name: _loaded(point) for point in points if point.name not in _OURS}


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
