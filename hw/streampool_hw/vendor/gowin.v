// Simulation models of Gowin cells that Yosys has none of.
//
// Written from Gowin's descriptions: UG285 (memory) and UG287 (DSP). Only what synthesis writes for
// the cores is modelled: memories that are written at port A and read at port B, both as wide as
// each other and without a second register; multipliers without registers.
//
// As in the ECP5's models, reading the row that is written in the same clock gives the inverse of
// what is there.

// What the memories have in common. A word of WIDTH bits is at most a byte, or whole bytes, of
// which the lowest bits of the address say which are written.
module streampool_gowin_memory #(parameter BYTE = 8, parameter WIDTH = 8) (
    input CLKA, put, CLKB, CEB, RESETB,
    input [13:0] ADA, ADB,
    input [WIDTH-1:0] di,
    output reg [WIDTH-1:0] out = 0
);
    localparam SHIFT = $clog2(WIDTH * 8 / BYTE);
    reg [WIDTH-1:0] rows [0:(16384 >> SHIFT)-1];
    wire [13-SHIFT:0] to = ADA[13:SHIFT];
    wire [13-SHIFT:0] from = ADB[13:SHIFT];
    genvar k;
    generate
        if (WIDTH > BYTE) begin
            for (k = 0; k < WIDTH / BYTE; k = k + 1)
                always @(posedge CLKA)
                    if (put & ADA[k]) rows[to][k*BYTE +: BYTE] <= di[k*BYTE +: BYTE];
        end else
            always @(posedge CLKA) if (put) rows[to] <= di;
    endgenerate
    always @(posedge CLKB)
        if (RESETB) out <= 0;
        else if (CEB) out <= rows[from] ^ {WIDTH{put & to == from}};
endmodule

module SDPB(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input OCE,
    input [31:0] DI,
    output [31:0] DO
);
    parameter READ_MODE = 0;
    parameter BIT_WIDTH_0 = 8;
    parameter BIT_WIDTH_1 = 8;
    parameter BLK_SEL_0 = 0;
    parameter BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0,
        INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0,
        INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0,
        INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0,
        INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0,
        INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0,
        INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0,
        INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0,
        INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0,
        INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0,
        INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    wire [BIT_WIDTH_0-1:0] out;
    streampool_gowin_memory #(.BYTE(8), .WIDTH(BIT_WIDTH_0)) memory(
        .CLKA(CLKA), .put(CEA), .ADA(ADA), .di(DI[BIT_WIDTH_0-1:0]),
        .CLKB(CLKB), .CEB(CEB), .RESETB(RESETB), .ADB(ADB), .out(out)
    );
    assign DO = out;
endmodule

module SDPX9B(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input OCE,
    input [35:0] DI,
    output [35:0] DO
);
    parameter READ_MODE = 0;
    parameter BIT_WIDTH_0 = 9;
    parameter BIT_WIDTH_1 = 9;
    parameter BLK_SEL_0 = 0;
    parameter BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0,
        INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0,
        INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0,
        INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0,
        INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0,
        INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0,
        INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0,
        INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0,
        INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0,
        INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0,
        INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    wire [BIT_WIDTH_0-1:0] out;
    streampool_gowin_memory #(.BYTE(9), .WIDTH(BIT_WIDTH_0)) memory(
        .CLKA(CLKA), .put(CEA), .ADA(ADA), .di(DI[BIT_WIDTH_0-1:0]),
        .CLKB(CLKB), .CEB(CEB), .RESETB(RESETB), .ADB(ADB), .out(out)
    );
    assign DO = out;
endmodule

module DPB(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input WREA, WREB, OCEA, OCEB,
    input [15:0] DIA, DIB,
    output [15:0] DOA, DOB
);
    parameter READ_MODE0 = 0;
    parameter READ_MODE1 = 0;
    parameter WRITE_MODE0 = 0;
    parameter WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 8;
    parameter BIT_WIDTH_1 = 8;
    parameter BLK_SEL_0 = 0;
    parameter BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0,
        INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0,
        INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0,
        INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0,
        INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0,
        INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0,
        INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0,
        INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0,
        INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0,
        INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0,
        INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    wire [BIT_WIDTH_0-1:0] out;
    streampool_gowin_memory #(.BYTE(8), .WIDTH(BIT_WIDTH_0)) memory(
        .CLKA(CLKA), .put(CEA & WREA), .ADA(ADA), .di(DIA[BIT_WIDTH_0-1:0]),
        .CLKB(CLKB), .CEB(CEB), .RESETB(RESETB), .ADB(ADB), .out(out)
    );
    assign DOB = out;
    assign DOA = 0;
endmodule

module DPX9B(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input WREA, WREB, OCEA, OCEB,
    input [17:0] DIA, DIB,
    output [17:0] DOA, DOB
);
    parameter READ_MODE0 = 0;
    parameter READ_MODE1 = 0;
    parameter WRITE_MODE0 = 0;
    parameter WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 9;
    parameter BIT_WIDTH_1 = 9;
    parameter BLK_SEL_0 = 0;
    parameter BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0,
        INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0,
        INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0,
        INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0,
        INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0,
        INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0,
        INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0,
        INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0,
        INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0,
        INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0,
        INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
    wire [BIT_WIDTH_0-1:0] out;
    streampool_gowin_memory #(.BYTE(9), .WIDTH(BIT_WIDTH_0)) memory(
        .CLKA(CLKA), .put(CEA & WREA), .ADA(ADA), .di(DIA[BIT_WIDTH_0-1:0]),
        .CLKB(CLKB), .CEB(CEB), .RESETB(RESETB), .ADB(ADB), .out(out)
    );
    assign DOB = out;
    assign DOA = 0;
endmodule

module MULT9X9(
    input [8:0] A, B, SIA, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [17:0] DOUT
);
    wire [17:0] a = {{9{ASIGN & A[8]}}, A};
    wire [17:0] b = {{9{BSIGN & B[8]}}, B};
    assign DOUT = a * b;
endmodule

module MULT18X18(
    input [17:0] A, B, SIA, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [35:0] DOUT
);
    wire [35:0] a = {{18{ASIGN & A[17]}}, A};
    wire [35:0] b = {{18{BSIGN & B[17]}}, B};
    assign DOUT = a * b;
endmodule

module MULT36X36(
    input [35:0] A, B, SIA, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [71:0] DOUT
);
    wire [71:0] a = {{36{ASIGN & A[35]}}, A};
    wire [71:0] b = {{36{BSIGN & B[35]}}, B};
    assign DOUT = a * b;
endmodule
