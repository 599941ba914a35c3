"""The reference jobs placed on devices: clock and area, the bars that they have to meet, and peers.

`jobs` names the jobs, `table` places them and keeps the results, and `text` writes these as
Markdown. `placed` says what a placed core takes of its device, and `clocks` which of them gives a
layer its clock.
"""

from .jobs import BAR_DEVICE, JOBS, ReferenceJob
from .table import known, make
from .text import against_bar, markdown

__all__ = ["BAR_DEVICE", "JOBS", "ReferenceJob", "against_bar", "known", "make", "markdown"]
