"""How fast, against software: the same pooling layers measured here and counted in the core.

``streampool bench`` compares; ``python -m streampool_sim.bench.engines`` is another matter, the
speeds of the simulators. `layers` says what is pooled, `contenders` holds what pools it in software
and `timing` times that; `hardware` and `links` say what the core does behind which link; `compare`
and `reading` set one against the other, and `report` makes it one JSON, which docs/bench.md
explains. `table` prints it.
"""
