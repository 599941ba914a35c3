"""Simulation models of ECP5 cells that Yosys has none of, in Verilog.

Written from Lattice's descriptions: FPGA-TN-02204 (memory) and FPGA-TN-02205 (sysDSP). Only what
the cores use is modelled: both ports on one clock, the write port on A and the read port on B, as
wide as each other; multipliers whose registers are all there or all missing.

What the description leaves open is given in the worst way that two-state simulation knows: reading
the row that the other port writes in the same clock gives the inverse of what is there.
"""

import re
from collections.abc import Iterable
from typing import Any


def _pins(name: str, count: int) -> str:
    return ", ".join(f"{name}{k}" for k in range(count))


def _bus(name: str, count: int) -> str:
    return "{" + ", ".join(f"{name}{k}" for k in reversed(range(count))) + "}"


_WIDE = f"""
module PDPW16KD(
    input {_pins("DI", 36)},
    input {_pins("ADW", 9)}, {_pins("BE", 4)}, CEW, CLKW, {_pins("CSW", 3)},
    input {_pins("ADR", 14)}, CER, OCER, CLKR, {_pins("CSR", 3)}, RST,
    output {_pins("DO", 36)}
);
    parameter DATA_WIDTH_W = 36;
    parameter DATA_WIDTH_R = 36;
    parameter REGMODE = "NOREG";
    parameter GSR = "ENABLED";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_W = "0b000";
    parameter CSDECODE_R = "0b000";
    reg [35:0] rows [0:511];
    reg [35:0] latch = 0;
    reg [35:0] out = 0;
    wire [35:0] di = {_bus("DI", 36)};
    wire [8:0] adw = {_bus("ADW", 9)};
    wire [13:0] adr_pins = {_bus("ADR", 14)};
    wire [8:0] adr = adr_pins[13:5];
    wire put = CEW & ~|{_bus("CSW", 3)};
    wire get = CER & ~|{_bus("CSR", 3)};
    always @(posedge CLKW) begin
        if (put & BE0) rows[adw][8:0] <= di[8:0];
        if (put & BE1) rows[adw][17:9] <= di[17:9];
        if (put & BE2) rows[adw][26:18] <= di[26:18];
        if (put & BE3) rows[adw][35:27] <= di[35:27];
    end
    always @(posedge CLKR) begin
        if (get) latch <= rows[adr] ^ {{36{{put & adw == adr}}}};
        if (RST) out <= 0;
        else if (OCER) out <= latch;
    end
    assign {_bus("DO", 36)} = REGMODE == "OUTREG" ? out : latch;
endmodule
"""

_NARROW = f"""
module DP16KD(
    input {_pins("DIA", 18)}, {_pins("DIB", 18)},
    input {_pins("ADA", 14)}, CEA, OCEA, CLKA, WEA, RSTA, {_pins("CSA", 3)},
    input {_pins("ADB", 14)}, CEB, OCEB, CLKB, WEB, RSTB, {_pins("CSB", 3)},
    output {_pins("DOA", 18)}, {_pins("DOB", 18)}
);
    parameter DATA_WIDTH_A = 18;
    parameter DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG";
    parameter REGMODE_B = "NOREG";
    parameter GSR = "ENABLED";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000";
    parameter CSDECODE_B = "0b000";
    // those that synthesis writes where it infers the cell; nothing is read before it is written
    parameter CLKAMUX = "CLKA";
    parameter CLKBMUX = "CLKB";
    parameter {", ".join(f"INITVAL_{k:02X} = 0" for k in range(64))};
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    localparam SHIFT = DATA_WIDTH_A == 18 ? 4 : DATA_WIDTH_A == 9 ? 3 : DATA_WIDTH_A == 4 ? 2
        : DATA_WIDTH_A == 2 ? 1 : 0;
    reg [DATA_WIDTH_A-1:0] rows [0:(16384 >> SHIFT)-1];
    reg [DATA_WIDTH_A-1:0] latch = 0;
    reg [DATA_WIDTH_A-1:0] out = 0;
    wire [17:0] di = {_bus("DIA", 18)};
    wire [13:0] ada = {_bus("ADA", 14)};
    wire [13:0] adb = {_bus("ADB", 14)};
    wire [13-SHIFT:0] to = ada[13:SHIFT];
    wire [13-SHIFT:0] from = adb[13:SHIFT];
    wire put = CEA & WEA & ~|{_bus("CSA", 3)};
    wire get = CEB & ~WEB & ~|{_bus("CSB", 3)};
    wire low = DATA_WIDTH_A != 18 | ada[0];
    wire high = DATA_WIDTH_A != 18 | ada[1];
    always @(posedge CLKA) begin
        if (put & low & high) rows[to] <= di[DATA_WIDTH_A-1:0];
        else if (put & low) rows[to] <= {{rows[to] >> 9, di[8:0]}};
        else if (put & high) rows[to] <= {{di[17:9], rows[to][8:0]}};
    end
    always @(posedge CLKB) begin
        if (get) latch <= rows[from] ^ {{DATA_WIDTH_A{{put & to == from}}}};
        if (RSTB) out <= 0;
        else if (OCEB) out <= latch;
    end
    assign {_bus("DOB", 18)} = REGMODE_B == "OUTREG" ? out : latch;
    assign {_bus("DOA", 18)} = 0;
endmodule
"""

_MULTIPLIER = f"""
module MULT18X18D(
    input {_pins("A", 18)}, {_pins("B", 18)}, {_pins("C", 18)},
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input {_pins("CLK", 4)}, {_pins("CE", 4)}, {_pins("RST", 4)},
    output {_pins("P", 36)}
);
    parameter REG_INPUTA_CLK = "NONE";
    parameter REG_INPUTA_CE = "CE0";
    parameter REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE";
    parameter REG_INPUTB_CE = "CE0";
    parameter REG_INPUTB_RST = "RST0";
    parameter REG_PIPELINE_CLK = "NONE";
    parameter REG_PIPELINE_CE = "CE0";
    parameter REG_PIPELINE_RST = "RST0";
    parameter REG_OUTPUT_CLK = "NONE";
    parameter REG_OUTPUT_CE = "CE0";
    parameter REG_OUTPUT_RST = "RST0";
    parameter GSR = "ENABLED";
    parameter RESETMODE = "SYNC";
    wire [17:0] a = {_bus("A", 18)};
    wire [17:0] b = {_bus("B", 18)};
    reg [17:0] a_in = 0;
    reg [17:0] b_in = 0;
    reg [35:0] inside = 0;
    reg [35:0] product = 0;
    wire [17:0] x = REG_INPUTA_CLK == "NONE" ? a : a_in;
    wire [17:0] y = REG_INPUTB_CLK == "NONE" ? b : b_in;
    wire [35:0] full = {{{{18{{SIGNEDA & x[17]}}}}, x}} * {{{{18{{SIGNEDB & y[17]}}}}, y}};
    always @(posedge CLK0) begin
        if (RST0) begin
            a_in <= 0;
            b_in <= 0;
            inside <= 0;
            product <= 0;
        end else if (CE0) begin
            a_in <= a;
            b_in <= b;
            inside <= full;
            product <= REG_PIPELINE_CLK == "NONE" ? full : inside;
        end
    end
    assign {_bus("P", 36)} = REG_OUTPUT_CLK == "NONE" ? full : product;
endmodule
"""


def ecp5_models() -> str:
    """Return the Verilog of ``DP16KD``, ``PDPW16KD`` and ``MULT18X18D``."""
    return _WIDE + _NARROW + _MULTIPLIER


def outputs(cell: str) -> frozenset[str]:
    """Return the output pins of a cell that there is a model of; none of any other."""
    head = re.search(rf"^module {cell}\((.*?)^\);", ecp5_models(), re.MULTILINE | re.DOTALL)
    _, _, pins = (head[1] if head else "").partition("output ")
    return frozenset(re.findall(r"\w+", pins))


_PINS = {
    "EHXPLLL": {"CLKOP": "CLKI", "LOCK": "1"},
    "SGSR": {},
    "TRELLIS_IO": {"O": "B"},
    "SB_IO": {"D_IN_0": "PACKAGE_PIN"},
    "SB_GB_IO": {"GLOBAL_BUFFER_OUTPUT": "PACKAGE_PIN"},
}
"""What stands between a design and its pins: what it gives to the design. Clocks do not count."""


def pin_models(cells: Iterable[dict[str, Any]]) -> str:
    """Return models of the PLLs and pins among cells of Yosys' JSON: what comes in goes through."""
    kinds: dict[str, tuple[dict[str, str], set[str]]] = {}
    for cell in cells:
        if cell["type"] in _PINS:
            ports, parameters = kinds.setdefault(cell["type"], ({}, set()))
            ports.update(cell["port_directions"])
            parameters.update(cell["parameters"])
    texts = []
    for kind, (ports, parameters) in kinds.items():
        lines = [f"parameter {name} = 0;" for name in sorted(parameters)]
        lines += [f"assign {pin} = {it};" for pin, it in _PINS[kind].items() if pin in ports]
        declared = ", ".join(f"{way} {name}" for name, way in sorted(ports.items()))
        texts.append(f"module {kind}({declared});\n    {' '.join(lines)}\nendmodule\n")
    return "".join(texts)
