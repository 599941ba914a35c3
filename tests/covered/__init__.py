"""What the tests reach: points of the generated Verilog, bins of the schedule, lines of Python."""
