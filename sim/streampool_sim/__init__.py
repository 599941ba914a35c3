"""Ways to run a pooling core: engines, statistics, the command line."""
