"""A page that plays a frame through a core, clock by clock: what is recorded, and what it means.

`recording` runs the core in Amaranth's simulator and keeps the values of its registers. `stages`
says by the schedule which window each step, partial and beat belongs to, and checks this against
what was recorded. `causes` says why a clock passes without a beat. `page` writes it all into one
HTML file, whose code in ``page/`` only draws.
"""

from .document import GRAIN as GRAIN
from .document import MOST_CLOCKS as MOST_CLOCKS
from .document import TooLong as TooLong
from .document import fitted as fitted
from .document import html as html
from .document import matches as matches
from .document import title as title
from .length import overlong as overlong
from .recording import Recording as Recording
from .recording import record as record
