"""The measurement: cores and software on the same layers, set against each other.

`layers` says what is pooled, `hardware` what the core does with it, `links` what feeds the core.
`compare` sets core against software, `reading` says it in sentences, `report` makes all of it one
JSON, which docs/bench.md explains, and `table` prints it.
"""
