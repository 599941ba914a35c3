"""A core on its way out: RTLIL, Verilog, AXI4-Stream ports, and the files beside them."""
