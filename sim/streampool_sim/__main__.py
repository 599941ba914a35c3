"""``python -m streampool_sim`` is the command ``streampool``."""

import sys

from streampool_sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
