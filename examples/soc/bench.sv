// Clocks the computer until its program gives a verdict.
module bench;
  bit clk = 0, rst = 1;
  logic [1:0] verdict;
  int unsigned clocks = 0;
  soc soc (.clk(clk), .rst(rst), .verdict(verdict));
  always #10 clk = !clk;
  always @(posedge clk) begin
    clocks <= clocks + 1;
    rst <= clocks < 10;
    if (clocks > 20 && verdict != 0) begin
      $display("%s after %0d clocks", verdict == 1 ? "right" : "wrong", clocks);
      $finish;
    end
    if (clocks == 2000000) begin
      $display("no verdict");
      $finish;
    end
  end
endmodule
