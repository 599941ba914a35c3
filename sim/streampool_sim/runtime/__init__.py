"""Jobs in turn through one run-time core, in simulation."""
