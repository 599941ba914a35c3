"""Slices between AXI4-Stream ports, a pair for each."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from ..slices import Slices
from .axi import AxiCore

ERROR = "frame_error"


class AxiSlices(wiring.Component):
    """Cores side by side, each between AXI4-Stream ports of its own.

    What `AxiCore` says is true of each pair: slice k has the ports ``sK_axis_*`` and ``mK_axis_*``.
    No slice waits for another.

    Parameters
    ----------
    core : Slices
        What stands between the ports.
    tkeep, tuser, tlast
        As `AxiCore` takes them, for all.

    Members
    -------
    s0_axis_*, m0_axis_*, s1_axis_*, ...
        As the members of `AxiCore`.
    frame_error : Out(1)
        That of any slice; sticky.

    Attributes
    ----------
    core, latency, marks_lines
        As of an `AxiCore`.
    job : PoolJob
        What each slice does.
    resync : bool
        False: none follows its marks.
    sides : tuple of pairs of str
        What the ports of each slice begin with.
    """

    frame_error: Signal
    resync = False

    def __init__(
        self,
        core: Slices,
        *,
        tkeep: bool = False,
        tuser: bool = False,
        tlast: str = "frame",
    ):
        self.core, self.job, self.latency = core, core.slice_job, core.latency
        self._axis = [AxiCore(each, tkeep=tkeep, tuser=tuser, tlast=tlast) for each in core.cores]
        self.marks_lines = self._axis[0].marks_lines
        self.sides = tuple((f"s{k}_axis", f"m{k}_axis") for k in range(len(core.cores)))
        ports = {
            numbered(port, k): member
            for k, each in enumerate(self._axis)
            for port, member in each.signature.members.items()
            if port != ERROR
        }
        super().__init__({**ports, ERROR: Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        for k, each in enumerate(self._axis):
            m.submodules[f"slice_{k}"] = each
            for port, member in each.signature.members.items():
                if port != ERROR:
                    inner, outer = getattr(each, port), getattr(self, numbered(port, k))
                    source, target = (inner, outer) if member.flow is Out else (outer, inner)
                    m.d.comb += target.eq(source)
        m.d.comb += self.frame_error.eq(Cat(each.frame_error for each in self._axis).any())
        return m


def numbered(port: str, number: int) -> str:
    """Return a port of `AxiCore` as that of a slice has it."""
    return f"{port[0]}{number}{port[1:]}"
