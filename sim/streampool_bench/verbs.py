"""The verbs that this package adds to the command line."""

from streampool_sim.cli.registry import Verb

BENCH = Verb(
    "time software on pooling layers, and compare the core with the fastest",
    "streampool_bench.command",
)
FPGA = Verb(
    "place the reference jobs on their devices, and write the table",
    "streampool_bench.fpga.verb",
)
