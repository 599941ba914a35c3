"""What every core has, whatever it computes."""

from collections.abc import Mapping
from typing import Protocol

from amaranth.hdl import Module
from amaranth.lib import stream
from streampool_golden import Job

from .schedule.settings import Settings


class Core(Protocol):
    """A component with a stream of beats in and a stream of beats out, made for a `Job`.

    The payload of `i` is a structure with an array of lanes for each of ``job.fields_in``, or
    that array itself where there is one; that of `o` is always a structure: an array of lanes for
    each of ``job.fields_out``, and `last`, high on a frame's last beat.

    Attributes
    ----------
    family : str
        The family of devices that it is made for, one of `FAMILIES`.
    settings : Settings
        Where the numbers of its schedule come from.
    latency : int
        Clocks from an input to the output that it completes.
    cycles_bound : int
        The most clocks that a frame takes in the steady state, valid and ready always high.
    flags : mapping of str to str
        Outputs of one bit that stay set until reset, and what each says.
    clear_cycles : int
        Clocks after a reset in which no beat is taken.
    notes : tuple of str
        What else its Verilog's heading says, a line each.
    marks : tuple of str
        The marks in the payload of `i`, a bit each behind the fields.
    """

    family: str
    settings: Settings
    latency: int
    cycles_bound: int
    flags: Mapping[str, str]
    clear_cycles: int
    notes: tuple[str, ...]
    marks: tuple[str, ...]
    i: stream.Interface
    o: stream.Interface

    @property
    def job(self) -> Job:
        """What it computes, on which frames, how many lanes at a time."""
        ...

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says of its memory, by name; ``store_bits`` among them."""
        ...

    def resources(self) -> dict[str, int]:
        """Return what the statistics of a run say of its memory, and the limits, by name."""
        ...

    def memory(self) -> str:
        """Say in a line what its memory has, and may have."""
        ...

    def elaborate(self, platform) -> Module: ...
