// A pooling core in a plain Verilog top level, behind a reset that may come at any time.
module in_verilog (
    input  wire       clk,
    input  wire       reset,
    input  wire [7:0] pixel,
    input  wire       pixel_valid,
    output wire       pixel_ready,
    input  wire       pixel_last,
    output wire [7:0] pooled,
    output wire       pooled_valid,
    input  wire       pooled_ready,
    output wire       pooled_last,
    output wire       error
);
    // The core's reset is synchronous: it has to go away between two edges of the clock.
    reg [1:0] running;
    always @(posedge clk or posedge reset)
        if (reset) running <= 2'b00;
        else running <= {running[0], 1'b1};

    // In reset the core says ready and takes nothing: to the source it is not ready then.
    wire ready;
    assign pixel_ready = ready & running[1];

    // pool2_inst.vh, with the wires renamed
    pool2 pool (
        .aclk          (clk),
        .aresetn       (running[1]),
        .s_axis_tdata  (pixel),
        .s_axis_tvalid (pixel_valid & running[1]),
        .s_axis_tready (ready),
        .s_axis_tlast  (pixel_last),
        .m_axis_tdata  (pooled),
        .m_axis_tvalid (pooled_valid),
        .m_axis_tready (pooled_ready),
        .m_axis_tlast  (pooled_last),
        .frame_error   (error)
    );
endmodule
