"""The showroom: the core measured against software, and placed on devices.

``streampool bench`` compares. `software` pools with other programs and times them, `fpga` keeps
what the reference cores come to on devices, `report` sets one against the other, and `page` lays
that out as one HTML file. ``python -m streampool_bench.engines`` measures something else, the
simulators.
"""
