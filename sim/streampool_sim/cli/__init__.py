"""The command line: one module per verb, imported when the verb runs or its help is shown.

Results go to standard output, everything else to standard error. A run ends with 0 if the core and
the golden model agree bit for bit, 1 if they do not, and 2 if something was refused, which takes
one sentence and leaves no file behind.
"""

from .app import main

__all__ = ["main"]
