"""Simulation models of Gowin cells that Yosys has none of, in Verilog.

Written from Gowin's descriptions: UG285 (memory) and UG287 (DSP). Only what synthesis writes for
the cores is modelled: memories that are written at port A and read at port B, both as wide as each
other and without a second register; multipliers without registers.

As in the ECP5's models, reading the row that is written in the same clock gives the inverse of
what is there.
"""

_SINGLE = """    input OCE,
    input [{byte}*4-1:0] DI,
    output [{byte}*4-1:0] DO
);
    parameter READ_MODE = 0;
    wire put = CEA;
    wire [{byte}*4-1:0] di = DI;
    assign DO = out;
"""
_TRUE_DUAL = """    input WREA, WREB, OCEA, OCEB,
    input [{byte}*2-1:0] DIA, DIB,
    output [{byte}*2-1:0] DOA, DOB
);
    parameter READ_MODE0 = 0;
    parameter READ_MODE1 = 0;
    parameter WRITE_MODE0 = 0;
    parameter WRITE_MODE1 = 0;
    wire put = CEA & WREA;
    wire [{byte}*2-1:0] di = DIA;
    assign DOB = out;
    assign DOA = 0;
"""

_MEMORY = """
module {name}(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
{ports}
    parameter BIT_WIDTH_0 = {byte};
    parameter BIT_WIDTH_1 = {byte};
    parameter BLK_SEL_0 = 0;
    parameter BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter {contents};
    localparam SHIFT = $clog2(BIT_WIDTH_0 * 8 / {byte});
    reg [BIT_WIDTH_0-1:0] rows [0:(16384 >> SHIFT)-1];
    reg [BIT_WIDTH_0-1:0] out = 0;
    wire [13-SHIFT:0] to = ADA[13:SHIFT];
    wire [13-SHIFT:0] from = ADB[13:SHIFT];
    genvar k;
    generate
        if (BIT_WIDTH_0 > {byte}) begin
            for (k = 0; k < BIT_WIDTH_0 / {byte}; k = k + 1)
                always @(posedge CLKA)
                    if (put & ADA[k]) rows[to][k*{byte} +: {byte}] <= di[k*{byte} +: {byte}];
        end else
            always @(posedge CLKA) if (put) rows[to] <= di[BIT_WIDTH_0-1:0];
    endgenerate
    always @(posedge CLKB)
        if (RESETB) out <= 0;
        else if (CEB) out <= rows[from] ^ {{BIT_WIDTH_0{{put & to == from}}}};
endmodule
"""

_MULTIPLIER = """
module MULT{bits}X{bits}(
    input [{bits}-1:0] A, B, SIA, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [2*{bits}-1:0] DOUT
);
    wire [2*{bits}-1:0] a = {{{{{bits}{{ASIGN & A[{bits}-1]}}}}, A}};
    wire [2*{bits}-1:0] b = {{{{{bits}{{BSIGN & B[{bits}-1]}}}}, B}};
    assign DOUT = a * b;
endmodule
"""


def gowin_models() -> str:
    """Return the Verilog of ``SDPB``, ``SDPX9B``, ``DPB``, ``DPX9B`` and the multipliers."""
    contents = ", ".join(f"INIT_RAM_{k:02X} = 0" for k in range(64))
    memories = [
        _MEMORY.format(name=name, byte=byte, ports=ports.format(byte=byte), contents=contents)
        for name, byte, ports in (
            ("SDPB", 8, _SINGLE),
            ("SDPX9B", 9, _SINGLE),
            ("DPB", 8, _TRUE_DUAL),
            ("DPX9B", 9, _TRUE_DUAL),
        )
    ]
    return "".join(memories + [_MULTIPLIER.format(bits=bits) for bits in (9, 18, 36)])
