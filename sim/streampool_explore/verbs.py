"""The verb that this package adds to the command line."""

from streampool_sim.cli.registry import Verb

EXPLORE = Verb(
    "Find lanes and columns for a network's layers: the smallest design that holds a frame rate.",
    "streampool_explore.command",
)
