"""The specification of a pooling job and its integer-exact NumPy model."""

__version__ = "0.1.0"
