"""Streaming pooling cores in Amaranth."""
