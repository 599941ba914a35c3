"""Names that a core's module may have, in every simulator and beside every other core."""

import re
from collections.abc import Iterable

from streampool_golden import SpecError

from .axi import AxiCore

CLOCKING = ("aclk", "aresetn")
"""The clock and the reset, as ports of the module."""

# IEEE 1800-2017 table B.1, which has those of IEEE 1364-2005 in it
_KEYWORDS = """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic
    before begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle
    checker class clocking cmos config const constraint context continue cover covergroup
    coverpoint cross deassign default defparam design disable dist do edge else end endcase
    endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface
    endmodule endpackage endprimitive endprogram endproperty endspecify endsequence endtable
    endtask enum event eventually expect export extends extern final first_match for force foreach
    forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins
    illegal_bins implements implies import incdir include initial inout input inside instance int
    integer interconnect interface intersect join join_any join_none large let liblist library
    local localparam logic longint macromodule matches medium modport module nand negedge nettype
    new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter
    pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime
    ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always
    s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled
    signed small soft solve specify specparam static string strong strong0 strong1 struct super
    supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
    timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union
    unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait
    wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
    """
KEYWORDS = frozenset(_KEYWORDS.split())
"""The keywords of Verilog and SystemVerilog."""

# What cannot name a module, and why
_TAKEN = {
    **dict.fromkeys(KEYWORDS, "a Verilog keyword"),
    **dict.fromkeys((*CLOCKING, *AxiCore.__annotations__), "one of the module's ports"),
    "bool": "a keyword of Icarus Verilog",
    "wone": "a keyword of Icarus Verilog",
    "wreal": "a keyword of Icarus Verilog",
    "std": "SystemVerilog's own package",
    "TOP": "Verilator's own top level",
}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_NAME = 200  # file systems take 255 bytes, with a suffix


def inner_name(name: str) -> str:
    """Return the module within the module `name`; all below it are called ``NAME.core.*``.

    The dot is in no name that `check_name` takes, so the cores of a design cannot collide.
    """
    return f"{name}.core"


def check_name(name: str) -> None:
    """Refuse what cannot be both a Verilog module and a file, in any simulator."""
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise SpecError(
            "name",
            f"name {str(name)[:60]!r} is no Verilog identifier; use letters, digits and"
            " underscores, and no digit at the beginning.",
        )
    if name in _TAKEN:
        raise _taken(name, _TAKEN[name])
    if len(name) > _LONGEST_NAME:
        raise SpecError(
            "name",
            f"name {name[:20] + '...'!r} has {len(name)} characters; use at most {_LONGEST_NAME}.",
        )


def check_inside(name: str, flags: Iterable[str], black_boxes: Iterable[str]) -> None:
    """Refuse a name that is one of a core's own ports, or a cell in it."""
    if name in flags:
        raise _taken(name, "one of the module's ports")
    if name in black_boxes:
        raise _taken(name, "a cell of the vendor's")


def _taken(name: str, by: str) -> SpecError:
    return SpecError("name", f"name {name!r} is {by}; use another, such as {name}_core.")
