"""A folder with a model's cores: their Verilog, benches that cocotb runs, and a page about it."""
