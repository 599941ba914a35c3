"""The verbs that this package adds to the command line."""

from streampool_sim.cli.registry import Verb

BENCH = Verb(
    "Time software on pooling layers on this machine, and compare the core with the fastest.",
    "streampool_bench.command",
)
FPGA = Verb(
    "Place the reference jobs on their devices, and write the table as JSON and Markdown.",
    "streampool_bench.fpga.verb",
)
