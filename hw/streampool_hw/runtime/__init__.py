"""A core whose job changes between frames: what it is told, and the gates that take it over."""
