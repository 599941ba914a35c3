// Simulation models of ECP5 cells that Yosys has none of.
//
// Written from Lattice's descriptions: FPGA-TN-02204 (memory) and FPGA-TN-02205 (sysDSP). Only what
// the cores use is modelled: both ports on one clock, the write port on A and the read port on B, as
// wide as each other; multipliers whose registers are all there or all missing.
//
// What the description leaves open is given in the worst way that two-state simulation knows:
// reading the row that the other port writes in the same clock gives the inverse of what is there.

module PDPW16KD(
    input DI0, DI1, DI2, DI3, DI4, DI5, DI6, DI7, DI8, DI9, DI10, DI11, DI12, DI13, DI14, DI15,
        DI16, DI17, DI18, DI19, DI20, DI21, DI22, DI23, DI24, DI25, DI26, DI27, DI28, DI29, DI30,
        DI31, DI32, DI33, DI34, DI35,
    input ADW0, ADW1, ADW2, ADW3, ADW4, ADW5, ADW6, ADW7, ADW8, BE0, BE1, BE2, BE3, CEW, CLKW,
        CSW0, CSW1, CSW2,
    input ADR0, ADR1, ADR2, ADR3, ADR4, ADR5, ADR6, ADR7, ADR8, ADR9, ADR10, ADR11, ADR12,
        ADR13, CER, OCER, CLKR, CSR0, CSR1, CSR2, RST,
    output DO0, DO1, DO2, DO3, DO4, DO5, DO6, DO7, DO8, DO9, DO10, DO11, DO12, DO13, DO14, DO15,
        DO16, DO17, DO18, DO19, DO20, DO21, DO22, DO23, DO24, DO25, DO26, DO27, DO28, DO29, DO30,
        DO31, DO32, DO33, DO34, DO35
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
    wire [35:0] di = {DI35, DI34, DI33, DI32, DI31, DI30, DI29, DI28, DI27, DI26, DI25, DI24,
        DI23, DI22, DI21, DI20, DI19, DI18, DI17, DI16, DI15, DI14, DI13, DI12, DI11, DI10, DI9,
        DI8, DI7, DI6, DI5, DI4, DI3, DI2, DI1, DI0};
    wire [8:0] adw = {ADW8, ADW7, ADW6, ADW5, ADW4, ADW3, ADW2, ADW1, ADW0};
    wire [13:0] adr_pins = {ADR13, ADR12, ADR11, ADR10, ADR9, ADR8, ADR7, ADR6, ADR5, ADR4,
        ADR3, ADR2, ADR1, ADR0};
    wire [8:0] adr = adr_pins[13:5];
    wire put = CEW & ~|{CSW2, CSW1, CSW0};
    wire get = CER & ~|{CSR2, CSR1, CSR0};
    always @(posedge CLKW) begin
        if (put & BE0) rows[adw][8:0] <= di[8:0];
        if (put & BE1) rows[adw][17:9] <= di[17:9];
        if (put & BE2) rows[adw][26:18] <= di[26:18];
        if (put & BE3) rows[adw][35:27] <= di[35:27];
    end
    always @(posedge CLKR) begin
        if (get) latch <= rows[adr] ^ {36{put & adw == adr}};
        if (RST) out <= 0;
        else if (OCER) out <= latch;
    end
    assign {DO35, DO34, DO33, DO32, DO31, DO30, DO29, DO28, DO27, DO26, DO25, DO24, DO23, DO22,
        DO21, DO20, DO19, DO18, DO17, DO16, DO15, DO14, DO13, DO12, DO11, DO10, DO9, DO8, DO7, DO6,
        DO5, DO4, DO3, DO2, DO1, DO0} = REGMODE == "OUTREG" ? out : latch;
endmodule

module DP16KD(
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12,
        DIA13, DIA14, DIA15, DIA16, DIA17, DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8,
        DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
    input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12,
        ADA13, CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
    input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12,
        ADB13, CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12,
        DOA13, DOA14, DOA15, DOA16, DOA17, DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8,
        DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
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
    parameter INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0,
        INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A =
        0, INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
        INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 =
        0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0,
        INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 =
        0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0,
        INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B =
        0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0,
        INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 =
        0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
        INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    localparam SHIFT = DATA_WIDTH_A == 18 ? 4 : DATA_WIDTH_A == 9 ? 3 : DATA_WIDTH_A == 4 ? 2
        : DATA_WIDTH_A == 2 ? 1 : 0;
    reg [DATA_WIDTH_A-1:0] rows [0:(16384 >> SHIFT)-1];
    reg [DATA_WIDTH_A-1:0] latch = 0;
    reg [DATA_WIDTH_A-1:0] out = 0;
    wire [17:0] di = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
        DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3,
        ADA2, ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3,
        ADB2, ADB1, ADB0};
    wire [13-SHIFT:0] to = ada[13:SHIFT];
    wire [13-SHIFT:0] from = adb[13:SHIFT];
    wire put = CEA & WEA & ~|{CSA2, CSA1, CSA0};
    wire get = CEB & ~WEB & ~|{CSB2, CSB1, CSB0};
    wire low = DATA_WIDTH_A != 18 | ada[0];
    wire high = DATA_WIDTH_A != 18 | ada[1];
    always @(posedge CLKA) begin
        if (put & low & high) rows[to] <= di[DATA_WIDTH_A-1:0];
        else if (put & low) rows[to] <= {rows[to] >> 9, di[8:0]};
        else if (put & high) rows[to] <= {di[17:9], rows[to][8:0]};
    end
    always @(posedge CLKB) begin
        if (get) latch <= rows[from] ^ {DATA_WIDTH_A{put & to == from}};
        if (RSTB) out <= 0;
        else if (OCEB) out <= latch;
    end
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
        DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = REGMODE_B == "OUTREG" ? out : latch;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
        DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = 0;
endmodule

module MULT18X18D(
    input A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17, B0,
        B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17, C0, C1, C2, C3,
        C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    output P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18,
        P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
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
    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1,
        A0};
    wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1,
        B0};
    reg [17:0] a_in = 0;
    reg [17:0] b_in = 0;
    reg [35:0] inside = 0;
    reg [35:0] product = 0;
    wire [17:0] x = REG_INPUTA_CLK == "NONE" ? a : a_in;
    wire [17:0] y = REG_INPUTB_CLK == "NONE" ? b : b_in;
    wire [35:0] full = {{18{SIGNEDA & x[17]}}, x} * {{18{SIGNEDB & y[17]}}, y};
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
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
        P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} =
        REG_OUTPUT_CLK == "NONE" ? full : product;
endmodule
