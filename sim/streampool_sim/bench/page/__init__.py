"""The page of a measurement: one HTML file with plots, tables and a timing diagram in it."""

from .page import html

__all__ = ["html"]
