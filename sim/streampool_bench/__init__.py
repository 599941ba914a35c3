"""How fast, against software: the same pooling layers measured here and counted in the core.

``streampool bench`` compares; ``python -m streampool_bench.engines`` is another matter, the
speeds of the simulators. `layers` says what is pooled, `contenders` holds what pools it in software
and `timing` times that. `placed` says which cores were placed, `clocks` which of them gives a layer
its clock, and `hardware` and `links` what the core then does behind which link; `compare` and
`reading` set one against the other, and `report` makes it one JSON, which docs/bench.md explains.
`table` prints it.
"""
