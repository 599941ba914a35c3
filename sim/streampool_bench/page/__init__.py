"""The page of a measurement: one HTML file with plots, tables and a timing diagram in it.

It needs the extra ``report``, and nothing is fetched to view it.
"""

from .page import html, plot

__all__ = ["html", "plot"]
