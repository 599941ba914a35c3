"""``python -m streampool_bench.fpga`` is ``streampool fpga``."""

import sys

from streampool_sim.cli import main

if __name__ == "__main__":
    sys.exit(main(["fpga", *sys.argv[1:]]))
