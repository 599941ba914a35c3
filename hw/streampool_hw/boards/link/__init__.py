"""A core behind a board's serial port."""
